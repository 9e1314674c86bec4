package cabinet

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/cabinet/follow"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/signal"
	"asoba.example/provider/api"
)

// What a door reads does not grow with the country: each one that openapi.json describes, and each page, reads a few rows of every table,
// however many others have theirs there, by the planner's own choice, as PostgreSQL counts them. A new operation is held to this by standing in the document, a
// new page by its route.
func TestDoorsReadNobodyElsesRows(t *testing.T) {
	t.Parallel()
	o := observe(t)
	o.stock(t)
	o.lived(t)
	o.crowd(t)

	for path, item := range described(t).Paths.Map() {
		for method, operation := range item.Operations() {
			if len(*operation.Security) == 0 {
				continue // it is everybody's, and asks no database
			}
			claims := signIn()
			acr, _ := operation.Extensions["x-acr"].(string)
			claims["acr"] = cmp.Or(acr, api.Low)
			if own, _ := operation.Extensions["x-own"].(bool); own {
				claims = map[string]any{"sub": "service"}
			}
			claims["scope"] = (*operation.Security)[0]["bearer"][0]
			address := o.url + path
			for _, p := range operation.Parameters {
				if p.Value.In == openapi3.ParameterInPath {
					address = strings.ReplaceAll(address, "{"+p.Value.Name+"}", p.Value.Example.(string))
				}
			}
			var body []byte
			if operation.RequestBody != nil {
				body, _ = json.Marshal(operation.RequestBody.Value.Content.Get("application/json").Example)
			}
			token := o.provider.AccessToken(o.url, claims)
			o.readsFew(t, method+" "+path, func() int { return o.ask(t, method, address, string(body), shown{token: token}).Code })
		}
	}

	o.provider.Mux.HandleFunc("GET /security", func(http.ResponseWriter, *http.Request) {})
	o.provider.Mux.HandleFunc("POST /end-session", func(http.ResponseWriter, *http.Request) {})
	o.provider.SignIn(signIn(), "Анна")
	b := o.browser(t)
	b.want("/sign-in", "/", http.StatusOK, "Анна")
	var entry string
	if err := o.pool.QueryRow(t.Context(), `SELECT id::text FROM journal WHERE person_id = $1 AND kind = 'sign_in.refused'`, anna).Scan(&entry); err != nil {
		t.Fatal(err)
	}
	asked := map[string]struct {
		address string
		form    url.Values
	}{
		"GET /{$}":                    {address: "/"},
		"GET /profile":                {address: "/profile"},
		"GET /profile/values/{name}":  {address: "/profile/values/sex"},
		"POST /profile/values/{name}": {"/profile/values/sex", url.Values{"words": {"It is not so."}}},
		"GET /settings":               {address: "/settings"},
		"POST /settings":              {"/settings", url.Values{"email": {"anna@example.com"}, "phone": {""}, "language": {"be"}}},
		"GET /profile/data":           {address: "/profile/data"},
		"POST /profile/data/export":   {"/profile/data/export", url.Values{}},
		"GET /journal":                {address: "/journal?about=desk&since=2026-05-01"},
		"POST /journal/export":        {"/journal/export", url.Values{"format": {"json"}}},
		"GET /journal/{id}":           {address: "/journal/" + entry},
		"POST /journal/{id}/report":   {"/journal/" + entry + "/report", url.Values{}},
		"GET /services":               {address: "/services?q=паспрт"},
		"GET /services/{code}":        {address: "/services/200.8.1"},
		"GET /security":               {address: "/security"},
		"GET /cases":                  {address: "/cases"},
		"GET /inbox":                  {address: "/inbox"},
		"GET /sign-in":                {address: "/sign-in"},
		"GET /callback":               {address: "/sign-in"}, // which leads there
		"GET /sign-out":               {address: "/sign-out"},
		"POST /sign-out":              {"/sign-out", url.Values{}},
	}
	routes := slices.SortedFunc(maps.Keys(o.cabinet.pages()), func(a, b string) int { // signing out comes last
		return cmp.Or(cmp.Compare(strings.Count(a, "sign-out"), strings.Count(b, "sign-out")), cmp.Compare(a, b))
	})
	for _, pattern := range routes {
		as, ok := asked[pattern]
		if !ok {
			t.Errorf("%s is not looked at", pattern)
			continue
		}
		method, _, _ := strings.Cut(pattern, " ")
		o.readsFew(t, pattern, func() int {
			_, status, _ := b.do(method, as.address, as.form, nil)
			return status
		})
	}
}

// Nor does what the program does by itself, time and again, grow with the country: where nothing is new for a job, it reads a few rows. A new job is
// held to this by standing in the program.
func TestJobsReadNobodyElsesRows(t *testing.T) {
	t.Parallel()
	source := profile.Source{Name: "documents", Title: journal.Names{"": "Documents"}, Basis: journal.Names{"": "A law"}, Values: []string{"name_ru"}}
	w := newWorld(t, source)
	w.crowd(t)
	// Nobody of them is to be called yet.
	if _, err := w.pool.Exec(t.Context(), `UPDATE subscriber SET url = 'https://service.example/', next_at = $1`, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	told := signal.Deliverer{Pool: w.pool, Sign: w.keys.Sign, URL: w.url, Issuer: w.provider.URL, Now: w.provider.Now}
	jobs := map[string]func(context.Context) error{
		"refresh the provider's keys":  w.cabinet.cfg.Issuer.Refresh,
		"give entries their places":    journal.Sealer{Pool: w.pool}.Seal,
		"forget old answers":           w.answers.Forget,
		"read which sources there are": func(ctx context.Context) error { return w.asker.Read(ctx, w.pool) },
		"sign the root of the journal": journal.Roots{Pool: w.pool, Issuer: w.url, Sign: w.keys.Sign, Now: w.provider.Now}.SignToday,
		"open the keys":                w.keys.Check,
		"make the journal's months":    func(ctx context.Context) error { return journal.MakeMonths(ctx, w.pool, noon) },
		"ask ":                         func(ctx context.Context) error { return w.asker.Refresh(ctx, source) },
		"give signals their places":    w.signals.Seal,
		"drop signals":                 w.signals.Wipe,
		"tell e-services":              told.Deliver,
	}
	program, err := os.ReadFile("../cmd/internal/cabinet/serve.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`run\.Every\([^"]*"([^"]+)"`).FindAllStringSubmatch(string(program), -1)
	if len(named) != len(jobs) {
		t.Errorf("the program has %d jobs, and %d are looked at", len(named), len(jobs))
	}
	for name, job := range jobs {
		if err := job(t.Context()); err != nil { // what the crowd has left to do
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.pool.Exec(t.Context(), `VACUUM ANALYZE`); err != nil {
		t.Fatal(err)
	}
	for _, name := range named {
		job, ok := jobs[name[1]]
		if !ok {
			t.Errorf("%q is not looked at", name[1])
			continue
		}
		w.readsFew(t, name[1], func() int {
			if err := job(t.Context()); err != nil {
				t.Errorf("%s: %v", name[1], err)
			}
			return http.StatusOK
		})
	}
}

// Nor does following the register: what the feed tells of one person, their page, and a look at how far it is behind.
func TestTheFollowerReadsNobodyElsesRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.crowd(t)
	const entry = `{"cursor":"%d","id":"019ac000-0000-7000-8000-%012d","at":"2026-05-12T09:30:00Z","person":%q,%s}`
	told := []string{
		`"kind":"identifier.activated"`, `"kind":"sessions.ended","detail":{"why":"deactivated"}`, `"kind":"identifier.blocked","detail":{"reason":"register"}`,
		`"kind":"person.changed","edition":1000000`,
	}
	// So that there is a deactivation to make good.
	if _, err := w.pool.Exec(t.Context(), `UPDATE cabinet SET state = 'activated', state_at = '2026-05-12T09:00:00Z' WHERE person_id = $1`, anna); err != nil {
		t.Fatal(err)
	}
	feed := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/changes":
			fmt.Fprintf(rw, "id,identification_number,sex,birth_date,citizenship,death_date,death_act,declared_dead_date,declared_dead_act,"+
				"missing_date,missing_act,incapable_date,incapable_act,limited_date,limited_act,deactivated_for\n%s,%s,F,1956-03-08,PL,,,,,,,,,,,\n", anna, annasNumber)
		case r.URL.Query().Get("after") == "0":
			entries := make([]string, len(told))
			for i, members := range told {
				entries[i] = fmt.Sprintf(entry, i+1, i+1, anna, members)
			}
			fmt.Fprintf(rw, `{"entries":[%s],"cursor":"9"}`, strings.Join(entries, ","))
		default:
			<-time.After(10 * time.Millisecond)
			fmt.Fprint(rw, `{"cursor":"9"}`)
		}
	}))
	t.Cleanup(feed.Close)
	f := follow.New(follow.Config{
		Pool: w.pool, Feed: follow.Feed{URL: feed.URL, HTTP: feed.Client(), Token: func(context.Context, string) (string, error) { return "any", nil }},
		Keep: 1000 * time.Hour, ForgetKeys: func(context.Context, []string) error { return nil }, Now: w.provider.Now, Log: slog.New(slog.DiscardHandler),
	})
	w.readsFew(t, "to follow", func() int {
		ctx, stop := context.WithCancel(t.Context())
		var following sync.WaitGroup
		following.Go(func() { _ = f.Run(ctx) })
		following.Go(func() { _ = f.RunEditions(ctx) })
		defer following.Wait()
		defer stop()
		const done = `SELECT count(*) FROM edition WHERE id = 1000000 AND read_at IS NOT NULL`
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
			var read int
			if err := w.pool.QueryRow(t.Context(), done).Scan(&read); err == nil && read == 1 {
				return http.StatusOK
			}
		}
		return http.StatusGatewayTimeout
	})
	var lapsed bool
	if err := w.pool.QueryRow(t.Context(), `SELECT state = 'not_activated' FROM cabinet WHERE person_id = $1`, anna).Scan(&lapsed); err != nil || !lapsed {
		t.Errorf("the deactivation is not made good: %v", err)
	}
	w.readsFew(t, "to look how far it is", func() int {
		metrics := make(chan prometheus.Metric, 3)
		follow.Lag{Pool: w.pool, Now: w.provider.Now}.Collect(metrics)
		if len(metrics) != 3 {
			t.Errorf("%d metrics", len(metrics))
		}
		return http.StatusOK
	})
}

// crowd is how many others there are. There is an e-service for forty of them.
const crowd = 2000

// crowd has others live beside Anna, each of whom has something of everything.
func (w *world) crowd(t *testing.T) {
	t.Helper()
	for _, write := range []string{
		`INSERT INTO cabinet (person_id, identification_number, state, state_at, sex, birth_date, citizenship, updated_at, created_at)
		 SELECT gen_random_uuid(), 'number ' || n, 'activated', $1, 'F', '1956', 'BY', $1, $1 FROM generate_series(1, $2) AS n`,
		`INSERT INTO journal (id, person_id, at, kind, actor, client_id) SELECT gen_random_uuid(), person_id, $1, 'sign_in.refused', 'self', 'tax' FROM cabinet LIMIT $2`,
		`INSERT INTO report (entry_id, entry_at, person_id, at) SELECT gen_random_uuid(), $1, person_id, $1 FROM cabinet LIMIT $2`,
		`INSERT INTO contact (person_id, given_at) SELECT person_id, $1 FROM cabinet LIMIT $2`,
		`INSERT INTO profile_value (person_id, source, name, at, since) SELECT person_id, 'a', 'address', $1, $1 FROM cabinet LIMIT $2`,
		`INSERT INTO profile_change (entry_id, person_id) SELECT gen_random_uuid(), person_id FROM cabinet WHERE created_at <= $1 LIMIT $2`,
		`INSERT INTO refresh (person_id, source, occasion, due_at) SELECT person_id, 'a', 'order', $1 FROM cabinet LIMIT $2`,
		`INSERT INTO dispute (id, person_id, name, source, value, words, restricts, state, at)
		 SELECT gen_random_uuid(), person_id, 'citizenship', 'a', '', '', false, 'received', $1 FROM cabinet WHERE identification_number LIKE 'number %' LIMIT $2`,
		`INSERT INTO reader (grant_id, person_id, client_id, at) SELECT gen_random_uuid(), person_id, 'tax', $1 FROM cabinet LIMIT $2`,
		`INSERT INTO signal (id, client_id, person_id, subject, at, kind, detail, place, placed_at)
		 SELECT gen_random_uuid(), 'client ' || n % ($2 / 40), (SELECT person_id FROM cabinet WHERE identification_number = 'number ' || n), 'number ' || n,
		        $1, 'profile.changed', '{}', n, $1 FROM generate_series(1, $2) AS n`,
		`INSERT INTO subscriber (client_id, next_at) SELECT 'client ' || n, $1 FROM generate_series(1, $2 / 40) AS n`,
		`INSERT INTO client (id, name) SELECT 'client ' || n, jsonb_build_object('', $1::timestamptz) FROM generate_series(1, $2 / 40) AS n`,
		`INSERT INTO disabled_client (client_id, disabled, at) SELECT 'disabled ' || n, true, $1 FROM generate_series(1, $2 / 40) AS n`,
		`INSERT INTO answer (caller, key_hash, request_hash, sealed, till)
		 SELECT 'client ' || n, '', '', '', $1::timestamptz + interval '2 hours' FROM generate_series(1, $2) AS n`,
		`INSERT INTO ended (id, at) SELECT gen_random_uuid(), $1 FROM generate_series(1, $2)`,
		`INSERT INTO ended_number (identification_number, at) SELECT 'former ' || n, $1 FROM generate_series(1, $2) AS n`,
		`INSERT INTO edition (id, at, after, read_at) SELECT n, $1, gen_random_uuid(), $1 FROM generate_series(1, $2) AS n`,
	} {
		if _, err := w.pool.Exec(t.Context(), write, noon.Add(-time.Hour), crowd); err != nil {
			t.Fatalf("%v: %s", err, write)
		}
	}
	if _, err := w.pool.Exec(t.Context(), `ANALYZE`); err != nil {
		t.Fatal(err)
	}
}

// readsFew does something that is to be answered well, and wants it to read few rows of each table; the catalogue's, which is everybody's, aside.
func (w *world) readsFew(t *testing.T, story string, do func() (status int)) {
	t.Helper()
	before := w.read(t)
	if status := do(); status != http.StatusOK {
		t.Errorf("%s: got %d", story, status)
	}
	for table, after := range w.read(t) {
		if n := after - before[table]; n >= crowd/10 && !slices.Contains([]string{"body", "service", "situation"}, table) {
			t.Errorf("%s reads %d rows of %s", story, n, table)
		}
	}
}

// read is how many rows of each table, and entries of its indexes, were read so far.
func (w *world) read(t *testing.T) map[string]int {
	t.Helper()
	for _, pool := range []*pgxpool.Pool{w.pool, w.doors} {
		for _, conn := range pool.AcquireAllIdle(t.Context()) {
			if _, err := conn.Exec(t.Context(), `SELECT pg_stat_force_next_flush()`); err != nil { // what it has counted is told before it answers
				t.Fatal(err)
			}
			conn.Release()
		}
	}
	const count = `
		SELECT t.relname::text, (t.seq_tup_read + coalesce(sum(i.idx_tup_read), 0))::bigint
		FROM pg_stat_user_tables AS t LEFT JOIN pg_stat_user_indexes AS i USING (relid)
		GROUP BY t.relid, t.relname, t.seq_tup_read`
	rows, err := w.pool.Query(t.Context(), count)
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]int{}
	var (
		table string
		n     int
	)
	if _, err := pgx.ForEachRow(rows, []any{&table, &n}, func() error { read[table] += n; return nil }); err != nil {
		t.Fatal(err)
	}
	return read
}
