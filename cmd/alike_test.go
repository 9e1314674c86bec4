package cmd_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

// BenchmarkRefusals measures whether the time of a refusal tells who was asked about. Numbers that differ in what no stranger may learn are
// sent to each page that takes one of strangers, over HTTP, one after another in an order drawn anew for each round, with passwords hashed at
// full cost and the limits as they are, forgotten between rounds. So many tries are made as -benchtime says; then it prints for each pair the p-value of Mann and Whitney's
// test, two-sided, and by how much one takes longer than the other (Hodges and Lehmann's estimate, with its interval of 95 %), of the form, which is
// answered by a redirect, and of the page that this leads to. Of many pairs some p-values are small by chance: one is a finding only below 0.05 divided
// by the number of pairs.
//
//	go test -run NONE -bench Refusals -benchtime 3000x ./cmd
func BenchmarkRefusals(b *testing.B) {
	c := newCountry(b)
	c.errand("idp", "migrate")
	people := []struct{ name, password, as string }{ // as: what makes of an active identifier one that stands so
		{"wrong password", "not this one", ""},
		{"recovery codes", "not this one", ""},
		{"a former cost", "not this one", `password_hash = replace(password_hash, 'm=19456,t=2,p=1', 'm=12288,t=3,p=1')`},
		{"fifty failures", strong, `failures = 50`},
		{"temporary", "AAAAA-AAAAA", `state = 'temporary', password_till = now() + interval '1 day'`},
		{"expired", strong, `state = 'temporary', password_till = now() - interval '1 hour'`},
		{"blocked: self", strong, `state = 'blocked', block_reason = 'self'`},
		{"blocked: desk", strong, `state = 'blocked', block_reason = 'desk', password_hash = NULL`},
		{"blocked: security", strong, `state = 'blocked', block_reason = 'security', password_hash = NULL`},
		{"deactivated", strong, `state = 'blocked', block_reason = 'register', password_hash = NULL`},
		{"no identifier", strong, ""},
		{"unknown number", strong, ""},
	}
	with, known := len(people)-2, len(people)-1
	month := strings.Replace(edition, "# rows 4", fmt.Sprintf("# rows %d", 4+known), 1)
	for i := range known {
		month += visitor(i) + ",M,1830-01-01,BY,,,,,,,,,,\n"
	}
	c.errand("idp", "register", "import", c.file("edition.csv", month))
	c.serve("idp", c.issuer)
	store, err := pgx.Connect(b.Context(), c.setting("IDP_DATABASE_URL"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close(context.WithoutCancel(b.Context())) })
	desk := c.desk()
	for i := range with {
		c.signIn(visitor(i), desk.issue(visitor(i), fmt.Sprintf("+3752949120%02d", i)), c.issuer+"/security", c.issuer+"/security")
		if people[i].name == "recovery codes" { // so that a recovery does without the document
			const keep = `INSERT INTO recovery_codes (person_id, digests, made_at) SELECT id, '{""}', now() FROM person WHERE identification_number = $1`
			if _, err := store.Exec(b.Context(), keep, visitor(i)); err != nil {
				b.Fatal(err)
			}
		}
	}
	stand := func() {
		for i := range with {
			const update = `UPDATE identity SET failures = 0 FROM person p WHERE p.id = person_id AND p.identification_number = $1`
			sql := update
			if people[i].as != "" {
				sql = strings.Replace(update, "failures = 0", people[i].as, 1)
			}
			if _, err := store.Exec(b.Context(), sql, visitor(i)); err != nil {
				b.Fatal(err)
			}
		}
	}
	options, err := redis.ParseURL(c.idpRedis)
	if err != nil {
		b.Fatal(err)
	}
	limits := redis.NewClient(options)
	defer limits.Close()
	forget := func() {
		for _, counted := range []string{"tries:*", "one_time_code:*"} {
			keys, err := limits.Keys(b.Context(), counted).Result()
			if err == nil && len(keys) > 0 {
				err = limits.Del(b.Context(), keys...).Err()
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}

	measure := func(b *testing.B, path string, want int, fields func(i int) url.Values) {
		s := c.stranger(b, path)
		halves := []struct {
			name string
			took [][]float64
		}{{"the form", make([][]float64, len(people))}, {"the page", make([][]float64, len(people))}}
		b.ResetTimer()
		for n := 0; n < b.N; {
			if n/len(people)%40 == 0 { // before any of them reaches fifty failures
				stand()
			}
			forget()
			for _, i := range rand.Perm(len(people)) {
				began := time.Now()
				status, head := s.send(b, "", fields(i))
				led := time.Now()
				if status == http.StatusSeeOther {
					status, _ = s.led(b, head)
				}
				if status != want {
					b.Fatalf("%s is answered with %d", people[i].name, status)
				}
				for half, took := range []time.Duration{led.Sub(began), time.Since(led)} {
					halves[half].took[i] = append(halves[half].took[i], ms(took))
				}
				n++
			}
		}
		if b.N == 1 {
			return
		}
		pairs, least := 0, 1.0
		table := new(strings.Builder)
		for _, half := range halves {
			for i := range people {
				for j := range i {
					shift, low, high, p := compare(half.took[j], half.took[i])
					fmt.Fprintf(table, "%s  %-18s %-18s p %.3f  %+.3f ms (%+.3f … %+.3f)\n", half.name, people[j].name, people[i].name, p, shift, low, high)
					pairs, least = pairs+1, min(least, p)
				}
			}
			for i, person := range people {
				slices.Sort(half.took[i])
				fmt.Fprintf(table, "%s  %-18s median %.3f ms of %d tries\n", half.name, person.name, half.took[i][len(half.took[i])/2], len(half.took[i]))
			}
		}
		fmt.Fprintf(table, "the smallest p of %d pairs is %.4f; a finding would be one below %.4f\n", pairs, least, 0.05/float64(pairs))
		if _, err := os.Stdout.WriteString("\n" + table.String()); err != nil { // the log of a benchmark has ten lines
			b.Fatal(err)
		}
		b.ReportMetric(least, "least-p")
	}
	b.Run("sign-in", func(b *testing.B) {
		measure(b, "/security", http.StatusUnprocessableEntity, func(i int) url.Values {
			return guess(visitor(i), people[i].password)
		})
	})
	for name, number := range map[string]string{ // by the right one, and by none, some are sent a code
		"recover by a wrong document": "AB0000000", "recover by the document": document["number"].(string), "recover by no document": "",
	} {
		b.Run(name, func(b *testing.B) {
			measure(b, "/recover", http.StatusOK, func(i int) url.Values {
				return url.Values{"identifier": {visitor(i)}, "document_number": {number}}
			})
		})
	}
	b.Run("block", func(b *testing.B) { // here too
		measure(b, "/block", http.StatusOK, func(i int) url.Values {
			return url.Values{"identifier": {visitor(i)}, "decision": {"code"}}
		})
	})
	b.Run("unblock", func(b *testing.B) { // the right password of who may have it back would be a way on
		measure(b, "/unblock", http.StatusUnprocessableEntity, func(i int) url.Values {
			return guess(visitor(i), "not this one")
		})
	})
}

// compare tells by how much b is shifted against a, with the interval of 95 %, and how likely a difference like that is by chance.
func compare(a, b []float64) (shift, low, high, p float64) {
	n, m := float64(len(a)), float64(len(b))
	differences := make([]float64, 0, len(a)*len(b))
	u := 0.0 // how often b is longer
	for _, x := range a {
		for _, y := range b {
			differences = append(differences, y-x)
			u += float64(cmp.Compare(y, x)+1) / 2
		}
	}
	slices.Sort(differences)
	deviation := math.Sqrt(n * m * (n + m + 1) / 12)
	margin := max(0, int(n*m/2-1.96*deviation))
	p = math.Erfc(math.Abs(u-n*m/2) / deviation / math.Sqrt2)
	return differences[len(differences)/2], differences[margin], differences[len(differences)-1-margin], p
}

// What is alike is told to be, and what differs too.
func TestComparedTimes(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	sample := func(shift float64) (all []float64) {
		for range 100 {
			all = append(all, 50+shift+random.NormFloat64())
		}
		return all
	}
	small := 0
	for range 200 {
		if _, low, high, p := compare(sample(0), sample(0)); p < 0.05 {
			small++
		} else if low > 0 || high < 0 {
			t.Errorf("p is %v, and no difference is outside %v … %v", p, low, high)
		}
	}
	if small < 2 || small > 22 { // ten are expected; that is four deviations
		t.Errorf("of 200 pairs that are alike %d have a p below 0.05", small)
	}
	if shift, low, high, p := compare(sample(0), sample(1)); p > 0.001 || low > 1 || high < 1 || math.Abs(shift-1) > 0.5 {
		t.Errorf("a millisecond is told as %v (%v … %v), p %v", shift, low, high, p)
	}
}
