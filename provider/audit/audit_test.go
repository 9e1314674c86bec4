package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/audit"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.UTC)

func record(t *testing.T, tx audit.Batcher, events ...audit.Event) {
	t.Helper()
	if err := audit.Record(t.Context(), tx, events...); err != nil {
		t.Fatal(err)
	}
}

func seal(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	if err := (&audit.Sealer{Pool: pool}).Seal(t.Context()); err != nil {
		t.Error(err)
	}
}

func signedIn(person uuid.UUID) audit.Event {
	return audit.Event{Kind: audit.SignedIn, At: noon, Person: person}
}

// What goes out is what was recorded, less who the clerk was; the names are the consumers' contract.
func TestAnEntryIsWhatWasRecorded(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	id := uuid.MustParse("019ac000-0000-7000-8000-000000000001")
	event := func(n byte) uuid.UUID { return uuid.UUID{6: 0x70, 8: 0x80, 15: n} }
	record(t, pool,
		audit.Event{
			ID: event(1), Kind: audit.IdentifierBlocked, At: noon, Person: id, Clerk: id, Office: "Minsk 1", ClientID: "desk", SID: "s", GID: id,
			ACR: "low", Agent: "Firefox, Linux", Detail: map[string]string{"reason": "desk"},
		},
		audit.Event{ID: event(2), Kind: audit.KeyCreated, At: noon},                        // nobody's business
		audit.Event{ID: event(3), Kind: audit.SignInRefused, At: noon},                     // nobody's
		audit.Event{ID: event(4), Kind: audit.EditionApplied, At: noon, Edition: 7},        // everybody's
		audit.Event{ID: event(5), Kind: audit.ClientRemoved, At: noon, ClientID: "portal"}, // whoever has its tokens must know
		audit.Event{ID: event(6), Kind: audit.DeskRefused, At: noon, Person: id, Clerk: id, Office: "Minsk 1", Detail: map[string]string{"act": "issuance", "code": "g6"}},
		audit.Event{ID: event(7), Kind: audit.DeskRefused, At: noon, Clerk: id, Detail: map[string]string{"code": "unknown_identifier"}}, // nobody's
		audit.Event{ID: event(8), Kind: audit.ClientChanged, At: noon, ClientID: "portal"},                                               // moves the cursor only
	)
	seal(t, pool)
	entries, cursor, err := audit.NewFeed(pool, pool).After(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[{"cursor":"1","id":"00000000-0000-7000-8000-000000000001","kind":"identifier.blocked","at":"2026-11-22T12:00:00.123456Z",` +
		`"person":"019ac000-0000-7000-8000-000000000001","client_id":"desk","office":"Minsk 1","staff":true,` +
		`"gid":"019ac000-0000-7000-8000-000000000001","sid":"s","acr":"low","agent":"Firefox, Linux","detail":{"reason":"desk"}},` +
		`{"cursor":"4","id":"00000000-0000-7000-8000-000000000004","kind":"edition.applied","at":"2026-11-22T12:00:00.123456Z","edition":7},` +
		`{"cursor":"5","id":"00000000-0000-7000-8000-000000000005","kind":"client.removed","at":"2026-11-22T12:00:00.123456Z","client_id":"portal"},` +
		`{"cursor":"6","id":"00000000-0000-7000-8000-000000000006","kind":"desk.refused","at":"2026-11-22T12:00:00.123456Z",` +
		`"person":"019ac000-0000-7000-8000-000000000001","office":"Minsk 1","staff":true,"detail":{"act":"issuance","code":"g6"}}]`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if cursor != 8 {
		t.Errorf("the cursor is %d", cursor)
	}
}

// While acts commit in any order and several nodes seal, a consumer that goes by
// its cursor sees every event once: a place is never given before one that is
// already visible, and places have no gaps.
func TestAConsumerMissesNothingHoweverActsOverlap(t *testing.T) {
	t.Parallel()
	const acts, each = 8, 25
	pool := pgtest.New(t)
	feed := audit.NewFeed(pool, pool)
	var running sync.WaitGroup
	for range acts {
		running.Go(func() {
			for range each {
				err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
					return audit.Record(t.Context(), tx, signedIn(uuid.New()), signedIn(uuid.New()))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	var sealing sync.WaitGroup
	for range 2 {
		sealing.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					seal(t, pool)
				}
			}
		})
	}
	seen := map[uuid.UUID]bool{}
	var cursor audit.Cursor
	for len(seen) < 2*acts*each && !t.Failed() {
		entries, next, err := feed.After(t.Context(), cursor, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if cursor++; e.Cursor != cursor || seen[e.Person] {
				t.Fatalf("place %d after %d, seen before: %t", e.Cursor, cursor-1, seen[e.Person])
			}
			seen[e.Person] = true
		}
		if cursor > next {
			t.Fatalf("to go on from %d after %d", next, cursor)
		}
	}
	running.Wait()
	close(done)
	sealing.Wait()
}

// An act is never held up by another one's event, nor a reader shown what may not come to pass.
func TestAnUncommittedEventHoldsUpNobody(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	slow, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, second := uuid.New(), uuid.New()
	record(t, slow, signedIn(second))
	record(t, pool, signedIn(first))
	seal(t, pool)
	feed := audit.NewFeed(pool, pool)
	check := func(want ...uuid.UUID) {
		t.Helper()
		entries, _, err := feed.After(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) != len(want) {
			t.Fatalf("got %d entries, want %d", len(entries), len(want))
		}
		for i, e := range entries {
			if e.Person != want[i] {
				t.Errorf("entry %d is another's", i)
			}
		}
	}
	check(first)
	if err := slow.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	seal(t, pool)
	check(first, second)
}

// A place is told when the sealer has come to it, and not before: a row that somebody has put behind the end of the
// chain is none of its records.
func TestNothingBehindTheEndOfTheChainIsTold(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	record(t, pool, signedIn(uuid.New()))
	seal(t, pool)
	const forge = `INSERT INTO event (id, place, at, kind, person_id, link) VALUES ($1, 2, $2, 'identifier.unblocked', $3, '\x00')`
	if _, err := pool.Exec(t.Context(), forge, uuid.Must(uuid.NewV7()), noon, uuid.New()); err != nil {
		t.Fatal(err)
	}
	entries, cursor, err := audit.NewFeed(pool, pool).After(t.Context(), 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 || entries[0].Kind != audit.SignedIn || cursor != 1 {
		t.Errorf("got %d entries to cursor %d, want the one before the end", len(entries), cursor)
	}
}

// Consumers begin behind place zero, so nothing can stand there: it would be told to nobody.
func TestPlacesBeginWithOne(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	const insert = `INSERT INTO event (id, place, at, kind, link) VALUES ($1, $2, $3, 'signed_in', '\x00')`
	for place, want := range map[int]string{-1: "event_place_is_one", 0: "event_place_is_one", 1: ""} {
		_, err := pool.Exec(t.Context(), insert, uuid.Must(uuid.NewV7()), place, noon)
		got := ""
		if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
			got = refused.ConstraintName
		}
		if got != want {
			t.Errorf("place %d: refused by %q, want %q", place, got, want)
		}
	}
}

// A consumer that waits hears at once; one that waits in vain, at the end of its time.
func TestWaitEndsWithNewsOrWithTime(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	feed := audit.NewFeed(pool, pool)
	ctx, stop := context.WithCancel(t.Context())
	var listening sync.WaitGroup
	listening.Go(func() {
		if err := feed.Listen(ctx); err != nil {
			t.Error(err)
		}
	})
	over, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if entries, cursor, err := feed.Wait(ctx, over, 0, 10); len(entries) != 0 || cursor != 0 || err != nil {
		t.Errorf("in vain: %v, %d, %v", entries, cursor, err)
	}
	for range 3 {
		var waiting sync.WaitGroup
		person := uuid.New()
		_, cursor, err := feed.After(ctx, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 { // more than there are connections
			waiting.Go(func() {
				entries, _, err := feed.Wait(ctx, ctx, cursor, 10)
				if err != nil || len(entries) != 1 || entries[0].Person != person {
					t.Errorf("got %v, %v", entries, err)
				}
			})
		}
		record(t, pool, audit.Event{Kind: audit.KeyCreated, At: noon})
		seal(t, pool) // moves the head and is not told: nobody is to wake for good
		record(t, pool, signedIn(person))
		seal(t, pool)
		waiting.Wait()
	}
	stop()
	listening.Wait()
	if _, _, err := feed.Wait(ctx, ctx, 6, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody asks any more: %v", err)
	}
	if _, _, err := feed.Wait(t.Context(), t.Context(), 7, 10); !errors.Is(err, audit.ErrCursor) {
		t.Errorf("where no event is yet: %v", err)
	}
}

// While events wait for their places, the feed does not say that there is nothing new.
func TestAStalledFeedSaysSo(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	feed := audit.NewFeed(pool, pool)
	record(t, pool, signedIn(uuid.New()))
	if _, _, err := feed.After(t.Context(), 0, 10); err != nil {
		t.Errorf("an event of this moment: %v", err)
	}
	const old = `INSERT INTO event (id, at, kind, edition) VALUES ('00000000-0000-7000-8000-000000000000', $1, 'edition.applied', 1)`
	if _, err := pool.Exec(t.Context(), old, noon); err != nil {
		t.Fatal(err)
	}
	if _, _, err := feed.After(t.Context(), 0, 10); !errors.Is(err, audit.ErrStalled) {
		t.Errorf("an event that waits for its place: %v", err)
	}
	seal(t, pool)
	if entries, _, err := feed.After(t.Context(), 0, 10); err != nil || len(entries) != 2 {
		t.Errorf("after the sealer: %v, %v", entries, err)
	}
}

func TestOnlyOurCursorsAreRead(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]audit.Cursor{"": 0, "0": 0, "17": 17} {
		if got, err := audit.ParseCursor(s); got != want || err != nil {
			t.Errorf("%q: %d, %v", s, got, err)
		}
	}
	for _, s := range []string{"-1", "1.0", "x", "9223372036854775807", "9223372036854775808", " 1", "1; DROP TABLE event"} {
		if got, err := audit.ParseCursor(s); err == nil {
			t.Errorf("%q is %d", s, got)
		}
	}
}

// Whatever comes for a cursor is one of ours, which reads as it is written, or none.
func FuzzCursor(f *testing.F) {
	for _, sent := range []string{"", "0", "17", "+17", "-0", "017", "9223372036854775808", "1_0", "\x00"} {
		f.Add(sent)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		cursor, err := audit.ParseCursor(sent)
		if err != nil {
			if !errors.Is(err, audit.ErrCursor) || cursor != 0 {
				t.Errorf("%q: %d, %v", sent, cursor, err)
			}
			return
		}
		text, err := cursor.MarshalText()
		if again, errAgain := audit.ParseCursor(string(text)); err != nil || errAgain != nil || again != cursor || cursor < 0 {
			t.Errorf("%q is read as %d, and that as %d", sent, cursor, again)
		}
	})
}
