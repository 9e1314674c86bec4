package register_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/register"
	"asoba.example/migrations/pgtest"
)

var people = flag.Int("people", 1_000_000, "of the benchmark of the import")

// BenchmarkImport loads a made-up country, and then a month's edition in which a
// hundredth has changed, as a full one and as a delta. Beside each stands the
// bare SQL on the same rows: COPY beside, insert, key; COPY beside, and by one join
// what differs merged.
//
//	go test -run NONE -bench Import -benchtime 1x -timeout 30m ./login/register -people 9200000
func BenchmarkImport(b *testing.B) {
	files := map[string]*os.File{
		"first": sample(b, register.Sample{Edition: 1}),
		"full":  sample(b, register.Sample{Edition: 2}),
		"delta": sample(b, register.Sample{Edition: 3, Delta: true}),
	}
	for b.Loop() {
		pool := pgtest.New(b)
		bare(b, pool, `
			CREATE TABLE bare (
				identification_number text COLLATE "C", sex text, birth_date text COLLATE "C", citizenship text COLLATE "C",
				death_date date, death_act text, declared_dead_date date, declared_dead_act text,
				missing_date date, missing_act text, incapable_date date, incapable_act text,
				limited_date date, limited_act text
			);
			CREATE UNLOGGED TABLE bare_staged (LIKE bare)`)
		for _, step := range []struct{ name, merge string }{
			{"first", bareFill},
			{"full", bareMerge},
			{"delta", bareMerge},
		} {
			bareTook, bareWrote := measured(b, pool, func() error {
				return errors.Join(bareCopy(b, pool, files[step.name], "bare_staged"), bare(b, pool, step.merge))
			})
			took, wrote := measured(b, pool, func() error { return loadFile(b, pool, files[step.name]) })
			b.ReportMetric(bareTook, step.name+"-bare-s")
			b.ReportMetric(took, step.name+"-s")
			b.ReportMetric(took/bareTook, step.name+"/bare")
			b.ReportMetric(bareWrote, step.name+"-bare-MiB-of-WAL")
			b.ReportMetric(wrote, step.name+"-MiB-of-WAL")
		}
		took, _ := measured(b, pool, func() error { return loadFile(b, pool, files["delta"]) })
		b.ReportMetric(took, "again-s")
		b.ReportMetric(peak(b), "MiB-at-most")
	}
}

// bareFill is the least that brings them into an empty table.
const bareFill = `
	INSERT INTO bare SELECT * FROM bare_staged;
	ALTER TABLE bare ADD PRIMARY KEY (identification_number);
	ANALYZE bare;
	TRUNCATE bare_staged`

// bareMerge is the least that brings what is staged into a table: one join.
const bareMerge = `
	SET work_mem = '256MB';
	ANALYZE bare_staged;
	MERGE INTO bare p USING bare_staged s ON p.identification_number = s.identification_number
	WHEN MATCHED AND
		(p.sex, p.birth_date, p.citizenship, p.death_date, p.death_act, p.declared_dead_date, p.declared_dead_act,
		 p.missing_date, p.missing_act, p.incapable_date, p.incapable_act, p.limited_date, p.limited_act)
		IS DISTINCT FROM
		(s.sex, s.birth_date, s.citizenship, s.death_date, s.death_act, s.declared_dead_date, s.declared_dead_act,
		 s.missing_date, s.missing_act, s.incapable_date, s.incapable_act, s.limited_date, s.limited_act)
	THEN UPDATE SET
		sex = s.sex, birth_date = s.birth_date, citizenship = s.citizenship,
		death_date = s.death_date, death_act = s.death_act,
		declared_dead_date = s.declared_dead_date, declared_dead_act = s.declared_dead_act,
		missing_date = s.missing_date, missing_act = s.missing_act,
		incapable_date = s.incapable_date, incapable_act = s.incapable_act,
		limited_date = s.limited_date, limited_act = s.limited_act
	WHEN NOT MATCHED THEN INSERT VALUES (s.*);
	TRUNCATE bare_staged;
	RESET work_mem`

// sample writes a file of the country.
func sample(b *testing.B, s register.Sample) *os.File {
	b.Helper()
	s.People, s.Corrected = *people, 10
	file, err := os.Create(filepath.Join(b.TempDir(), "register.csv"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { file.Close() })
	if err := s.Write(file); err != nil {
		b.Fatal(err)
	}
	return file
}

// measured gives the seconds that an act takes, and the mebibytes of WAL.
func measured(b *testing.B, pool *pgxpool.Pool, act func() error) (seconds, written float64) {
	b.Helper()
	at := func() (place string) {
		if err := pool.QueryRow(b.Context(), `SELECT pg_current_wal_insert_lsn()::text`).Scan(&place); err != nil {
			b.Fatal(err)
		}
		return place
	}
	from, began := at(), time.Now()
	if err := act(); err != nil {
		b.Fatal(err)
	}
	seconds = time.Since(began).Seconds()
	if err := pool.QueryRow(b.Context(), `SELECT pg_wal_lsn_diff($1::pg_lsn, $2::pg_lsn)::float8 / (1 << 20)`, at(), from).Scan(&written); err != nil {
		b.Fatal(err)
	}
	return seconds, written
}

// peak is the most memory that this process has held, as the kernel counts it.
func peak(b *testing.B) float64 {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("the memory is told by Linux alone")
	}
	held := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(status)
	kilobytes, err := strconv.Atoi(string(held[1]))
	if err != nil {
		b.Fatal(err)
	}
	return float64(kilobytes) / 1024
}

func loadFile(b *testing.B, pool *pgxpool.Pool, file *os.File) error {
	share := func() float64 { return 0.004 } // of deactivated: twice those who die in two months, so that it is looked at how many people there are
	registry := register.Register{Pool: pool, DeactivatedShare: share, RejectedShare: share}
	_, err := registry.Import(b.Context(), register.Order{File: file, At: time.Now(), Progress: func(int64, int64) {}})
	return err
}

func bare(b *testing.B, pool *pgxpool.Pool, statements string) error {
	return pool.AcquireFunc(b.Context(), func(conn *pgxpool.Conn) error {
		_, err := conn.Exec(b.Context(), statements, pgx.QueryExecModeSimpleProtocol)
		return err
	})
}

// bareCopy copies a file's rows as they are.
func bareCopy(b *testing.B, pool *pgxpool.Pool, file *os.File, table string) error {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	text := bufio.NewReader(file)
	for {
		head, err := text.Peek(1)
		if err != nil || !bytes.Equal(head, []byte("#")) {
			break
		}
		if _, err := text.ReadString('\n'); err != nil {
			return err
		}
	}
	return pool.AcquireFunc(b.Context(), func(conn *pgxpool.Conn) error {
		_, err := conn.Conn().PgConn().CopyFrom(context.WithoutCancel(b.Context()), text, `COPY `+table+` FROM STDIN (FORMAT csv, HEADER)`)
		return err
	})
}
