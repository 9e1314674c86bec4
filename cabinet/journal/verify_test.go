package journal_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/keys"
	"asoba.example/cabinet/profile"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/seal"
)

// record is a journal of two months, sealed and signed for.
type record struct {
	pool  *pgxpool.Pool
	ring  keys.Ring
	kept  []string // roots that somebody has kept
	clock time.Time
}

func newRecord(t *testing.T) *record {
	t.Helper()
	r := &record{pool: pgtest.NewCabinet(t), clock: now}
	box, err := seal.Open(t.Context(), r.pool, []byte("01234567890123456789012345678901"), now)
	if err != nil {
		t.Fatal(err)
	}
	r.ring = keys.Ring{Pool: r.pool, Box: box, Now: r.now}
	detail := map[string]string{"purpose": "visit", "b": "д"}
	for day, add := range []func(context.Context, pgx.Tx, []journal.Entry) error{journal.Append, journal.AppendInPlace, journal.Append} {
		write(t, r.pool, func(ctx context.Context, tx pgx.Tx) error {
			return add(ctx, tx, []journal.Entry{
				{ID: idOf(10*day + 1), Person: idOf(99), At: now.AddDate(0, -1, 0), Kind: "signed_in", Actor: journal.Self, ACR: "low", Agent: "Firefox, Linux"},
				{ID: idOf(10*day + 2), Person: idOf(99), At: now, Kind: "desk.looked_up", Actor: journal.Staff, Office: "17", Detail: detail},
				{ID: idOf(10*day + 3), Person: idOf(98), At: now.Add(time.Microsecond), Kind: "grant.given", Actor: journal.Self, ClientID: "pension"},
			})
		})
		r.seal(t)
		r.clock = r.clock.AddDate(0, 0, 1)
	}
	return r
}

func idOf(n int) uuid.UUID { return uuid.MustParse(fmt.Sprintf("019ac000-0000-7000-8000-%012d", n)) }

func (r *record) now() time.Time { return r.clock }

func (r *record) roots() journal.Roots {
	return journal.Roots{Pool: r.pool, Issuer: "https://cabinet.example", Sign: r.ring.Sign, Now: r.now}
}

// seal gives places and signs for them, and somebody keeps the roots.
func (r *record) seal(t *testing.T) {
	t.Helper()
	for range 2 { // the second does nothing
		if err := errors.Join((journal.Sealer{Pool: r.pool}).Seal(t.Context()), r.roots().SignToday(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if r.kept, err = r.roots().List(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (r *record) verify(t *testing.T, kept []string) (journal.Proof, error) {
	t.Helper()
	return journal.Verifier{Pool: r.pool, Key: r.ring.Find, Now: r.now}.Verify(t.Context(), kept)
}

// forge changes the record as whoever owns the database can.
func (r *record) forge(t *testing.T, statements ...string) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), r.pool, func(tx pgx.Tx) error {
		for _, statement := range append([]string{`ALTER TABLE journal DISABLE TRIGGER USER`}, statements...) {
			if _, err := tx.Exec(t.Context(), statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What was written is proved; whatever is changed, taken out or put in is found, and its place named. What a forger makes whole again the roots
// that somebody has kept still tell.
func TestOneByteThatIsAnotherIsFound(t *testing.T) {
	t.Parallel()
	id := func(n int) string { return "'" + idOf(n).String() + "'" }
	for name, c := range map[string]struct {
		forge []string
		kept  bool // it takes kept roots to find it
		years int  // that have gone by since
		month string
		place int64
		why   string
	}{
		"nothing":                {},
		"a kind":                 {forge: []string{`UPDATE journal SET kind = 'signed_iN' WHERE id = ` + id(11)}, month: "2026-04", place: 2, why: "not what was written"},
		"a detail":               {forge: []string{`UPDATE journal SET detail = detail || '{"b": "г"}' WHERE id = ` + id(2)}, month: "2026-05", place: 1, why: "not what was written"},
		"a person":               {forge: []string{`UPDATE journal SET person_id = ` + id(98) + ` WHERE id = ` + id(12)}, month: "2026-05", place: 3, why: "not what was written"},
		"a microsecond":          {forge: []string{`UPDATE journal SET at = at + interval '1 microsecond' WHERE id = ` + id(1)}, month: "2026-04", place: 1, why: "not what was written"},
		"an office for an acr":   {forge: []string{`UPDATE journal SET office = acr, acr = office WHERE id = ` + id(2)}, month: "2026-05", place: 1, why: "not what was written"},
		"one taken out":          {forge: []string{`DELETE FROM journal WHERE id = ` + id(12)}, month: "2026-05", place: 3, why: "missing before it"},
		"the last taken":         {forge: []string{`DELETE FROM journal WHERE id = ` + id(21)}, month: "2026-04", place: 3, why: "there is no entry"},
		"one moved":              {forge: []string{`UPDATE journal SET at = at - interval '1 month' WHERE id = ` + id(12)}, month: "2026-04", why: "it is"},
		"one put behind":         {forge: []string{`INSERT INTO journal (id, person_id, at, kind, actor, place, link) VALUES (` + id(70) + `, ` + id(99) + `, '2026-05-13', 'signed_in', 'self', 7, '\x00')`}, month: "2026-05", place: 7, why: "behind the end"},
		"another's end":          {forge: []string{`UPDATE journal_head SET link = sha256('') WHERE month = '2026-05-01'`}, month: "2026-05", place: 6, why: "the end of the chain is another"},
		"a month taken":          {forge: []string{`DROP TABLE journal_2026_04`, `DELETE FROM journal_head WHERE month = '2026-04-01'`}, month: "2026-04", why: "entries that are not there"},
		"a root for another day": {forge: []string{`UPDATE journal_root SET day = '2026-05-20' WHERE day = '2026-05-13'`}, month: "2026-05", why: "signed as another"},
		"all linked anew": {forge: []string{
			`DELETE FROM journal_root`, `UPDATE journal SET kind = 'signed_out' WHERE id = ` + id(1), `UPDATE journal SET place = NULL, link = NULL`, `DELETE FROM journal_head`,
		}, kept: true, month: "2026-04", place: 1, why: "says otherwise"},
		"one of a month whose time is over": {forge: []string{
			`UPDATE journal SET kind = 'signed_out' WHERE id = ` + id(1), `DELETE FROM journal_head WHERE month = '2026-04-01'`,
		}, years: 7, month: "2026-04", place: 1, why: "behind the end"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecord(t)
			if c.forge != nil {
				r.forge(t, c.forge...)
			}
			r.clock = r.clock.AddDate(c.years, 0, 0)
			if c.kept {
				if err := (journal.Sealer{Pool: r.pool}).Seal(t.Context()); err != nil {
					t.Fatal(err)
				}
				if _, err := r.verify(t, nil); err != nil {
					t.Errorf("without the roots: %v", err)
				}
			}
			proof, err := r.verify(t, r.kept)
			broken := new(journal.Break)
			switch {
			case c.why == "":
				if want := (journal.Proof{Months: 2, Entries: 9, Roots: 6}); err != nil || proof != want {
					t.Errorf("%+v, %v; want %+v", proof, err, want)
				}
			case !errors.As(err, &broken) || broken.Month != c.month || c.place != 0 && broken.Place != c.place || !strings.Contains(broken.Why, c.why):
				t.Errorf("got %v, want %s in %s at %d", err, c.why, c.month, c.place)
			}
		})
	}
}

// A month goes when its time is over, and not before, and with it what profiles were before they changed in it, and what was reported in it; the
// others are still proved, and nobody can pass off another one's absence as that.
func TestAMonthGoesWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	april := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	drop := func(at time.Time, kept int) error {
		return journal.Drop(t.Context(), r.pool, april, kept, at, profile.Forget)
	}
	write(t, r.pool, func(ctx context.Context, tx pgx.Tx) error {
		return journal.Append(ctx, tx, []journal.Entry{
			{ID: idOf(50), Person: idOf(99), At: april.AddDate(0, 0, 20), Kind: journal.ProfileChanged, Actor: journal.System},
			{ID: idOf(51), Person: idOf(99), At: now, Kind: journal.ProfileChanged, Actor: journal.System},
		})
	})
	r.seal(t)
	for _, keep := range []string{ // of an entry of each month what was before it, and a report that was made in it
		`INSERT INTO cabinet (person_id, state, state_at, sex, birth_date, citizenship, updated_at, created_at)
		 SELECT DISTINCT person_id, 'activated', now(), 'F', '1956', 'BY', now(), now() FROM journal`,
		`INSERT INTO profile_change (entry_id, person_id) SELECT id, person_id FROM journal WHERE kind = 'profile.changed'`,
		`INSERT INTO report (entry_id, entry_at, person_id, at) SELECT id, at - interval '3 months', person_id, at FROM journal WHERE kind = 'profile.changed'`,
	} {
		if _, err := r.pool.Exec(t.Context(), keep); err != nil {
			t.Fatal(err)
		}
	}
	left := func(want int) {
		t.Helper()
		for _, table := range []string{"profile_change", "report"} {
			var n int
			if err := r.pool.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil || n != want {
				t.Errorf("%d rows of %s are left, %v, want %d", n, table, err, want)
			}
		}
	}
	if err := drop(time.Date(2033, 4, 30, 23, 0, 0, 0, time.UTC), 7); !errors.Is(err, journal.ErrKept) {
		t.Errorf("too early: %v", err)
	}
	if err := drop(time.Date(2031, 4, 30, 23, 0, 0, 0, time.UTC), 0); !errors.Is(err, journal.ErrKept) {
		t.Errorf("whatever is set: %v", err)
	}
	left(2)
	r.clock = time.Date(2033, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, table := range []string{"profile_change", "journal_head", "report"} {
		heal := pgtest.FailOn(t, r.pool, "DELETE", table)
		if err := drop(r.clock, 7); err == nil {
			t.Fatalf("dropped over a broken %s", table)
		}
		heal()
		left(2)
		if proof, err := r.verify(t, r.kept); err != nil || proof.Months != 2 || proof.Dropped != 0 {
			t.Errorf("over a broken %s: %+v, %v", table, proof, err)
		}
	}
	if err := drop(r.clock, 7); err != nil {
		t.Fatal(err)
	}
	left(1)
	if err := drop(r.clock, 7); !errors.Is(err, journal.ErrNoMonth) {
		t.Errorf("again: %v", err)
	}
	proof, err := r.verify(t, r.kept)
	if want := (journal.Proof{Months: 1, Entries: 7, Roots: 8, Dropped: 1}); err != nil || proof != want {
		t.Errorf("%+v, %v; want %+v", proof, err, want)
	}
	// Its table is not made again.
	if err := journal.MakeMonths(t.Context(), r.pool, r.clock); err != nil {
		t.Fatal(err)
	}
	if first, err := journal.Earliest(t.Context(), r.pool); err != nil || first.Format("2006-01") != "2026-01" {
		t.Errorf("the earliest is %s, %v", first, err)
	}
}

// A root that cannot be kept, and one for which the first key cannot, is not there, and is signed later.
func TestARootIsKeptOrNotSigned(t *testing.T) {
	t.Parallel()
	r := &record{pool: pgtest.NewCabinet(t), clock: now}
	box, err := seal.Open(t.Context(), r.pool, []byte("01234567890123456789012345678901"), now)
	if err != nil {
		t.Fatal(err)
	}
	r.ring = keys.Ring{Pool: r.pool, Box: box, Now: r.now}
	write(t, r.pool, func(ctx context.Context, tx pgx.Tx) error {
		return journal.Append(ctx, tx, []journal.Entry{{ID: idOf(1), Person: idOf(99), At: now, Kind: "signed_in", Actor: journal.Self}})
	})
	if err := (journal.Sealer{Pool: r.pool}).Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"signing_key", "journal_root"} {
		heal := pgtest.FailOn(t, r.pool, "INSERT", table)
		if err := r.roots().SignToday(t.Context()); err == nil {
			t.Errorf("signed over a broken %s", table)
		}
		heal()
		if roots, err := r.roots().List(t.Context()); err != nil || len(roots) != 0 {
			t.Errorf("over a broken %s: %d roots, %v", table, len(roots), err)
		}
	}
	r.seal(t)
	set, err := r.ring.Public(t.Context()) // the root is proved twice: as it is there, and as somebody has kept it
	if proof, wrong := r.verify(t, r.kept); err != nil || wrong != nil || proof.Roots != 2 || len(set.Keys) != 1 {
		t.Errorf("healed: %+v, %v, %d keys, %v", proof, wrong, len(set.Keys), err)
	}
}

// No act waits for the sealer, nor the sealer for an act: what is not committed yet gets its place afterwards.
func TestNoActWaitsForTheSealer(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	entry := []journal.Entry{{Person: idOf(97), At: now, Kind: "signed_in", Actor: journal.Self}}
	write(t, r.pool, func(ctx context.Context, tx pgx.Tx) error { // in the middle of an act
		if err := journal.Append(ctx, tx, entry); err != nil {
			return err
		}
		if err := (journal.Sealer{Pool: r.pool}).Seal(ctx); err != nil {
			return err
		}
		return pgx.BeginFunc(ctx, r.pool, func(other pgx.Tx) error { return journal.Append(ctx, other, entry) })
	})
	proof, err := r.verify(t, nil)
	if err != nil || proof.Waiting != 2 {
		t.Errorf("%+v, %v", proof, err)
	}
	r.seal(t)
	if proof, err = r.verify(t, r.kept); err != nil || proof.Waiting != 0 || proof.Entries != 11 {
		t.Errorf("%+v, %v", proof, err)
	}
}

// An entry of a month that was not made yet is there from the first, and goes into its month when that is made, as it was and with its place; what
// stays where it was can still not be taken out.
func TestAnEarlyEntryGoesIntoItsMonth(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	soon := time.Now().UTC().AddDate(0, 6, 0) // months are made for three
	add := func(n int) {
		t.Helper()
		write(t, r.pool, func(ctx context.Context, tx pgx.Tx) error {
			return journal.Append(ctx, tx, []journal.Entry{
				{ID: idOf(n), Person: idOf(99), At: soon, Kind: "signed_in", Actor: journal.Self},
				{ID: idOf(n + 1), Person: idOf(99), At: soon.AddDate(3, 0, 0), Kind: "signed_in", Actor: journal.Self},
			})
		})
	}
	add(200)
	r.seal(t)
	add(300) // without a place
	for range 2 {
		if err := journal.MakeMonths(t.Context(), r.pool, time.Now().AddDate(0, 5, 0)); err != nil {
			t.Fatal(err)
		}
	}
	const in = `SELECT count(*) FROM journal WHERE tableoid = $1::regclass AND at = $2`
	for part, at := range map[string]time.Time{"journal_" + soon.Format("2006_01"): soon, "journal_otherwise": soon.AddDate(3, 0, 0)} {
		var n int
		if err := r.pool.QueryRow(t.Context(), in, part, at.Truncate(time.Microsecond)).Scan(&n); err != nil || n != 2 {
			t.Errorf("%d entries in %s, %v, want 2", n, part, err)
		}
	}
	r.seal(t)
	if _, err := r.verify(t, r.kept); err != nil {
		t.Errorf("what was moved is not proved: %v", err)
	}
	for _, table := range []string{"journal_otherwise", "journal_" + soon.Format("2006_01")} {
		if _, err := r.pool.Exec(t.Context(), `DELETE FROM `+table); err == nil {
			t.Errorf("entries of %s were taken out", table)
		}
	}
}

// Whoever reads the whole journal for long is in the way of a month that is made, or taken out; acts are not held up behind that, which is given up
// soon, and done at the next try.
func TestNoActWaitsBehindAMonthForAReader(t *testing.T) {
	t.Parallel()
	r := newRecord(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	later := time.Now().AddDate(0, 5, 0)
	over := time.Date(2033, 5, 1, 0, 0, 0, 0, time.UTC)
	for name, do := range map[string]func() error{
		"make": func() error { return journal.MakeMonths(ctx, r.pool, later) },
		"drop": func() error { return journal.Drop(ctx, r.pool, over.AddDate(-7, -1, 0), 7, over, profile.Forget) },
	} {
		reader, err := r.pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := reader.Exec(t.Context(), `SELECT count(*) FROM journal`); err != nil {
			t.Fatal(err)
		}
		var refused *pgconn.PgError
		if err := do(); !errors.As(err, &refused) || refused.Code != "55P03" { // lock_not_available
			t.Errorf("%s, while somebody reads: %v", name, err)
		}
		write(t, r.pool, func(ctx context.Context, tx pgx.Tx) error {
			return journal.Append(ctx, tx, []journal.Entry{{Person: idOf(97), At: now, Kind: "signed_in", Actor: journal.Self}})
		})
		if err := reader.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := do(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
