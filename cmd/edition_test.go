package cmd_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/login/register"
)

var people = flag.Int("people", 100_000, "of the benchmark of editions")

// bear has two operators settle how great a share of all people an edition may deactivate before another has to release it.
func (c *country) bear(share string) {
	c.t.Helper()
	for i := range 2 {
		c.errand("idp", "clerk", "add", "--identifier", visitor(i), "--phone", fmt.Sprintf("+37529491192%d", i), "--office", "Operator", "--role", "operator",
			"--family", "Работнікава", "--given", "Ганна", "--document", fmt.Sprintf("MP000001%d", i), "--valid-till", "2099-01-01")
	}
	id := c.errand("idp", "policy", "propose", "edition.deactivated_share", share, "--by", visitor(0),
		"--title", "Order", "--number", "1", "--date", "2026-01-02")
	c.errand("idp", "policy", "approve", strings.TrimSpace(id), "--by", visitor(1))
}

// BenchmarkEdition has an operator bring a country, and then two months of it, each changing a hundredth: as a full edition and as a
// delta. All the while people sign in at browsers that are known, one after another at four doors. It prints how many did in a second before
// it and beside it, how long the import took, what memory it held, how long after its end the cabinet was level with the register, and how many
// cabinets were made in a second.
//
//	go test -run NONE -bench Edition -benchtime 1x -timeout 60m ./cmd -people 9200000
func BenchmarkEdition(b *testing.B) {
	const doors = 4
	c := newCountry(b)
	c.set("IDP_RELAXED", "true") // nobody signs in so often
	c.errand("idp", "migrate")
	c.errand("cabinet", "migrate")
	month := strings.Replace(edition, "# rows 4", "# rows 6", 1)
	for i := range 2 {
		month += visitor(i) + ",M,1830-01-01,BY,,,,,,,,,,\n"
	}
	c.errand("idp", "register", "import", c.file("edition.csv", month))
	c.registerCabinet()
	c.serve("idp", c.issuer)
	c.serve("cabinet", c.cabinet)
	home := c.signIn(citizenNumber, c.desk().issue(citizenNumber, citizenPhone), c.issuer+"/security", c.issuer+"/security")
	c.bear("5%")
	store, err := pgx.Connect(b.Context(), c.setting("CABINET_DATABASE_URL"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close(b.Context()) })

	// signIns is how many there are in a second until it is over.
	signIns := func(over <-chan struct{}) float64 {
		var (
			group sync.WaitGroup
			done  = make([]int, doors)
			began = time.Now()
		)
		for i := range done {
			group.Go(func() {
				for {
					select {
					case <-over:
						return
					default:
						c.signInAtHome(b, home)
						done[i]++
					}
				}
			})
		}
		group.Wait()
		sum := 0
		for _, n := range done {
			sum += n
		}
		return float64(sum) / time.Since(began).Seconds()
	}
	level := func(number int) error {
		var read bool
		if err := store.QueryRow(b.Context(), `SELECT count(*) = 0 FROM edition WHERE read_at IS NULL`).Scan(&read); err != nil || !read {
			return errors.Join(err, errors.New("it is read"))
		}
		var editions int
		if err := store.QueryRow(b.Context(), `SELECT count(*) FROM edition`).Scan(&editions); err != nil || editions < number {
			return errors.Join(err, fmt.Errorf("%d editions were heard of", editions))
		}
		return nil
	}

	quiet := make(chan struct{})
	time.AfterFunc(20*time.Second, func() { close(quiet) })
	b.ReportMetric(signIns(quiet), "sign-ins/s")
	for i, month := range []struct {
		name   string
		sample register.Sample
	}{
		{"first", register.Sample{Edition: 12}}, // after the one of the journeys
		{"full", register.Sample{Edition: 13}},
		{"delta", register.Sample{Edition: 14, Delta: true}},
	} {
		month.sample.People, month.sample.Corrected = *people, 10
		name := filepath.Join(b.TempDir(), "register.csv")
		file, err := os.Create(name)
		if err != nil {
			b.Fatal(err)
		}
		if err := errors.Join(month.sample.Write(file), file.Close()); err != nil {
			b.Fatal(err)
		}
		var (
			beside sync.WaitGroup
			rate   float64
			over   = make(chan struct{})
		)
		beside.Go(func() { rate = signIns(over) })
		began := time.Now()
		load := exec.CommandContext(b.Context(), filepath.Join(binaries, "idp"), "register", "import", name)
		load.Env = c.environment("idp")
		said, err := load.CombinedOutput()
		took := time.Since(began)
		close(over)
		beside.Wait()
		if err != nil {
			b.Fatalf("the import: %v\n%s", err, said)
		}
		for level(i+2) != nil {
			<-time.After(100 * time.Millisecond)
		}
		b.ReportMetric(took.Seconds(), month.name+"-s")
		b.ReportMetric(rate, month.name+"-sign-ins/s")
		after := time.Since(began) - took
		b.ReportMetric(after.Seconds(), month.name+"-level-after-s")
		b.ReportMetric(after.Seconds()/took.Seconds(), month.name+"-level/import")
		if i == 0 {
			b.ReportMetric(float64(*people)/after.Seconds(), "cabinets/s")
		}
		b.ReportMetric(float64(load.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)/1024, month.name+"-MiB-at-most")
	}
	b.ReportMetric(0, "ns/op")
}
