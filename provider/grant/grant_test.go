package grant_test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
	"asoba.example/provider/grant"
	"asoba.example/provider/session"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A world holds one person who signed in at noon, and what it takes to end that.
type world struct {
	pool     *pgxpool.Pool
	trips    *pgtest.Trips
	redis    redis.UniversalClient
	jobs     grant.Jobs
	sessions *session.Store
	denials  *grant.Denials
	cleaner  *grant.Cleaner
	person   uuid.UUID
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{redis: redistest.New(t), person: uuid.Must(uuid.NewV7())}
	w.pool, w.trips = pgtest.Counting(t)
	now := func() time.Time { return noon.Add(time.Minute) }
	w.sessions = session.New(session.Config{Redis: w.redis, Idle: func() time.Duration { return time.Minute }, Total: func() time.Duration { return time.Hour }, Now: now})
	w.denials = grant.NewDenials(w.pool, w.redis, 5*time.Minute, now)
	w.cleaner = &grant.Cleaner{Pool: w.pool, Denials: w.denials, Sessions: w.sessions, Now: now}
	jobs, err := river.NewClient(riverpgxv5.New(w.pool), &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w.jobs = jobs
	w.exec(t, `INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
		VALUES ($1, '3080356A001PB5', 'F', '1956-03-08', 'BY', 1)`, w.person)
	w.exec(t, `INSERT INTO identity (person_id, state, phone, phone_index, issued_at, changed_at)
		VALUES ($1, 'active', '\x00', '\x00', now(), now())`, w.person)
	w.exec(t, `INSERT INTO client (client_id, metadata, created_at, changed_at)
		VALUES ('portal', '{"backchannel_logout_uri": "https://portal.example/out"}', now(), now())`)
	return w
}

func (w *world) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := w.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (w *world) count(t *testing.T, sql string) int {
	t.Helper()
	var n int
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM `+sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// grant is what the sign-in at noon could give the portal.
func (w *world) grant() grant.Grant {
	return grant.Grant{
		ID: uuid.Must(uuid.NewV7()), Person: w.person, ClientID: "portal", SID: "s",
		Scopes: []string{"openid"}, Audience: []string{"https://cabinet.example"},
		AuthTime: noon, ACR: "low", AMR: []string{"pwd"},
		At: noon.Add(time.Second), Till: noon.Add(time.Hour),
	}
}

// newDigest is what the register keeps of a new refresh token.
func newDigest() []byte { return []byte(rand.Text()) }

// give gives g and a refresh token of it.
func (w *world) give(t *testing.T, db interface {
	SendBatch(context.Context, *pgx.Batch) pgx.BatchResults
}, g grant.Grant,
) (refresh []byte, given bool) {
	t.Helper()
	refresh = newDigest()
	b := new(pgx.Batch)
	grant.Give(b, g, refresh, &given)
	if err := db.SendBatch(t.Context(), b).Close(); err != nil {
		t.Error(err)
	}
	return refresh, given
}

func (w *world) renew(t *testing.T, r grant.Refresh, digest, next []byte, at time.Time) (renewed bool) {
	t.Helper()
	b := new(pgx.Batch)
	grant.Renew(b, r, digest, next, at, &renewed)
	if err := w.pool.SendBatch(t.Context(), b).Close(); err != nil {
		t.Error(err)
	}
	return renewed
}

// end is an act that ends the person's sign-ins, a minute past noon, having done something to the identity.
func (w *world) end(t *testing.T, act string) error {
	t.Helper()
	return pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), act, w.person); err != nil {
			return err
		}
		return grant.End(t.Context(), tx, w.jobs, w.person, grant.Blocked, noon.Add(time.Minute))
	})
}

// signOut signs the person out of the session "s", a minute past noon.
func (w *world) signOut(t *testing.T) error {
	t.Helper()
	return grant.SignOut(t.Context(), w.pool, w.jobs, w.denials, session.Session{SID: "s", Person: w.person}, noon.Add(time.Minute))
}

const (
	block          = `UPDATE identity SET state = 'blocked', block_reason = 'self' WHERE person_id = $1`
	changePassword = `UPDATE identity SET password_hash = 'new' WHERE person_id = $1`

	live = `client_grant WHERE ended_at IS NULL`
)

func TestAGrantItsTokenAndItsRecordAreOneRoundTrip(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.trips.Take()
	g := w.grant()
	refresh, given := w.give(t, w.pool, g)
	if got := w.trips.Take(); !given || got != 1 {
		t.Fatalf("given %t in %d round trips", given, got)
	}
	if n := w.count(t, `event WHERE kind = 'grant.given' AND detail = '{"scope": "openid"}'`); n != 1 {
		t.Errorf("recorded %d times", n)
	}
	r, err := grant.FindRefresh(t.Context(), w.pool, refresh)
	if err != nil {
		t.Fatal(err)
	}
	if r.Ended || r.Used() || r.Grant.ID != g.ID || !r.Grant.AuthTime.Equal(noon) || !r.Till.Equal(g.Till) {
		t.Errorf("got %+v", r)
	}
}

// What the person's standing forbids is not written, not even in part.
func TestNothingIsGivenOnASignInThatIsWorthNothing(t *testing.T) {
	t.Parallel()
	const ended = `INSERT INTO ended (person_id, at, why) VALUES ($1, '2026-11-22T12:00:00Z', 'blocked')`
	for name, test := range map[string]struct {
		before   string
		authTime time.Time
		given    bool
	}{
		"blocked":                   {block, noon, false},
		"temporary":                 {`UPDATE identity SET state = 'temporary' WHERE person_id = $1`, noon, false},
		"ended at that very moment": {ended, noon, false},
		"ended later":               {ended, noon.Add(-time.Microsecond), false},
		"ended before":              {ended, noon.Add(time.Microsecond), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.exec(t, test.before, w.person)
			g := w.grant()
			g.AuthTime = test.authTime
			_, given := w.give(t, w.pool, g)
			want := 0
			if test.given {
				want = 1
			}
			if rows := w.count(t, live) + w.count(t, `refresh_token`) + w.count(t, `event`); given != test.given || rows != 3*want {
				t.Errorf("given %t, %d rows", given, rows)
			}
		})
	}
}

// A code that Redis forgot to have seen still gives one grant (RFC 6749 §4.1.2).
func TestAGrantIsGivenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var (
		g     = w.grant()
		times atomic.Int32
		all   sync.WaitGroup
	)
	for i := range 20 {
		g := g
		g.At = g.At.Add(time.Duration(i) * time.Microsecond)
		all.Go(func() {
			if _, given := w.give(t, w.pool, g); given {
				times.Add(1)
			}
		})
	}
	all.Wait()
	if times.Load() != 1 || w.count(t, live) != 1 || w.count(t, `refresh_token`) != 1 || w.count(t, `event`) != 1 {
		t.Errorf("given %d times, %d tokens, %d events", times.Load(), w.count(t, `refresh_token`), w.count(t, `event`))
	}
}

// The second use of a code ends the grant whichever of the two arrives first.
func TestAForestalledGrantIsDeadOnArrival(t *testing.T) {
	t.Parallel()
	for _, first := range []string{"given", "forestalled"} {
		t.Run(first+" first", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			g := w.grant()
			forestall := func() {
				err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
					return grant.Forestall(t.Context(), tx, w.jobs, g, noon.Add(2*time.Second))
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if first == "forestalled" {
				forestall()
			}
			refresh, given := w.give(t, w.pool, g)
			forestall()
			r, err := grant.FindRefresh(t.Context(), w.pool, refresh)
			if err != nil {
				t.Fatal(err)
			}
			if !given || !r.Ended || w.renew(t, r, refresh, nil, noon.Add(time.Minute)) {
				t.Errorf("given %t, refresh token %+v", given, r)
			}
			if n := w.count(t, `event WHERE kind = 'grant.ended'`); n != 1 {
				t.Errorf("the end is recorded %d times", n)
			}
		})
	}
}

// What a session leads to is given until it is signed out of, and not after: for offline use neither. Other sessions go on.
func TestNothingIsGivenOfASessionThatWasSignedOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.signOut(t); err != nil {
		t.Fatal(err)
	}
	online, offline, other := w.grant(), w.grant(), w.grant()
	offline.Scopes = append(offline.Scopes, "offline_access")
	other.SID = "other"
	for name, g := range map[string]grant.Grant{"online": online, "offline": offline, "other": other} {
		if _, given := w.give(t, w.pool, g); given != (name == "other") {
			t.Errorf("%s: given %t", name, given)
		}
	}
	if n, refresh := w.count(t, live), w.count(t, `refresh_token`); n != 1 || refresh != 1 {
		t.Errorf("%d grants and %d refresh tokens, want those of the other session", n, refresh)
	}
}

// A sign-out waits for an exchange that is under way, and ends what that gave.
func TestNoGrantOutlivesASignOutInTheSameInstant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var (
		others sync.WaitGroup
		done   = make(chan struct{})
	)
	err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
		if _, given := w.give(t, tx, w.grant()); !given {
			t.Error("not given")
		}
		others.Go(func() {
			defer close(done)
			if err := w.signOut(t); err != nil {
				t.Error(err)
			}
		})
		w.waitForALock(t, done)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	others.Wait()
	if n := w.count(t, live); n != 0 {
		t.Errorf("%d grants live", n)
	}
}

// Of an act that ends a person's sign-ins and an exchange in the same instant
// one comes first, and no grant outlives either order. The change of a password
// leaves the identity active: there only ended tells.
func TestNoGrantOutlivesAnEndInTheSameInstant(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]string{"block": block, "password": changePassword} {
		t.Run(name+" first", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var (
				others sync.WaitGroup
				done   = make(chan struct{})
			)
			err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
				if _, err := tx.Exec(t.Context(), act, w.person); err != nil {
					return err
				}
				if err := grant.End(t.Context(), tx, w.jobs, w.person, grant.Blocked, noon.Add(time.Minute)); err != nil {
					return err
				}
				others.Go(func() {
					defer close(done)
					if _, given := w.give(t, w.pool, w.grant()); given {
						t.Error("given")
					}
				})
				w.waitForALock(t, done)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			others.Wait()
			if n := w.count(t, live); n != 0 {
				t.Errorf("%d grants live", n)
			}
		})
		t.Run("exchange before "+name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var (
				others sync.WaitGroup
				done   = make(chan struct{})
			)
			err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
				if _, given := w.give(t, tx, w.grant()); !given {
					t.Error("not given")
				}
				others.Go(func() {
					defer close(done)
					if err := w.end(t, act); err != nil {
						t.Error(err)
					}
				})
				w.waitForALock(t, done)
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			others.Wait()
			if n := w.count(t, live); n != 0 {
				t.Errorf("%d grants live", n)
			}
		})
	}
}

// waitForALock returns once somebody in this database waits for a lock, or has not had to.
func (w *world) waitForALock(t *testing.T, done <-chan struct{}) {
	t.Helper()
	const waiting = `pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	for w.count(t, waiting) == 0 {
		select {
		case <-done:
			return
		default:
		}
	}
}

// However many use a token at once, it has one successor, and each who asks for that has it.
func TestFiftyRotationsGiveOneSuccessor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old, _ := w.give(t, w.pool, w.grant())
	r, err := grant.FindRefresh(t.Context(), w.pool, old)
	if err != nil {
		t.Fatal(err)
	}
	var (
		times atomic.Int32
		next  = newDigest()
		all   sync.WaitGroup
	)
	for range 50 {
		all.Go(func() {
			if w.renew(t, r, old, next, noon.Add(time.Minute)) {
				times.Add(1)
			}
		})
	}
	all.Wait()
	if r, err = grant.FindRefresh(t.Context(), w.pool, old); err != nil {
		t.Fatal(err)
	}
	if times.Load() != 50 || w.count(t, `refresh_token`) != 2 || !r.Used() {
		t.Errorf("rotated %d times, %d tokens, used %v", times.Load(), w.count(t, `refresh_token`), r.UsedAt)
	}
}

func TestARefreshTokenIsRenewedOnlyWhileItsGrantLives(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before string
		at     time.Time
		want   bool
	}{
		"alive":         {`SELECT $1::uuid`, noon.Add(time.Minute), true},
		"blocked":       {block, noon.Add(time.Minute), false},
		"sign-in ended": {`INSERT INTO ended (person_id, at, why) VALUES ($1, '2026-11-22T12:00:30Z', 'password')`, noon.Add(time.Minute), false},
		"grant ended":   {`UPDATE client_grant SET ended_at = given_at, ended_why = 'revoked' WHERE person_id = $1`, noon.Add(time.Minute), false},
		"used":          {`UPDATE refresh_token SET used_at = issued_at WHERE $1::uuid IS NOT NULL`, noon.Add(time.Minute), false},
		"at its end":    {`SELECT $1::uuid`, noon.Add(time.Hour), false},
	} {
		for _, rotating := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				old, _ := w.give(t, w.pool, w.grant())
				r, err := grant.FindRefresh(t.Context(), w.pool, old)
				if err != nil {
					t.Fatal(err)
				}
				w.exec(t, test.before, w.person)
				var next []byte
				if rotating {
					next = newDigest()
				}
				if got := w.renew(t, r, old, next, test.at); got != test.want {
					t.Errorf("rotating %t: renewed %t", rotating, got)
				}
			})
		}
	}
}

// An end of which the record, the clean-up or the notice to a client cannot be written has not happened, and a retry works.
func TestEndLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		end    func(t *testing.T, w *world) error
		event  string
		faults []string
	}{
		"all": {
			func(t *testing.T, w *world) error { return w.end(t, block) }, "sessions.ended",
			[]string{"INSERT ended", "UPDATE client_grant", "INSERT event", "INSERT logout_notice", "INSERT river_job"},
		},
		"a session": {
			func(t *testing.T, w *world) error { return w.signOut(t) }, "signed_out",
			[]string{"UPDATE client_grant", "INSERT event", "INSERT logout_notice", "INSERT river_job"},
		},
		"at a client": {
			func(t *testing.T, w *world) error {
				return pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
					_, err := grant.EndClient(t.Context(), tx, w.jobs, w.person, "portal", grant.Withdrawn, noon.Add(time.Minute))
					return err
				})
			}, "grant.ended",
			[]string{"UPDATE client_grant", "INSERT event", "INSERT logout_notice", "INSERT river_job"},
		},
	} {
		for _, fault := range test.faults {
			t.Run(name+", "+fault, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.give(t, w.pool, w.grant())
				check := func(grants, ends int) {
					t.Helper()
					got := [...]int{
						w.count(t, live), w.count(t, `event WHERE kind = '`+test.event+`'`), w.count(t, `logout_notice`),
						w.count(t, `river_job WHERE kind = 'grant_clean_up'`), w.count(t, `river_job WHERE kind = 'logout_delivery'`),
					}
					if want := [...]int{grants, ends, ends, ends, ends}; got != want {
						t.Errorf("live grants, events, notices, clean-ups, deliveries: got %v, want %v", got, want)
					}
				}
				verb, table, _ := strings.Cut(fault, " ")
				heal := pgtest.FailOn(t, w.pool, verb, table)
				if err := test.end(t, w); err == nil {
					t.Fatal("ended over a broken table")
				}
				check(1, 0)
				heal()
				if err := test.end(t, w); err != nil {
					t.Fatal(err)
				}
				check(0, 1)
			})
		}
	}
}

// A client whose grant alone ended is not told: the session at the provider goes on, and what it has there is its own affair (OpenID Connect
// Back-Channel Logout §2.3).
func TestTheEndOfOneGrantIsNoEndOfASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	revoked, reused := w.grant(), w.grant()
	w.give(t, w.pool, revoked)
	w.give(t, w.pool, reused)
	err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
		if err := grant.EndOne(t.Context(), tx, w.jobs, revoked.ID, grant.Revoked, noon.Add(time.Minute)); err != nil {
			return err
		}
		return grant.Forestall(t.Context(), tx, w.jobs, reused, noon.Add(time.Minute))
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := w.count(t, `logout_notice`); n != 0 || w.count(t, live) != 0 {
		t.Errorf("%d notices", n)
	}
}

// A sign-out takes what the session gave, but not what was granted for offline use.
func TestSigningOutLeavesOfflineGrants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	online, offline := w.grant(), w.grant()
	offline.Scopes = append(offline.Scopes, "offline_access")
	w.give(t, w.pool, online)
	w.give(t, w.pool, offline)
	if err := w.signOut(t); err != nil {
		t.Fatal(err)
	}
	if n := w.count(t, live); n != 1 {
		t.Errorf("%d grants live on, want the one for offline use", n)
	}
	for gid, want := range map[uuid.UUID]bool{online.ID: true, offline.ID: false} {
		if got, err := w.denials.Denied(t.Context(), gid); err != nil || got != want {
			t.Errorf("denied %t, want %t, %v", got, want, err)
		}
	}
}

// A client may have somebody signed in for longer than the tokens live that it was given. So with a session, and with what somebody has agreed to, that
// ends too which was over, and the feed tells of each once, however often it is ended.
func TestWhatWasOverEndsWithItsSession(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end        func(w *world, tx pgx.Tx) error
		told, left int
	}{
		"signed out here": {func(w *world, _ pgx.Tx) error { return w.signOut(t) }, 2, 1},
		"signed out elsewhere": {func(w *world, tx pgx.Tx) error {
			return grant.EndSessions(t.Context(), tx, w.jobs, session.Session{SID: "here", Person: w.person}, []string{"s"}, noon.Add(time.Minute))
		}, 2, 1},
		"signed out at all others": {func(w *world, tx pgx.Tx) error {
			sids, err := grant.Living(t.Context(), tx, w.person, noon.Add(time.Minute))
			return errors.Join(err, grant.EndSessions(t.Context(), tx, w.jobs, session.Session{SID: "here", Person: w.person}, sids, noon.Add(time.Minute)))
		}, 3, 0},
		"withdrawn": {func(w *world, tx pgx.Tx) error {
			_, err := grant.EndClient(t.Context(), tx, w.jobs, w.person, "portal", grant.Withdrawn, noon.Add(time.Minute))
			return err
		}, 3, 0},
		"all": {func(w *world, tx pgx.Tx) error { // which the feed tells of the person
			return grant.End(t.Context(), tx, w.jobs, w.person, grant.Everywhere, noon.Add(time.Minute))
		}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			lives, over, other := w.grant(), w.grant(), w.grant()
			over.Till, other.Till, other.SID = noon.Add(30*time.Second), noon.Add(30*time.Second), "other"
			for _, g := range []grant.Grant{lives, over, other} {
				if _, given := w.give(t, w.pool, g); !given {
					t.Fatal("not given")
				}
			}
			for range 2 {
				if err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error { return c.end(w, tx) }); err != nil {
					t.Fatal(err)
				}
				told := w.count(t, `event WHERE kind = 'grant.ended'`)
				if each := w.count(t, `(SELECT DISTINCT gid FROM event WHERE kind = 'grant.ended') AS each`); told != c.told || each != told {
					t.Errorf("the end of %d grants is told %d times, want %d", each, told, c.told)
				}
				if n := w.count(t, live); n != c.left {
					t.Errorf("%d go on, want %d", n, c.left)
				}
			}
		})
	}
}

// Redis is cleaned of what was ended, and of nothing else: the session in which
// the password was changed is later than the end.
func TestCleanTakesWhatWasEndedOutOfRedis(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before, after := w.signIn(t, noon), w.signIn(t, noon.Add(time.Minute+time.Microsecond))
	ended, other := w.grant(), uuid.Must(uuid.NewV7())
	w.give(t, w.pool, ended)
	if err := w.end(t, changePassword); err != nil {
		t.Fatal(err)
	}
	if err := w.cleaner.Clean(t.Context(), w.person); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		for gid, want := range map[uuid.UUID]bool{ended.ID: true, other: false} {
			if got, err := w.denials.Denied(t.Context(), gid); err != nil || got != want {
				t.Errorf("denied %t, want %t, %v", got, want, err)
			}
		}
	}
	check()
	for r, alive := range map[*http.Request]bool{before: false, after: true} {
		if s, err := w.sessions.Find(t.Context(), r); err != nil || s.IsZero() == alive {
			t.Errorf("session of %v, %v", s.AuthTime, err)
		}
	}
	// A Redis that lost its memory lets nobody in.
	if err := w.redis.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	check()
	if err := w.cleaner.CleanRecent(t.Context()); err != nil {
		t.Fatal(err)
	}
	check()
}

// signIn begins a session and gives a request that carries it.
func (w *world) signIn(t *testing.T, at time.Time) *http.Request {
	t.Helper()
	answer, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil)
	if _, err := w.sessions.Begin(t.Context(), answer, r, session.Session{Person: w.person, AuthTime: at}); err != nil {
		t.Fatal(err)
	}
	for _, c := range answer.Result().Cookies() {
		r.AddCookie(c)
	}
	return r
}

// What is ended from elsewhere ends whole, for offline use too, and while the session itself is still in Redis nothing comes of it any more.
func TestEndingSessionsFromElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.sessions.Begin(t.Context(), httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil), session.Session{
		SID: "s", Person: w.person, AuthTime: noon,
	})
	if err != nil {
		t.Fatal(err)
	}
	offline, other := w.grant(), w.grant()
	offline.Scopes, other.SID = []string{"openid", "offline_access"}, "other"
	for _, g := range []grant.Grant{offline, other} {
		if _, given := w.give(t, w.pool, g); !given {
			t.Fatal("not given")
		}
	}
	err = pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
		here := session.Session{SID: "here", Person: w.person, Agent: "Firefox, Linux"}
		return grant.EndSessions(t.Context(), tx, w.jobs, here, []string{"s"}, noon.Add(time.Minute))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, given := w.give(t, w.pool, w.grant()); given { // a code that was issued before
		t.Error("something is given of an ended session")
	}
	if n := w.count(t, live); n != 1 {
		t.Errorf("%d grants live, want that of the other session", n)
	}
	if n := w.count(t, `logout_notice`); n != 1 {
		t.Errorf("%d notices, want 1", n)
	}
	// The program ended here. The job does the rest.
	if err := w.cleaner.Work(t.Context(), &river.Job[grant.CleanUp]{Args: grant.CleanUp{Person: w.person}}); err != nil {
		t.Fatal(err)
	}
	if open, err := w.sessions.List(t.Context(), w.person); err != nil || len(open) != 0 {
		t.Errorf("still open: %v, %v", open, err)
	}
	if denied, err := w.denials.Denied(t.Context(), offline.ID); err != nil || !denied {
		t.Errorf("its tokens are good: %v", err)
	}
}
