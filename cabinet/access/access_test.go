package access_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/wall"
	"asoba.example/migrations/pgtest"
)

var now = time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC)

// provider answers for a provider; it counts how often it is asked.
type provider struct {
	active bool
	err    error
	asked  int
	till   time.Time // of the token that was put before it
}

func (p *provider) Active(_ context.Context, _ string, till time.Time) (bool, error) {
	p.asked++
	p.till = till
	return p.active, p.err
}

// A sign-in is let in, refused, or put before the provider, by what the feed said; and something is written exactly
// when it is let in. So with an act, which is done then and told of, in one with that.
func TestAdmit(t *testing.T) {
	t.Parallel()
	var (
		away   = errors.New("away")
		grant  = uuid.Must(uuid.NewV7())
		began  = now.Add(-time.Hour)
		silent = now.Add(-access.Silence)
	)
	for name, c := range map[string]struct {
		unknown  bool
		gone     profile.Reason
		ended    func(person uuid.UUID) access.Ended
		disabled []access.Disabled
		over     bool
		heard    time.Time
		provider provider
		want     access.Decision
		asked    int
		err      error
	}{
		"the feed speaks":                      {heard: now, want: access.Admit},
		"another grant ended":                  {heard: now, ended: func(uuid.UUID) access.Ended { return access.Ended{ID: uuid.New(), At: now} }, want: access.Admit},
		"an earlier sign-in ended":             {heard: now, ended: func(p uuid.UUID) access.Ended { return access.Ended{ID: p, At: began.Add(-time.Second)} }, want: access.Admit},
		"this very sign-in ended":              {heard: now, ended: func(p uuid.UUID) access.Ended { return access.Ended{ID: p, At: began} }, want: access.RefuseEnded},
		"the grant ended":                      {heard: now, ended: func(uuid.UUID) access.Ended { return access.Ended{ID: grant, At: began} }, want: access.RefuseEnded},
		"the client is disabled":               {heard: now, disabled: []access.Disabled{{ClientID: "service", Now: true, At: now}, {ClientID: "service", At: began}}, want: access.RefuseEnded},
		"who had it before is disabled":        {heard: now, disabled: []access.Disabled{{ClientID: "first", Now: true, At: now}}, want: access.RefuseEnded},
		"another client is disabled":           {heard: now, disabled: []access.Disabled{{ClientID: "other", Now: true, At: now}, {ClientID: "service", Now: true, At: began}, {ClientID: "service", At: now}}, want: access.Admit},
		"nobody we know, and vouched":          {heard: now, unknown: true, provider: provider{active: true}, want: access.RefuseUnknown, asked: 1},
		"nobody we know, and not vouched":      {heard: now, unknown: true, want: access.RefuseEnded, asked: 1},
		"nobody we know, nobody can tell":      {heard: now, unknown: true, provider: provider{err: away}, err: away, asked: 1},
		"deactivated":                          {heard: now, gone: profile.Death, want: access.RefuseDeactivated},
		"silence, and the provider vouches":    {heard: silent, provider: provider{active: true}, want: access.Admit, asked: 1},
		"silence, and the provider does not":   {heard: silent, provider: provider{}, want: access.RefuseEnded, asked: 1},
		"silence, and nobody can tell":         {heard: silent, provider: provider{err: away}, err: away, asked: 1},
		"silence, but the end was heard":       {heard: silent, ended: func(p uuid.UUID) access.Ended { return access.Ended{ID: p, At: now} }, want: access.RefuseEnded},
		"silence, and deactivated, vouched":    {heard: silent, gone: profile.Missing, provider: provider{active: true}, want: access.RefuseDeactivated, asked: 1},
		"silence, and the token is over":       {heard: silent, over: true, provider: provider{active: true}, want: access.Admit, asked: 1},
		"nobody we know, of a token long over": {heard: now, unknown: true, over: true, want: access.RefuseEnded, asked: 1},
		"silence, and of nobody that we know":  {heard: silent, unknown: true, provider: provider{active: true}, want: access.RefuseUnknown, asked: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := pgtest.NewCabinet(t)
			person := uuid.Must(uuid.NewV7())
			write(t, pool, func(ctx context.Context, tx pgx.Tx) error {
				if !c.unknown {
					err := profile.Apply(ctx, tx, []profile.Person{{
						ID: person, Number: "0000000A000PB2", Sex: "F", BirthDate: "1956", Citizenship: "BY", Gone: c.gone,
					}}, began)
					if err != nil {
						return err
					}
				}
				if c.ended != nil {
					if err := access.End(ctx, tx, []access.Ended{c.ended(person)}, began.Add(-time.Hour)); err != nil {
						return err
					}
				}
				if err := access.Disable(ctx, tx, c.disabled); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, `UPDATE follow SET heard_at = $1`, c.heard)
				return err
			})
			gate := access.Gate{Pool: pgtest.With(t, pool, wall.Settings()), Provider: &c.provider}
			question := access.Question{
				Subject: "0000000A000PB2", Grant: grant, AuthTime: began, Till: now.Add(time.Minute), At: now,
				Kind: journal.ProfileRead, ClientID: "service", Via: []string{"first", "second"},
			}
			if c.over {
				question.Till = now
			}
			got, err := gate.Admit(t.Context(), question, "token", nil)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("got %q, %v; want %q, %v", got, err, c.want, c.err)
			}
			if c.provider.asked != c.asked || c.asked > 0 && !c.provider.till.Equal(question.Till) {
				t.Errorf("the provider was asked %d times, want %d; last of a token till %s", c.provider.asked, c.asked, c.provider.till)
			}
			want := ""
			if c.want == access.Admit {
				want = "cabinet.activated profile.read"
			}
			if got := kinds(t, pool); got != want {
				t.Errorf("the journal says %q, want %q", got, want)
			}

			const done = `INSERT INTO disabled_client (client_id, disabled, at) VALUES ('done', false, $1)`
			told := false
			got, err = gate.Act(t.Context(), question, "token", func(b *pgx.Batch) { b.Queue(done, now) }, func(context.Context, pgx.Tx) error {
				told = true
				return nil
			})
			var did bool
			if err := pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM disabled_client WHERE client_id = 'done')`).Scan(&did); err != nil {
				t.Fatal(err)
			}
			if admitted := c.want == access.Admit; got != c.want || !errors.Is(err, c.err) || did != admitted || told != admitted {
				t.Errorf("an act: got %q, %v, done %v, told %v; want %q, %v", got, err, did, told, c.want, c.err)
			}
		})
	}
}

// The cabinet is activated by the first right token and by no later one.
func TestActivationHappensOnce(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	write(t, pool, func(ctx context.Context, tx pgx.Tx) error {
		err := profile.Apply(ctx, tx, []profile.Person{{
			ID: uuid.Must(uuid.NewV7()), Number: "0000000A000PB2", Sex: "F", BirthDate: "1956", Citizenship: "BY",
		}}, now)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE follow SET heard_at = $1`, now)
		return err
	})
	gate := access.Gate{Pool: pgtest.With(t, pool, wall.Settings())}
	for range 3 {
		var found profile.Profile
		q := access.Question{Subject: "0000000A000PB2", AuthTime: now, At: now}
		got, err := gate.Admit(t.Context(), q, "token", func(b *pgx.Batch) { profile.Queue(b, q.Subject, &found) })
		if got != access.Admit || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
		if found.State != profile.Activated || !found.StateAt.Equal(now) {
			t.Errorf("the cabinet is %s since %s", found.State, found.StateAt)
		}
	}
	if got, want := kinds(t, pool), "cabinet.activated"; got != want {
		t.Errorf("the journal says %q, want %q", got, want)
	}
}

// Activation, its entry, and that sources are asked of who was activated are one act: where one of them cannot be written, nobody is let in and
// none of it is there; then all of it is.
func TestActivationLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	write(t, pool, func(ctx context.Context, tx pgx.Tx) error {
		err := profile.Apply(ctx, tx, []profile.Person{{
			ID: uuid.Must(uuid.NewV7()), Number: "0000000A000PB2", Sex: "F", BirthDate: "1956", Citizenship: "BY",
		}}, now)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			WITH heard AS (UPDATE follow SET heard_at = $1)
			INSERT INTO source (name, title, basis, in_force) VALUES ('documents', '{}', '{}', true)`, now)
		return err
	})
	gate := access.Gate{Pool: pgtest.With(t, pool, wall.Settings())}
	admit := func() (access.Decision, error) {
		q := access.Question{Subject: "0000000A000PB2", AuthTime: now, At: now, Kind: journal.ProfileRead, ClientID: "service"}
		return gate.Admit(t.Context(), q, "token", nil)
	}
	check := func(want string) {
		t.Helper()
		var state string
		var asked int
		const find = `SELECT state, (SELECT count(*) FROM refresh) FROM cabinet`
		if err := pool.QueryRow(t.Context(), find).Scan(&state, &asked); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(state, ", asked ", asked, ", ", kinds(t, pool)); got != want {
			t.Errorf("it is %s; want %s", got, want)
		}
	}
	for _, fault := range []struct{ verb, table string }{{"UPDATE", "cabinet"}, {"INSERT", "journal"}, {"INSERT", "refresh"}} {
		heal := pgtest.FailOn(t, pool, fault.verb, fault.table)
		if decision, err := admit(); err == nil {
			t.Errorf("%s over a broken %s", decision, fault.table)
		}
		heal()
		check("not_activated, asked 0, ")
	}
	if decision, err := admit(); decision != access.Admit || err != nil {
		t.Fatalf("healed: %q, %v", decision, err)
	}
	check("activated, asked 1, cabinet.activated profile.read")
}

// A sign-in is over with the number that it was under, whoever has that number now; and whoever is given it later is let in by their own.
func TestASignInIsOverWithItsNumber(t *testing.T) {
	t.Parallel()
	const one, two, three = "0000000A000PB2", "1000000A000PB0", "7000000A000PB1"
	pool := pgtest.NewCabinet(t)
	gate := access.Gate{Pool: pgtest.With(t, pool, wall.Settings()), Provider: &provider{active: true}}
	anna, boris := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	numbered := func(person uuid.UUID, number string, at time.Time) {
		t.Helper()
		write(t, pool, func(ctx context.Context, tx pgx.Tx) error {
			err := profile.Apply(ctx, tx, []profile.Person{{ID: person, Number: number, Sex: "F", BirthDate: "1956", Citizenship: "BY"}}, at)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `UPDATE follow SET heard_at = $1`, now)
			return err
		})
	}
	admits := func(number string, authTime time.Time, want access.Decision) {
		t.Helper()
		got, err := gate.Admit(t.Context(), access.Question{Subject: number, AuthTime: authTime, At: now}, "token", nil)
		if got != want || err != nil {
			t.Errorf("%s, signed in %s before: got %q, %v, want %q", number, now.Sub(authTime), got, err, want)
		}
	}
	at := func(hour int) time.Time { return now.Add(time.Duration(hour-10) * time.Hour) }

	numbered(anna, one, at(0))
	admits(one, at(1), access.Admit)
	numbered(anna, two, at(2))
	admits(one, at(1), access.RefuseEnded)
	admits(one, at(2), access.RefuseEnded)
	admits(one, at(3), access.RefuseUnknown) // whose it is by then, nobody has told yet
	admits(two, at(3), access.Admit)
	numbered(boris, one, at(4))
	admits(one, at(1), access.RefuseEnded)
	admits(one, at(5), access.Admit)
	numbered(boris, two, at(6)) // and of Anna's third number a page is yet to come
	for range 2 {
		admits(one, at(5), access.RefuseEnded)
		admits(two, at(3), access.RefuseEnded)
		admits(two, at(7), access.Admit)
		numbered(anna, three, at(6))
	}
	admits(three, at(7), access.Admit)
	write(t, pool, func(ctx context.Context, tx pgx.Tx) error {
		return access.End(ctx, tx, []access.Ended{{ID: uuid.New(), At: now}}, at(6).Add(time.Second))
	})
	var kept int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM ended_number`).Scan(&kept); err != nil || kept != 0 {
		t.Errorf("%d numbers are kept though nothing can rest on them, %v", kept, err)
	}
}

// What was doubted of a number stays so until it is another's once more, of which was told when.
func TestANumberIsDoubtedUntilItIsSure(t *testing.T) {
	t.Parallel()
	const number = "0000000A000PB2"
	pool := pgtest.NewCabinet(t)
	asked := &provider{active: true}
	gate := access.Gate{Pool: pgtest.With(t, pool, wall.Settings()), Provider: asked}
	before := func(minutes int) time.Time { return now.Add(time.Duration(-minutes) * time.Minute) }
	for _, step := range []struct {
		story  string
		at     time.Time
		doubts bool
		want   access.Decision
		asked  int
	}{
		{"it was another's", before(30), false, access.RefuseEnded, 0},
		{"nobody knows since when", before(20), true, access.RefuseUnknown, 1},
		{"that is told once more", before(20), true, access.RefuseUnknown, 2},
		{"what was before is told", before(25), false, access.RefuseUnknown, 3},
		{"it is another's again", before(10), false, access.RefuseEnded, 3},
	} {
		write(t, pool, func(ctx context.Context, tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `UPDATE follow SET heard_at = $1`, now); err != nil {
				return err
			}
			err := access.EndNumbers(ctx, tx, []string{number}, step.at)
			if err == nil && step.doubts {
				err = access.Doubt(ctx, tx, step.at)
			}
			return err
		})
		got, err := gate.Admit(t.Context(), access.Question{Subject: number, AuthTime: before(40), At: now}, "token", nil)
		if got != step.want || err != nil || asked.asked != step.asked {
			t.Errorf("%s: got %q, %v, asked %d times; want %q, %d", step.story, got, err, asked.asked, step.want, step.asked)
		}
	}
}

// The later end counts, and what nothing can rest on any more is forgotten.
func TestEndKeepsTheLater(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	one, old := uuid.New(), uuid.New()
	end := func(before time.Time, ended ...access.Ended) {
		write(t, pool, func(ctx context.Context, tx pgx.Tx) error { return access.End(ctx, tx, ended, before) })
	}
	end(now.Add(-2*time.Hour), access.Ended{ID: old, At: now.Add(-time.Hour)}, access.Ended{ID: one, At: now}, access.Ended{ID: one, At: now.Add(-time.Minute)})
	end(now.Add(-time.Minute), access.Ended{ID: one, At: now.Add(-time.Minute)}, access.Ended{ID: uuid.New(), At: now.Add(-time.Hour)})
	rows, err := pool.Query(t.Context(), `SELECT id, at FROM ended`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowToStructByPos[access.Ended])
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].ID != one || !got[0].At.Equal(now) {
		t.Errorf("got %v, want %s at %s alone", got, one, now)
	}
}

func write(t *testing.T, pool *pgxpool.Pool, act func(ctx context.Context, tx pgx.Tx) error) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error { return act(t.Context(), tx) })
	if err != nil {
		t.Fatal(err)
	}
}

// kinds are the kinds of the journal's entries, oldest first.
func kinds(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	var all string
	err := pool.QueryRow(t.Context(), `SELECT coalesce(string_agg(kind, ' ' ORDER BY id), '') FROM journal`).Scan(&all)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// A door that let one person in and asks for another by mistake is given nothing, and one that asks for all, what is that person's.
func TestADoorIsGivenOnlyWhatIsTheTokens(t *testing.T) {
	t.Parallel()
	const anna, boris = "0000000A000PB2", "1000000A000PB0"
	pool := pgtest.NewCabinet(t)
	write(t, pool, func(ctx context.Context, tx pgx.Tx) error {
		var people []profile.Person
		for _, number := range []string{anna, boris} {
			people = append(people, profile.Person{ID: uuid.Must(uuid.NewV7()), Number: number, Sex: "F", BirthDate: "1956", Citizenship: "BY"})
		}
		if err := profile.Apply(ctx, tx, people, now); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE follow SET heard_at = $1`, now)
		return err
	})
	gate := access.Gate{Pool: pgtest.With(t, pool, wall.Settings())}
	var (
		another profile.Profile
		entries []uuid.UUID
	)
	for _, subject := range []string{anna, boris} {
		q := access.Question{Subject: subject, AuthTime: now, At: now}
		got, err := gate.Admit(t.Context(), q, "token", func(b *pgx.Batch) {
			if subject == anna {
				profile.Queue(b, boris, &another)
			}
			b.Queue(`SELECT person_id FROM journal`).Query(func(rows pgx.Rows) (err error) {
				entries, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
				return err
			})
		})
		if got != access.Admit || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
		if len(entries) != 1 || another.State != "" {
			t.Errorf("%s was given %d entries, and another's profile: %v", subject, len(entries), another.State != "")
		}
	}
}
