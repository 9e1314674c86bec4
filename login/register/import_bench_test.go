package register_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/register"
	"asoba.example/migrations/pgtest"
)

// BenchmarkImport measures the first load of a million people against a bare
// COPY and primary key of the same rows; then the same file again, and a next
// edition in which a thousandth has changed.
//
//	go test -run NONE -bench Import -benchtime 1x ./login/register
func BenchmarkImport(b *testing.B) {
	const people = 1_000_000
	files := make([]*os.File, 2)
	for i := range files {
		file, err := os.Create(filepath.Join(b.TempDir(), "register.csv"))
		if err != nil {
			b.Fatal(err)
		}
		defer file.Close()
		if err := (register.Sample{People: people, Edition: i + 1}).Write(file); err != nil {
			b.Fatal(err)
		}
		files[i] = file
	}
	for b.Loop() {
		pool := pgtest.New(b)
		seconds := func(name string, act func() error) float64 {
			b.Helper()
			began := time.Now()
			if err := act(); err != nil {
				b.Fatal(err)
			}
			took := time.Since(began).Seconds()
			b.ReportMetric(took, name+"-s")
			return took
		}
		bare := seconds("bare", func() error { return bareCopy(b, pool, files[0]) })
		first := seconds("first", func() error { return loadFile(b, pool, files[0]) })
		seconds("again", func() error { return loadFile(b, pool, files[0]) })
		seconds("next", func() error { return loadFile(b, pool, files[1]) })
		b.ReportMetric(first/bare, "first/bare")
	}
}

func loadFile(b *testing.B, pool *pgxpool.Pool, file *os.File) error {
	if _, err := file.Seek(0, 0); err != nil {
		return err
	}
	registry := register.Register{Pool: pool}
	_, err := registry.Import(b.Context(), register.Order{File: file, At: time.Now(), Progress: func(int64, int64) {}})
	return err
}

func bareCopy(b *testing.B, pool *pgxpool.Pool, file *os.File) error {
	text, err := os.ReadFile(file.Name())
	if err != nil {
		return err
	}
	text = text[bytes.Index(text, []byte("\nidentification_number"))+1:]
	conn, err := pool.Acquire(b.Context())
	if err != nil {
		return err
	}
	defer conn.Release()
	const create = `
		CREATE TABLE bare (
			identification_number text, sex text, birth_date text, citizenship text,
			death_date date, death_act text, declared_dead_date date, declared_dead_act text,
			missing_date date, missing_act text, incapable_date date, incapable_act text,
			limited_date date, limited_act text
		)`
	if _, err := conn.Exec(b.Context(), create); err != nil {
		return err
	}
	if _, err := conn.Conn().PgConn().CopyFrom(b.Context(), bytes.NewReader(text), `COPY bare FROM STDIN (FORMAT csv, HEADER)`); err != nil {
		return err
	}
	_, err = conn.Exec(b.Context(), `ALTER TABLE bare ADD PRIMARY KEY (identification_number)`)
	return err
}
