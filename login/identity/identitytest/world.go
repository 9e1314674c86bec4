// Package identitytest gives tests a registry of identifiers on a real database
// and a real Redis, with people to act upon.
package identitytest

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"asoba.example/login/hashing"
	"asoba.example/login/identity"
	"asoba.example/login/register"
	"asoba.example/login/sms"
	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
	"asoba.example/provider/grant"
	"asoba.example/provider/seal"
	"asoba.example/provider/session"
)

// Noon is when everything happens.
var Noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A World is the registry and what it stands on.
type World struct {
	Pool     *pgxpool.Pool
	Trips    *pgtest.Trips
	Redis    redis.UniversalClient
	Box      *seal.Box
	Jobs     grant.Jobs
	Sessions *session.Store
	Denials  *grant.Denials
	Outbox   *sms.Outbox
	Registry *identity.Registry

	ClosedFor time.Duration // is settled

	people int
	mu     sync.Mutex
	said   map[string]string
}

// New makes a world.
func New(t *testing.T) *World {
	t.Helper()
	options, err := redis.ParseURL(redistest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	w := &World{Redis: redis.NewClient(options), ClosedFor: 24 * time.Hour, said: map[string]string{}}
	t.Cleanup(func() { _ = w.Redis.Close() }) // some tests close it before
	w.Pool, w.Trips = pgtest.Counting(t)
	now := func() time.Time { return Noon }
	w.Sessions = session.New(session.Config{Redis: w.Redis, Idle: func() time.Duration { return time.Hour }, Total: func() time.Duration { return time.Hour }, Now: now})
	w.Denials = grant.NewDenials(w.Pool, w.Redis, 5*time.Minute, now)
	jobs, err := river.NewClient(riverpgxv5.New(w.Pool), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w.Jobs = jobs
	if w.Box, err = seal.Open(t.Context(), w.Pool, make([]byte, 32), Noon); err != nil {
		t.Fatal(err)
	}
	w.Outbox = &sms.Outbox{Pool: w.Pool, Box: w.Box, Jobs: jobs}
	w.Registry, err = identity.New(identity.Config{
		Pool: w.Pool, Box: w.Box, Jobs: jobs, SMS: w.Outbox, Say: w.Say,
		Cleaner:     &grant.Cleaner{Pool: w.Pool, Denials: w.Denials, Sessions: w.Sessions, Now: now},
		DeskAddress: "Nemiga 5", TemporaryFor: func() time.Duration { return 72 * time.Hour }, Failures: func() int { return 50 },
		Symbols: func() int { return identity.FewestSymbols },
		Issuer:  "https://id.example", UnblockTries: func() int { return 5 }, ClosedFor: func() time.Duration { return w.ClosedFor }, NotMeFor: func() time.Duration { return 240 * time.Hour }, FreezeFor: func() time.Duration { return 24 * time.Hour }, Shortest: func() int { return 12 }, Longest: func() int { return 128 }, Hashers: 2, Hashing: hashing.Here{},
		Cost:    func() identity.Cost { return identity.Cost{Memory: 19, Passes: 2, Lanes: 1} },
		Metrics: prometheus.NewRegistry(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// Say says words plainly and keeps what was said.
func (w *World) Say(language, key string, args map[string]any) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := []string{language, key}
	for _, name := range slices.Sorted(maps.Keys(args)) {
		w.said[name] = fmt.Sprint(args[name])
		text = append(text, name+"="+w.said[name])
	}
	return strings.Join(text, " ")
}

// Said is what was said last under a name: Password, Code. No room hands it out.
func (w *World) Said(name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said[name]
}

// Person puts somebody into the register.
func (w *World) Person(t *testing.T) (uuid.UUID, identity.Identifier) {
	t.Helper()
	w.people++
	number := fmt.Sprintf("7%06dA000PB", w.people)
	number += string(register.CheckDigit(number))
	id, err := identity.ParseIdentifier(number)
	if err != nil {
		t.Fatal(err)
	}
	person := uuid.Must(uuid.NewV7())
	w.Exec(t, `INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
		VALUES ($1, $2, 'F', '1956-03-08', 'BY', 1)`, person, number)
	return person, id
}

// Phone is the nth phone of the world.
func (w *World) Phone(t *testing.T, n int) identity.Phone {
	t.Helper()
	phone, err := identity.ParsePhone(fmt.Sprintf("+37529111%04d", n))
	if err != nil {
		t.Fatal(err)
	}
	return phone
}

// Assignment is what the person would be issued an identifier with.
func (w *World) Assignment(t *testing.T, person uuid.UUID, phone int) identity.Assignment {
	t.Helper()
	return identity.Assignment{
		Person: person, Phone: w.Phone(t, phone),
		Names:    identity.Names{Family: "Каваленка", Given: "Алена", Middle: "Пятроўна"},
		Document: identity.Document{Kind: "passport", Number: fmt.Sprintf("MP%07d", phone), ValidTill: "2030-01-01"},
	}
}

// Act is an act of a moment.
func Act(after time.Duration) identity.Act { return identity.Act{At: Noon.Add(after)} }

// Static is a good password.
const Static = "бусел ляціць на поўдзень 7"

// Issued is somebody with a temporary password.
func (w *World) Issued(t *testing.T) (uuid.UUID, identity.Identifier) {
	t.Helper()
	person, id := w.Person(t)
	if err := w.Registry.Issue(t.Context(), w.Assignment(t, person, w.people), Act(0)); err != nil {
		t.Fatal(err)
	}
	return person, id
}

// Active is somebody whose password is Static.
func (w *World) Active(t *testing.T) (uuid.UUID, identity.Identifier) {
	t.Helper()
	person, id := w.Issued(t)
	if err := w.Registry.Activate(t.Context(), person, Static, Act(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return person, id
}

// State reads how a person stands: a state, and after a colon why it is blocked.
func (w *World) State(t *testing.T, person uuid.UUID) string {
	t.Helper()
	i, err := w.Registry.Of(t.Context(), person)
	if err != nil {
		t.Fatal(err)
	}
	if i.BlockReason != "" {
		return string(i.State) + ":" + string(i.BlockReason)
	}
	return string(i.State)
}

// Count counts rows: of a table, or of whatever can follow FROM.
func (w *World) Count(t *testing.T, from string, args ...any) int {
	t.Helper()
	var n int
	if err := w.Pool.QueryRow(t.Context(), `SELECT count(*) FROM `+from, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Exec does what a test needs done.
func (w *World) Exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := w.Pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// Tables are those that an act upon an identifier writes to.
var Tables = []string{"identity", "not_me", "ended", "client_grant", "event", "sms_message", "river_job", "issuance", "desk_act", "paper", "superseded_paper", "desk_refusal", "phone_change", "policy", "clerk", "passkey", "authenticator", "recovery_codes", "security_block", "security_block_person", "restoration", "taken_back"}

// Contents gives all rows of Tables, to see that nothing has changed.
func (w *World) Contents(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, table := range Tables {
		var rows string
		err := w.Pool.QueryRow(t.Context(), `SELECT coalesce(string_agg(r::text, E'\n' ORDER BY r::text), '') FROM `+table+` r`).Scan(&rows)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(table + "\n" + rows + "\n")
	}
	return all.String()
}

// LoseEach does an act again and again, each time upon somebody new, and loses the answer to each of its COMMITs in turn: done, but
// reported failed. Who asks again is told of the one act, in the words of who heard the answer at once; and one act's is what is left.
// An act gives its name and what it says besides; what is left is told without names.
func (w *World) LoseEach(t *testing.T, anew func() (act func() (uuid.UUID, string, error), left func() string)) {
	t.Helper()
	act, left := anew()
	_, said, err := act()
	if err != nil {
		t.Fatal(err)
	}
	want := left()
	for n := 1; ; n++ {
		act, left := anew()
		mend := w.Trips.LoseCommit(n)
		_, _, err := act()
		if !mend() {
			if n == 1 {
				t.Fatal("nothing was committed")
			}
			return
		}
		if err == nil {
			t.Fatalf("the answer to COMMIT %d was heard", n)
		}
		id, again, err := act()
		if err != nil || again != said {
			t.Fatalf("COMMIT %d was lost; asked again: %q, %v, want %q", n, again, err, said)
		}
		same, again, err := act()
		if err != nil || again != said || same != id {
			t.Fatalf("COMMIT %d was lost; asked once more: %s, %q, %v, want %s, %q", n, same, again, err, id, said)
		}
		if got := left(); got != want {
			t.Fatalf("COMMIT %d was lost, and this is left:\n%s\nwant\n%s", n, got, want)
		}
	}
}

// Left tells what is recorded of a person and sent to them.
func (w *World) Left(t *testing.T, person uuid.UUID) string {
	t.Helper()
	const read = `
		SELECT coalesce(string_agg(word, E'\n' ORDER BY word), '') FROM (
			SELECT 'event ' || kind || coalesce(' ' || detail::text, '') FROM event WHERE person_id = $1
			UNION ALL
			SELECT 'message ' || kind || ' ' || state FROM sms_message WHERE person_id = $1
		) AS words (word)`
	var all string
	if err := w.Pool.QueryRow(t.Context(), read, person).Scan(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// BreakEach does an act again and again, breaking it at each statement in turn,
// until it is done: what fails leaves nothing, and the retry works.
func (w *World) BreakEach(t *testing.T, act func() error) {
	t.Helper()
	for n := 1; ; n++ {
		before := w.Contents(t)
		w.Trips.FailAt(n)
		err := act()
		w.Trips.FailAt(0)
		if err == nil {
			if n < 4 { // begin, at least one statement, commit
				t.Fatalf("done after %d statements", n-1)
			}
			return
		}
		if after := w.Contents(t); after != before {
			t.Fatalf("statement %d failed (%v), and this remains:\n%s\nof\n%s", n, err, after, before)
		}
	}
}
