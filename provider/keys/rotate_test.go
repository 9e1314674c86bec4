package keys_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/api"
	"asoba.example/provider/keys"
)

const day = 24 * time.Hour

// A house is nodes that have one database and one clock, which stands still until it is moved.
type house struct {
	pool  *pgxpool.Pool
	trips *pgtest.Trips
	clock atomic.Int64
	cfg   keys.Config
	nodes []*keys.Ring
}

func newHouse(t *testing.T, nodes int, every time.Duration) *house {
	t.Helper()
	h := new(house)
	h.pool, h.trips = pgtest.Counting(t)
	h.clock.Store(noon.Unix())
	h.cfg = config(t, h.pool)
	h.cfg.Every, h.cfg.Now = every, h.now
	for range nodes {
		h.nodes = append(h.nodes, newRing(t, h.cfg))
	}
	if err := h.nodes[0].Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.refresh(t)
	return h
}

func (h *house) now() time.Time       { return time.Unix(h.clock.Load(), 0).UTC() }
func (h *house) pass(d time.Duration) { h.clock.Add(int64(d / time.Second)) }

// tend tends the ring at every node at once, and lets each see what came of it.
func (h *house) tend(t *testing.T) {
	t.Helper()
	var tending sync.WaitGroup
	for _, node := range h.nodes {
		tending.Go(func() {
			if err := node.Tend(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	tending.Wait()
	h.refresh(t)
}

func (h *house) refresh(t *testing.T) {
	t.Helper()
	for _, node := range h.nodes {
		if err := node.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
	}
	h.check(t)
}

// list gives the ring as the database has it.
func (h *house) list(t *testing.T) []keys.Key {
	t.Helper()
	all, err := h.nodes[0].List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// in gives the kids of an algorithm in a state, the newest first.
func (h *house) in(t *testing.T, alg jose.SignatureAlgorithm, state keys.State) (kids []string) {
	t.Helper()
	for _, k := range h.list(t) {
		if k.Alg == alg && k.State == state {
			kids = append(kids, k.KID)
		}
	}
	return kids
}

// check holds what is true of a ring at every moment: one key of each algorithm
// signs and one at most is next; no other has a private part; and the records, read
// in their order, lead to the states there are.
func (h *house) check(t *testing.T) {
	t.Helper()
	const wiped = `SELECT count(*) FROM signing_key WHERE (private_key IS NULL) <> (state IN ('retired', 'gone'))`
	const events = `SELECT kind, detail->>'kid' FROM event ORDER BY id`

	states := map[string]keys.State{}
	for _, k := range h.list(t) {
		states[k.KID] = k.State
	}
	for _, alg := range keys.Algorithms {
		if active, next := h.in(t, alg, keys.Active), h.in(t, alg, keys.Next); len(active) != 1 || len(next) > 1 {
			t.Errorf("%s: %d are active, %d next", alg, len(active), len(next))
		}
	}
	var wrong int
	if err := h.pool.QueryRow(t.Context(), wiped).Scan(&wrong); err != nil || wrong != 0 {
		t.Errorf("%d keys are not wiped as they should be, %v", wrong, err)
	}
	recorded := map[string]keys.State{}
	var kind, kid string
	rows, _ := h.pool.Query(t.Context(), events)
	_, err := pgx.ForEachRow(rows, []any{&kind, &kid}, func() error {
		switch kind {
		case "key.created":
			if recorded[kid] = keys.Next; states[kid] == keys.Active && len(recorded) <= len(keys.Algorithms) {
				recorded[kid] = keys.Active // the first ones are made so
			}
		case "key.activated":
			recorded[kid] = keys.Active
		case "key.retired":
			recorded[kid] = keys.Retired
		case "key.gone":
			recorded[kid] = keys.Gone
		}
		return nil
	})
	if err != nil || !reflect.DeepEqual(recorded, states) {
		t.Errorf("recorded %v, %v\nthere are %v", recorded, err, states)
	}
}

// published gives the kids of a node's JWKS.
func published(t *testing.T, ring *keys.Ring) (kids []string) {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(ring.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Keys {
		kids = append(kids, k.KeyID)
	}
	return kids
}

// sign gives a token of a node and the kid that it names.
func sign(t *testing.T, ring *keys.Ring, alg jose.SignatureAlgorithm) (signed, kid string) {
	t.Helper()
	signed, err := ring.Sign(alg, "at+jwt", map[string]string{"sub": "me"})
	if err != nil {
		t.Error(err)
		return "", ""
	}
	jws, err := jose.ParseSignedCompact(signed, keys.Algorithms)
	if err != nil {
		t.Error(err)
		return "", ""
	}
	return signed, jws.Signatures[0].Protected.KeyID
}

// verify tells what is wrong with a token by what a node publishes.
func verify(ctx context.Context, ring *keys.Ring, signed string) error {
	jws, err := jose.ParseSignedCompact(signed, keys.Algorithms)
	if err != nil {
		return err
	}
	key, err := ring.Key(ctx, jws.Signatures[0].Protected.KeyID)
	if err != nil {
		return err
	}
	_, err = jws.Verify(key)
	return err
}

// What signs was published for an hour before (OpenID Connect Core §10.1.1): who rotates sooner is refused, and nothing moves.
func TestAKeyIsPublishedLongBeforeItSigns(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1, 0)
	ring, es := h.nodes[0], keys.Rotation{Alg: jose.ES256}
	for range 3 {
		h.pass(time.Hour - time.Second)
		before := h.list(t)
		if err := ring.Rotate(t.Context(), es); !errors.Is(err, keys.ErrTooSoon) {
			t.Errorf("too soon: got %v", err)
		}
		if now := h.list(t); !reflect.DeepEqual(now, before) {
			t.Errorf("a rotation that was refused moved a key: %v", now)
		}
		next := h.in(t, jose.ES256, keys.Next)[0]
		if !slices.Contains(published(t, ring), next) {
			t.Error("the next key is not published")
		}
		h.pass(time.Second)
		if err := ring.Rotate(t.Context(), es); err != nil {
			t.Fatal(err)
		}
		h.check(t)
		if _, kid := sign(t, ring, jose.ES256); kid != next {
			t.Error("it is not the next key that signs")
		}
	}
	if err := ring.Rotate(t.Context(), keys.Rotation{Alg: "HS256"}); !errors.Is(err, keys.ErrUnknownAlg) {
		t.Errorf("of an algorithm that we do not sign with: got %v", err)
	}
}

// Who tries a client out sees a rotation at once: the next key signs, and what was signed before stays good.
func TestATrialDoesNotWaitToRotate(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1, 0)
	h.cfg.Relaxed = true
	ring := newRing(t, h.cfg)
	for range 3 {
		signed, _ := sign(t, ring, jose.ES256)
		next := h.in(t, jose.ES256, keys.Next)[0]
		if err := ring.Rotate(t.Context(), keys.Rotation{Alg: jose.ES256}); err != nil {
			t.Fatal(err)
		}
		if _, kid := sign(t, ring, jose.ES256); kid != next {
			t.Error("it is not the next key that signs")
		}
		if err := verify(t.Context(), ring, signed); err != nil {
			t.Errorf("what was signed before: %v", err)
		}
	}
}

// A retired key is published until nothing that it signed is good; its ID tokens are hints for a year (RP-Initiated Logout §2).
func TestARetiredKeyIsKnownForAsLongAsItIsOfUse(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 1, 0)
	ring := h.nodes[0]
	h.pass(day)
	signed, old := sign(t, ring, jose.ES256)
	if err := ring.Rotate(t.Context(), keys.Rotation{Alg: jose.ES256}); err != nil {
		t.Fatal(err)
	}
	for _, then := range []struct {
		pass             time.Duration
		published, hints bool
	}{
		{0, true, true},
		{keys.Longest - time.Second, true, true},
		{time.Second, false, true},
		{365*day - keys.Longest - time.Second, false, true},
		{time.Second, false, false},
	} {
		h.pass(then.pass)
		h.tend(t)
		if got := slices.Contains(published(t, ring), old); got != then.published {
			t.Errorf("%s: published %t", h.now(), got)
		}
		if err := verify(t.Context(), ring, signed); (err == nil) != then.published {
			t.Errorf("%s: what it signed: %v", h.now(), err)
		}
		if _, err := ring.PastKey(old); (err == nil) != then.hints {
			t.Errorf("%s: for hints: %v", h.now(), err)
		}
	}
	if _, err := ring.Key(t.Context(), "other"); !errors.Is(err, api.ErrUnknownKey) {
		t.Errorf("a foreign key: %v", err)
	}
}

// A compromised key is believed no more by any node that has seen it, nor is any before it; the next signs without waiting.
func TestACompromisedKeyIsBelievedNoMore(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 2, 0)
	h.pass(day)
	older, _ := sign(t, h.nodes[1], jose.RS256)
	if err := h.nodes[0].Rotate(t.Context(), keys.Rotation{Alg: jose.RS256}); err != nil {
		t.Fatal(err)
	}
	h.refresh(t)
	stolen, _ := sign(t, h.nodes[1], jose.RS256)
	other, _ := sign(t, h.nodes[1], jose.ES256)
	believed := h.in(t, jose.RS256, keys.Next)[0]
	if err := h.nodes[0].Rotate(t.Context(), keys.Rotation{Alg: jose.RS256, Compromised: true, By: "operator"}); err != nil {
		t.Fatal(err)
	}
	h.refresh(t)
	gone := h.in(t, jose.RS256, keys.Gone)
	for i, node := range h.nodes {
		for _, signed := range []string{older, stolen} {
			if err := verify(t.Context(), node, signed); !errors.Is(err, api.ErrUnknownKey) {
				t.Errorf("node %d believes a compromised key: %v", i, err)
			}
		}
		for _, kid := range gone {
			if _, err := node.PastKey(kid); err == nil || slices.Contains(published(t, node), kid) {
				t.Errorf("node %d knows a compromised key", i)
			}
		}
		if err := verify(t.Context(), node, other); err != nil {
			t.Errorf("node %d and another algorithm: %v", i, err)
		}
		if _, kid := sign(t, node, jose.RS256); kid != believed {
			t.Errorf("node %d signs with a key that was not published before", i)
		}
	}
	var why, by string
	const find = `SELECT detail->>'why', detail->>'by' FROM event WHERE detail->>'kid' = $1 AND kind = 'key.gone'`
	if err := h.pool.QueryRow(t.Context(), find, gone[0]).Scan(&why, &by); err != nil || len(gone) != 2 || why != "compromised" || by != "operator" {
		t.Errorf("%d are gone, because %s by %s, %v", len(gone), why, by, err)
	}
	if err := h.nodes[0].Rotate(t.Context(), keys.Rotation{Alg: jose.RS256, Compromised: true}); err != nil {
		t.Errorf("and the one behind it: %v", err)
	}
	h.refresh(t)
}

// Nodes rotate by the schedule, each algorithm once, however many they are; without a schedule none does.
func TestKeysRotateBySchedule(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 2, 90*day)
	first := h.list(t)
	h.pass(90*day - time.Second)
	if h.tend(t); !reflect.DeepEqual(h.list(t), first) {
		t.Error("they rotated too soon")
	}
	h.pass(time.Second)
	h.cfg.Every = 0
	if err := newRing(t, h.cfg).Tend(t.Context()); err != nil || !reflect.DeepEqual(h.list(t), first) {
		t.Errorf("they rotated without a schedule, or not: %v", err)
	}
	for range 2 {
		h.tend(t)
		for _, alg := range keys.Algorithms {
			if retired := h.in(t, alg, keys.Retired); len(retired) != 1 {
				t.Errorf("%s: %d are retired", alg, len(retired))
			}
		}
	}
}

// Of operators who rotate at once, one does; a schedule shorter than a key is published waits for it.
func TestRotationsAtOnceAreOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 3, time.Minute)
	h.pass(time.Hour)
	errs := make([]error, 9)
	var rotating sync.WaitGroup
	for i := range errs {
		rotating.Go(func() { errs[i] = h.nodes[i%3].Rotate(t.Context(), keys.Rotation{Alg: jose.EdDSA}) })
	}
	rotating.Wait()
	h.refresh(t)
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if !errors.Is(err, keys.ErrTooSoon) && !errors.Is(err, keys.ErrTurned) {
			t.Error(err)
		}
	}
	if retired := h.in(t, jose.EdDSA, keys.Retired); done != 1 || len(retired) != 1 {
		t.Errorf("%d rotated, %d are retired", done, len(retired))
	}
	h.pass(30 * time.Minute)
	h.tend(t)
	if retired := h.in(t, jose.EdDSA, keys.Retired); len(retired) != 1 {
		t.Errorf("%d are retired by the schedule", len(retired))
	}
}

// Whoever says twice which key is compromised has said it once: the clean one behind it goes on signing.
func TestAKeyIsCompromisedOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 2, 0)
	h.pass(day)
	stolen, clean := h.in(t, jose.ES256, keys.Active)[0], h.in(t, jose.ES256, keys.Next)[0]
	for i, want := range []error{nil, keys.ErrTurned} {
		err := h.nodes[i].Rotate(t.Context(), keys.Rotation{Alg: jose.ES256, KID: stolen, Compromised: true})
		if !errors.Is(err, want) {
			t.Errorf("time %d: got %v, want %v", i+1, err, want)
		}
	}
	if active := h.in(t, jose.ES256, keys.Active); len(active) != 1 || active[0] != clean {
		t.Errorf("%v signs, want %s", active, clean)
	}
}

// No key moves without its record: whatever breaks on the way leaves the ring as it was, and the next try succeeds.
func TestARotationIsWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(*keys.Ring) error{
		"rotate": func(r *keys.Ring) error { return r.Rotate(t.Context(), keys.Rotation{Alg: jose.ES256}) },
		"compromised": func(r *keys.Ring) error {
			return r.Rotate(t.Context(), keys.Rotation{Alg: jose.ES256, Compromised: true})
		},
		"tend": func(r *keys.Ring) error { return r.Tend(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 1, 90*day)
			h.pass(89 * day)
			for _, alg := range keys.Algorithms[1:] { // so that the schedule asks for the first alone
				if err := h.nodes[0].Rotate(t.Context(), keys.Rotation{Alg: alg}); err != nil {
					t.Fatal(err)
				}
			}
			h.pass(day)
			before := h.list(t)
			for _, fault := range []struct{ verb, table string }{{"INSERT", "event"}, {"INSERT", "signing_key"}, {"UPDATE", "signing_key"}} {
				heal := pgtest.FailOn(t, h.pool, fault.verb, fault.table)
				if act(h.nodes[0]) == nil {
					t.Errorf("it went well over a broken %s", fault)
				}
				heal()
				if now := h.list(t); !reflect.DeepEqual(now, before) {
					t.Errorf("a broken %s left %v", fault, now)
				}
			}
			for trip, done := 1, false; !done; trip++ { // each statement breaks once, COMMIT too
				h.trips.FailAt(trip)
				done = act(h.nodes[0]) == nil
				h.trips.FailAt(0)
				h.refresh(t)
			}
			if now := h.list(t); len(now) != len(before)+1 {
				t.Errorf("in the end there are %v", now)
			}
		})
	}
}

// While keys rotate, whatever any node signs is good at any other, which may have seen the rotation or not.
func TestRotationDuringTrafficLosesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 3, 0)
	var (
		passing sync.RWMutex // held to read while a request is on its way: no hour passes within
		over    atomic.Bool
		traffic sync.WaitGroup
		n       atomic.Int64
	)
	for i, alg := range keys.Algorithms {
		signer, reader := h.nodes[i%2], h.nodes[(i+1)%2]
		traffic.Go(func() {
			for !over.Load() {
				passing.RLock()
				signed, _ := sign(t, signer, alg)
				if err := verify(t.Context(), reader, signed); err != nil {
					t.Errorf("%s: %v", alg, err)
				}
				passing.RUnlock()
				if n.Add(1); alg == jose.EdDSA { // node 1 sees each rotation some time
					if err := h.nodes[1].Refresh(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for range 2 {
		passing.Lock()
		h.pass(time.Hour)
		h.refresh(t) // an hour is enough for all to have seen the last rotation
		passing.Unlock()
		for _, alg := range keys.Algorithms {
			if err := h.nodes[2].Rotate(t.Context(), keys.Rotation{Alg: alg}); err != nil {
				t.Error(err)
			}
		}
		for seen := n.Load(); n.Load() < seen+16; { // node 0 has not seen it yet
			runtime.Gosched()
		}
	}
	over.Store(true)
	traffic.Wait()
	h.check(t)
}
