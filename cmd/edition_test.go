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
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/login/register"
)

var people = flag.Int("people", 100_000, "of the benchmarks of editions and of the cabinet")

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
// delta. Once there are people, they sign in at browsers that are known, one after another at four doors, until the cabinet is level with the
// register. It prints how many did in a second before an import, beside it and while the cabinet caught up, how long these took, what memory the
// import held, and how many cabinets were made in a second. Where the machine is a guest to which memory is given only as it is first touched, this is to
// be touched before: gigabytes are written here, and whatever comes later would wait for it more.
//
//	go test -run NONE -bench Edition -benchtime 1x -timeout 60m ./cmd -people 9200000
func BenchmarkEdition(b *testing.B) {
	c := newCountry(b)
	c.set("IDP_RELAXED", "true") // nobody signs in so often
	c.errand("idp", "migrate")
	c.errand("cabinet", "migrate")
	c.registerCabinet()
	c.serve("idp", c.issuer)
	c.serve("cabinet", c.cabinet)
	store, err := pgx.Connect(b.Context(), c.setting("CABINET_DATABASE_URL"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close(b.Context()) })

	m := &months{country: c, cabinet: store}
	_, level := m.bring(b, "first", register.Sample{Edition: 10})
	b.ReportMetric(float64(*people)/level.Seconds(), "cabinets/s")

	ours := strings.NewReplacer("# edition 1\n", "# edition 11\n# kind delta\n", "# rows 4", "# rows 6").Replace(edition)
	for i := range 2 {
		ours += visitor(i) + ",M,1830-01-01,BY,,,,,,,,,,\n"
	}
	c.errand("idp", "register", "import", c.file("edition.csv", ours))
	m.brought++
	home := c.signIn(citizenNumber, c.desk().issue(citizenNumber, citizenPhone), c.issuer+"/security", c.issuer+"/security")
	c.bear("5%")
	var (
		doors sync.WaitGroup
		over  = make(chan struct{})
	)
	for range 4 {
		doors.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
					c.signInAtHome(b, home)
					m.signIns.Add(1)
				}
			}
		})
	}
	usual := m.rate()
	<-time.After(20 * time.Second)
	m.usual = usual()
	b.ReportMetric(m.usual, "sign-ins/s")
	m.bring(b, "full", register.Sample{Edition: 12}) // of the month after that of the journeys
	m.bring(b, "delta", register.Sample{Edition: 13, Delta: true})
	close(over)
	doors.Wait()
	b.ReportMetric(0, "ns/op")
}

// months are brought one after the other.
type months struct {
	*country
	cabinet *pgx.Conn // its database
	brought int
	signIns atomic.Int64
	usual   float64 // in a second; none while there is nobody
}

// rate begins to count sign-ins; what it gives tells how many there were in a second until then.
func (m *months) rate() func() float64 {
	began, before := time.Now(), m.signIns.Load()
	return func() float64 { return float64(m.signIns.Load()-before) / time.Since(began).Seconds() }
}

// bring imports a month, waits until the cabinet is level with it, and reports both.
func (m *months) bring(b *testing.B, name string, sample register.Sample) (took, level time.Duration) {
	b.Helper()
	sample.People, sample.Corrected = *people, 10
	path := filepath.Join(b.TempDir(), "register.csv")
	file, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(sample.Write(file), file.Close()); err != nil {
		b.Fatal(err)
	}
	load := exec.CommandContext(b.Context(), "nice", filepath.Join(binaries, "idp"), "register", "import", path) // as the guide says
	load.Env = m.environment("idp")
	began, rate := time.Now(), m.rate()
	said, err := load.CombinedOutput()
	took, beside := time.Since(began), rate()
	if err != nil {
		b.Fatalf("the import: %v\n%s", err, said)
	}
	m.brought++
	began, rate = time.Now(), m.rate()
	for !m.level(b) {
		<-time.After(100 * time.Millisecond)
	}
	level, after := time.Since(began), rate()
	b.ReportMetric(took.Seconds(), name+"-s")
	b.ReportMetric(level.Seconds(), name+"-level-after-s")
	b.ReportMetric(level.Seconds()/took.Seconds(), name+"-level/import")
	b.ReportMetric(float64(load.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)/1024, name+"-MiB-at-most")
	if m.usual > 0 {
		b.ReportMetric(beside/m.usual, name+"-sign-ins-beside/usual")
		b.ReportMetric(after/m.usual, name+"-sign-ins-after/usual")
	}
	return took, level
}

// level tells whether the cabinet has heard of every month and read it.
func (m *months) level(b *testing.B) (level bool) {
	b.Helper()
	const read = `SELECT count(*) = $1 AND bool_and(read_at IS NOT NULL) FROM edition`
	if err := m.cabinet.QueryRow(b.Context(), read, m.brought).Scan(&level); err != nil {
		b.Fatal(err)
	}
	return level
}
