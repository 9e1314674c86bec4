package audit_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/audit"
)

// A ledger is a database with events, and what signs its roots.
type ledger struct {
	pool *pgxpool.Pool
	key  *ecdsa.PrivateKey
	now  time.Time
}

func newLedger(t *testing.T) *ledger {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &ledger{pool: pgtest.New(t), key: key, now: noon}
}

func (l *ledger) sign(typ string, claims any) (string, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: l.key, KeyID: "one"}},
		new(jose.SignerOptions).WithType(jose.ContentType(typ)))
	if err != nil {
		return "", err
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return jws.CompactSerialize()
}

func (l *ledger) find(context.Context, string) (jose.JSONWebKey, error) {
	return jose.JSONWebKey{Key: l.key.Public()}, nil
}

func (l *ledger) roots() audit.Roots {
	return audit.Roots{Pool: l.pool, Issuer: "https://idp.example", Sign: l.sign, Now: func() time.Time { return l.now }}
}

// aDay passes: people sign in, clerks act, a client changes; at its end the root is signed.
func (l *ledger) aDay(t *testing.T) {
	t.Helper()
	person := uuid.New()
	record(t, l.pool, signedIn(person), audit.Event{
		Kind: audit.IdentifierBlocked, At: l.now, Person: person, Clerk: uuid.New(), Office: "Мінск 1", ClientID: "desk", SID: "s", GID: uuid.New(),
		ACR: "low", Agent: "Firefox, Linux", Edition: 7, Detail: map[string]string{"reason": "desk", "after": `{"a":"b"}`},
	})
	seal(t, l.pool)
	record(t, l.pool, audit.Event{Kind: audit.KeyCreated, At: l.now})
	seal(t, l.pool)
	if err := l.roots().SignToday(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.now = l.now.Add(24 * time.Hour)
}

func (l *ledger) verify(t *testing.T, kept ...string) (audit.Proof, error) {
	t.Helper()
	return audit.Verifier{Pool: l.pool, Key: l.find, Now: func() time.Time { return l.now }}.Verify(t.Context(), kept, func(int64, int64) {})
}

// tamper changes rows as only the owner of the tables can.
func (l *ledger) tamper(t *testing.T, statement string) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), l.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `ALTER TABLE event DISABLE TRIGGER USER`); err != nil {
			return err
		}
		tag, err := tx.Exec(t.Context(), statement)
		if err == nil && tag.RowsAffected() == 0 {
			t.Errorf("nothing was done by %s", statement)
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(t.Context(), `ALTER TABLE event ENABLE TRIGGER USER`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What nobody has touched comes out, whatever is in it, to the last event and through every root.
func TestTheChainComesOut(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	if proof, err := l.verify(t); err != nil || proof != (audit.Proof{}) {
		t.Errorf("with nothing in it: %+v, %v", proof, err)
	}
	for range 3 {
		l.aDay(t)
	}
	if err := l.roots().SignToday(t.Context()); err != nil { // twice a day is once
		t.Fatal(err)
	}
	l.now = l.now.Add(time.Hour)
	if err := l.roots().SignToday(t.Context()); err != nil {
		t.Fatal(err)
	}
	record(t, l.pool, signedIn(uuid.New())) // not in its place yet
	if proof, err := l.verify(t); err != nil || proof.To != 9 || proof.Roots != 4 || proof.Signed.IsZero() {
		t.Errorf("got %+v, %v", proof, err)
	}
}

// One changed byte in any column of any event is found, where it is; so is an event that is taken out, put in, or moved.
func TestTheFirstBreakIsNamed(t *testing.T) {
	t.Parallel()
	const other = `'018f0000-0000-7000-8000-000000000009'`
	for statement, want := range map[string]audit.Cursor{
		`UPDATE event SET id = id WHERE place = 9`:                                                                          0, // nothing
		`UPDATE event SET id = ` + other + ` WHERE place = 5`:                                                               5,
		`UPDATE event SET at = at + interval '1 microsecond' WHERE place = 5`:                                               5,
		`UPDATE event SET kind = 'signed_ip' WHERE place = 4`:                                                               4,
		`UPDATE event SET person_id = ` + other + ` WHERE place = 4`:                                                        4,
		`UPDATE event SET person_id = NULL WHERE place = 4`:                                                                 4,
		`UPDATE event SET clerk_id = ` + other + ` WHERE place = 5`:                                                         5,
		`UPDATE event SET clerk_id = ` + other + ` WHERE place = 4`:                                                         4,
		`UPDATE event SET office = 'Мінск 2' WHERE place = 5`:                                                               5,
		`UPDATE event SET office = '' WHERE place = 4`:                                                                      4,
		`UPDATE event SET office = NULL, client_id = 'Мінск 1desk' WHERE place = 5`:                                         5,
		`UPDATE event SET client_id = 'Desk' WHERE place = 5`:                                                               5,
		`UPDATE event SET sid = 't' WHERE place = 5`:                                                                        5,
		`UPDATE event SET gid = ` + other + ` WHERE place = 5`:                                                              5,
		`UPDATE event SET acr = 'high' WHERE place = 5`:                                                                     5,
		`UPDATE event SET agent = 'Chrome, Linux' WHERE place = 5`:                                                          5,
		`UPDATE event SET edition = 8 WHERE place = 5`:                                                                      5,
		`UPDATE event SET detail = '{"reason": "self"}' WHERE place = 5`:                                                    5,
		`UPDATE event SET link = sha256(link) WHERE place = 6`:                                                              6,
		`UPDATE event SET link = sha256(link) WHERE place = 9`:                                                              9,
		`UPDATE event SET place = 15 - place WHERE place IN (7, 8)`:                                                         7,
		`INSERT INTO event (id, at, kind, place, link) VALUES (` + other + `, now(), 'signed_in', 9000000000000000000, '')`: 10,
		`INSERT INTO event (id, at, kind, place, link) VALUES (` + other + `, now(), 'signed_in', 1, '')`:                   1,
		`UPDATE event SET place = 10 WHERE place = 9`:                                                                       9,
		`DELETE FROM event WHERE place = 1`:                                                                                 1,
		`DELETE FROM event WHERE place = 5`:                                                                                 5,
		`DELETE FROM event WHERE place = 9`:                                                                                 9,
		`DELETE FROM event`:                                                                                                 1,
		`INSERT INTO event SELECT ` + other + `, place, at, kind, person_id, clerk_id, office, client_id, sid, gid, acr, agent, edition, detail, link
		 FROM event WHERE place = 5`: 5,
		`UPDATE event_head SET link = sha256(link)`:                                                9,
		`UPDATE event_head SET place = 8, link = (SELECT link FROM event WHERE place = 8)`:         9, // the last root knows better
		`UPDATE audit_root SET place = 2 WHERE place = 3`:                                          2,
		`UPDATE audit_root SET day = day + 400 WHERE place = 9`:                                    9,
		`INSERT INTO audit_root SELECT day + 1, place, signed, at FROM audit_root WHERE place = 9`: 9,
		`UPDATE event_base SET place = 9, link = (SELECT link FROM event WHERE place = 9)`:         9,
		`UPDATE event_base SET place = 3, link = (SELECT link FROM event WHERE place = 2)`:         3,
	} {
		t.Run(statement, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t)
			for range 3 {
				l.aDay(t)
			}
			l.tamper(t, statement)
			_, err := l.verify(t)
			broken := new(audit.Break)
			if want == 0 && err != nil || want != 0 && (!errors.As(err, &broken) || broken.Place != want) {
				t.Errorf("got %v, want a break at %d", err, want)
			}
		})
	}
}

// Who owns the database can make another chain that comes out by itself, but not one that goes through the roots that others keep.
func TestARootThatIsKeptElsewhereProvesAChainThatWasMadeAnew(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.aDay(t)
	kept, err := l.roots().List(t.Context(), time.Time{}, 10)
	if err != nil || len(kept) != 1 || kept[0].Place != 3 {
		t.Fatalf("got %v, %v", kept, err)
	}
	l.aDay(t)
	if proof, err := l.verify(t, kept[0].Signed); err != nil || proof.To != 6 || proof.Kept != 3 {
		t.Errorf("untouched: %+v, %v", proof, err)
	}
	l.tamper(t, `UPDATE event SET kind = 'signed_out', place = NULL, link = NULL`)
	l.tamper(t, `UPDATE event_head SET place = 0, link = decode(repeat('00', 32), 'hex')`)
	l.tamper(t, `DELETE FROM audit_root`)
	seal(t, l.pool)
	if proof, err := l.verify(t); err != nil || proof.To != 6 || proof.Kept != 0 {
		t.Errorf("by itself: %+v, %v", proof, err)
	}
	broken := new(audit.Break)
	if _, err := l.verify(t, kept[0].Signed); !errors.As(err, &broken) || broken.Place != 3 {
		t.Errorf("against what was kept: %v", err)
	}
}

// The newest event is missed as any other is, under a root or not, and whatever was recorded since. Who makes the end of the chain anew as
// well leaves nothing to see, until a root of it is kept elsewhere; but whoever has read the feed so far is told.
func TestTheNewestEventIsMissed(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.aDay(t)
	record(t, l.pool, signedIn(uuid.New()))
	seal(t, l.pool)
	if proof, err := l.verify(t); err != nil || proof.To != 4 {
		t.Fatalf("%+v, %v", proof, err)
	}
	l.tamper(t, `DELETE FROM event WHERE place = 4`)
	missed := func(when string) {
		t.Helper()
		broken := new(audit.Break)
		if _, err := l.verify(t); !errors.As(err, &broken) || broken.Place != 4 {
			t.Errorf("%s: got %v, want a break at 4", when, err)
		}
	}
	missed("at once")
	record(t, l.pool, signedIn(uuid.New()))
	seal(t, l.pool)
	missed("behind another one")

	l.tamper(t, `DELETE FROM event WHERE place > 3`)
	l.tamper(t, `UPDATE event_head SET place = 3, link = (SELECT link FROM event WHERE place = 3)`)
	if proof, err := l.verify(t); err != nil || proof.To != 3 {
		t.Errorf("with an end that was made anew: %+v, %v", proof, err)
	}
	if _, _, err := audit.NewFeed(l.pool, l.pool).After(t.Context(), 5, 1); !errors.Is(err, audit.ErrCursor) {
		t.Errorf("who has read so far is told %v", err)
	}
}

// A root counts only with our signature.
func TestARootIsSigned(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.aDay(t)
	roots, err := l.roots().List(t.Context(), time.Time{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	good := roots[0].Signed
	header, rest, _ := strings.Cut(good, ".")
	other := newLedger(t)
	forged, err := other.sign("audit-root+jwt", audit.Root{Place: 3})
	if err != nil {
		t.Fatal(err)
	}
	logout, err := l.sign("logout+jwt", audit.Root{Place: 3})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		kept string
		good bool
	}{
		"as it was": {good, true}, "a garbage": {"garbage", false}, "another's": {forged, false}, "something else of ours": {logout, false},
		"without a header": {rest, false}, "changed": {header + ".e30." + rest[strings.Index(rest, ".")+1:], false},
	} {
		if _, err := l.verify(t, c.kept); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What was recorded can be neither changed nor taken out, and a place is given once.
func TestEventsAreAppendOnly(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.aDay(t)
	record(t, l.pool, signedIn(uuid.New()))
	var part string
	if err := l.pool.QueryRow(t.Context(), `SELECT min(tableoid::regclass::text) FROM event`).Scan(&part); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`UPDATE event SET office = '' WHERE place = 2`,
		`UPDATE event SET place = 9 WHERE place = 2`,
		`UPDATE event SET place = NULL, link = NULL WHERE place = 2`,
		`UPDATE event SET acr = 'high' WHERE place IS NULL`,
		`DELETE FROM event`,
		`DELETE FROM ` + part,
		`TRUNCATE event`,
		`TRUNCATE ` + part,
	} {
		if _, err := l.pool.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "events are not to be changed") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// A year of events goes as a whole when its time is over and a root proves where it ended; the rest can still be proved.
func TestAYearIsDroppedWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	year := time.Now().UTC().Year() // by their ids, events are of today
	over := time.Date(year+8, 1, 1, 0, 0, 0, 0, time.UTC)
	if earliest, err := audit.Earliest(t.Context(), l.pool); err != nil || earliest != year {
		t.Errorf("the earliest year: got %d, %v", earliest, err)
	}
	if err := audit.Drop(t.Context(), l.pool, year, 0, time.Date(year+5, 12, 31, 23, 59, 59, 0, time.UTC)); !errors.Is(err, audit.ErrKept) {
		t.Errorf("at once, if nobody had to keep it: %v", err)
	}
	drop := func(year int, at time.Time, want error) {
		t.Helper()
		if err := audit.Drop(t.Context(), l.pool, year, 7, at); !errors.Is(err, want) {
			t.Errorf("%d at %s: got %v, want %v", year, at.Format(time.DateOnly), err, want)
		}
	}
	l.aDay(t)
	drop(year, over.Add(-time.Second), audit.ErrKept)
	record(t, l.pool, signedIn(uuid.New()))
	drop(year, over, audit.ErrStalled)
	seal(t, l.pool)
	drop(year, over, audit.ErrUnsigned)
	l.aDay(t)
	drop(year+1, over.AddDate(1, 0, 0), audit.ErrEarlier)
	drop(year, over, nil)
	drop(year, over, audit.ErrNoYear)
	feed := audit.NewFeed(l.pool, l.pool)
	_, _, err := feed.After(t.Context(), 6, 10)
	if dropped, gone := errors.AsType[*audit.DroppedError](err); !gone || dropped.Cursor != 7 {
		t.Errorf("what comes after the last but one that was dropped: %v", err)
	}
	if _, _, err := feed.After(t.Context(), 7, 10); err != nil {
		t.Errorf("what comes after the last that was dropped: %v", err)
	}
	if _, err := l.verify(t); err == nil {
		t.Error("a year was dropped whose time is not over")
	}
	l.now = over
	l.aDay(t)
	proof, err := l.verify(t)
	if signed := over.Truncate(24 * time.Hour); err != nil || proof != (audit.Proof{From: 7, To: 11, Roots: 2, Earlier: 1, Signed: signed}) {
		t.Errorf("got %+v, %v", proof, err)
	}
}

// Who owns the database cannot say that a year was dropped whose events a root proves.
func TestAYearIsNotDroppedByTamperingUnseen(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.aDay(t)
	kept, err := l.roots().List(t.Context(), time.Time{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	l.tamper(t, `UPDATE event_base SET place = 3, link = (SELECT link FROM event WHERE place = 3)`)
	l.tamper(t, `DELETE FROM event`)
	l.tamper(t, `DELETE FROM audit_root`)
	for _, year := range []string{"2018", "2026"} { // a record of a drop is soon made
		l.tamper(t, `INSERT INTO event (id, at, kind, detail) SELECT gen_random_uuid(), '2026-11-22', 'audit.dropped',
			jsonb_build_object('year', '`+year+`', 'place', '3', 'link', encode(link, 'hex')) FROM event_base`)
		seal(t, l.pool)
		broken := new(audit.Break)
		if proof, err := l.verify(t, kept[0].Signed); !errors.As(err, &broken) {
			t.Errorf("as if %s had been dropped: %+v, %v", year, proof, err)
		}
	}
}
