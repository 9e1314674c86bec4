package cmd_test

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/login/register"
)

var entries = flag.Int("entries", 1_000_000, "of the journals, in the benchmark of the cabinet")

// BenchmarkCabinet asks the built cabinet, in which a country has lived for half a year, for the pages of one citizen and for what an e-service
// reads of them, by one and by 16 clients at once, and prints what a request costs. A read by an e-service is written in the
// citizen's journal besides. What the program and its stores do in the background, the sealer of journals among it, is in the costs, and so is what PostgreSQL does for idp.
//
//	go test -run NONE -bench Cabinet -benchtime 2s -timeout 60m ./cmd -people 1000000 -entries 10000000
func BenchmarkCabinet(b *testing.B) {
	c := newCountry(b)
	c.set("IDP_RELAXED", "true")
	c.set("CABINET_METRICS_LISTEN", listen(freeAddress(b)))
	c.errand("idp", "migrate")
	c.errand("cabinet", "migrate")
	c.registerCabinet()
	relying := c.eserviceMetadata()
	relying["first_party"] = true
	f := &fair{country: c, b: b, ordinary: c.register(relying), idp: c.serve("idp", c.issuer)}
	f.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	cabinet := c.serve("cabinet", c.cabinet)
	c.errand("cabinet", "catalogue", "import", "--by", "Benchmark", c.file("catalogue.yaml", c.errand("cabinet", "catalogue", "sample")))
	store, err := pgx.Connect(b.Context(), c.setting("CABINET_DATABASE_URL"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close(b.Context()) })

	m := &months{country: c, cabinet: store}
	m.bring(b, "first", register.Sample{Edition: 10})
	c.errand("idp", "register", "import", c.file("edition.csv", strings.Replace(edition, "# edition 1\n", "# edition 11\n# kind delta\n", 1)))
	m.brought++
	patiently(b, time.Minute, "the cabinet is level", func() error {
		if !m.level(b) {
			return errors.New("it is not")
		}
		return nil
	})
	c.live(store, f.ordinary.ID)
	// Then alone: half a year of a whole country takes longer than a session lasts that nobody uses.
	home := c.signIn(citizenNumber, c.desk().issue(citizenNumber, citizenPhone), c.cabinet+"/profile", c.cabinet+"/profile")
	f.people = []*http.Client{{
		Jar: home.Cookies(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}

	own, err := url.Parse(c.cabinet)
	if err != nil {
		b.Fatal(err)
	}
	for _, operation := range []struct{ name, path string }{
		{"start", "/"},
		{"profile", "/profile"},
		{"search", "/services?q=" + url.QueryEscape("паспорта")},
		{"journal", "/journal"},
		{"api-profile", "/api/v1/profile"},
	} {
		for _, clients := range []int{1, 16} {
			b.Run(fmt.Sprintf("%s/clients=%d", operation.name, clients), func(b *testing.B) {
				token := "Bearer " + f.tokens(f.ordinary, f.code(f.ordinary, 0)).AccessToken // it is good for five minutes
				request := func() *http.Request {
					r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, c.cabinet+operation.path, nil)
					if err != nil {
						b.Error(err)
					}
					if strings.HasPrefix(operation.path, "/api/") {
						r.Header.Set("Authorization", token)
						return r
					}
					for _, cookie := range home.Cookies().Cookies(own) {
						r.AddCookie(cookie)
					}
					return r
				}
				together(clients, 2*clients, func(int) { f.call(b, request()) }) // statements are prepared by it
				took := make([]time.Duration, b.N)
				before := c.costs(cabinet)
				b.ResetTimer()
				together(clients, b.N, func(i int) {
					began := time.Now()
					f.call(b, request())
					took[i] = time.Since(began)
				})
				b.StopTimer()
				c.costs(cabinet).report(b, before, float64(b.N), "op")
				slices.Sort(took)
				for _, percent := range []int{50, 99} {
					b.ReportMetric(ms(took[(b.N-1)*percent/100]), fmt.Sprintf("p%d-ms", percent))
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
			})
		}
	}
}

// live has half a year pass: everybody's journal has its share of the entries, the citizen's three hundred, each linked in the chain of its month
// as the sealer links it. That the program takes them for its own is proved by cabinet journal verify.
func (c *country) live(store *pgx.Conn, client string) {
	c.t.Helper()
	run := func(statement string, arguments ...any) {
		c.t.Helper()
		if _, err := store.Exec(c.t.Context(), statement, arguments...); err != nil {
			c.t.Fatal(err)
		}
	}
	const write = `
		WITH kinds (n, kind, actor, client_id, detail) AS (VALUES
			(0, 'signed_in', 'self', NULL, NULL::jsonb),
			(1, 'grant.given', 'self', $1, '{"scope": "openid profile cabinet.profile.read"}'),
			(2, 'profile.read', 'client', $1, NULL),
			(3, 'sign_in.refused', 'self', NULL, NULL),
			(4, 'profile.changed', 'system', NULL, '{"field": "citizenship", "old": "UA", "new": "BY"}')
		), lived AS (
			SELECT person_id, n, $2::timestamptz + random() * interval '28 days' AS at
			FROM cabinet, generate_series(1, CASE identification_number WHEN $3 THEN 300 ELSE $4::integer END) AS n
			WHERE n % 6 = $5 % 6
		), entries AS (
			SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || overlay(substr(md5(random()::text), 1, 19) PLACING '8' FROM 4 FOR 1))::uuid AS id,
			       person_id, at, kind, actor, client_id, 'low' AS acr, detail
			FROM lived JOIN kinds ON kinds.n = lived.n % 5
		)
		INSERT INTO journal (id, person_id, at, kind, actor, client_id, acr, detail, place, link)
		SELECT id, person_id, at, kind, actor, client_id, acr, detail, row_number() OVER month,
		       chain($6, journal_record(ROW (id, person_id, at, kind, actor, client_id, NULL, acr, NULL, detail, NULL, NULL)::journal)) OVER month
		FROM entries
		WINDOW month AS (ORDER BY id ROWS UNBOUNDED PRECEDING)`
	const head = `
		INSERT INTO journal_head (month, place, link)
		SELECT journal_month(at), place, link FROM journal WHERE at >= $1 AND at < $1 + interval '1 month' ORDER BY place DESC LIMIT 1`
	run(`SET work_mem = '256MB'`)
	now := time.Now().UTC()
	for ago := 1; ago <= 6; ago++ {
		month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, -ago, 0)
		run(write, client, month, citizenNumber, *entries / *people, ago, make([]byte, 32))
		run(head, month)
	}
	run(`VACUUM ANALYZE`)
	c.t.Log(strings.TrimSpace(c.errand("cabinet", "journal", "verify")))
}
