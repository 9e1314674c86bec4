package desk_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/login/code"
	"asoba.example/login/desk"
	"asoba.example/login/identity"
	"asoba.example/login/register"
	"asoba.example/login/throttle"
	"asoba.example/provider/fetch"
)

// newWorldThatAsks is a world in which the population register is asked, by what refresh is then.
func newWorldThatAsks(t *testing.T, refresh *func(context.Context, identity.Identifier) error) *world {
	t.Helper()
	w := newWorld(t)
	now := func() time.Time { return w.now }
	var err error
	w.desk, err = desk.New(desk.Config{
		Pool: w.Pool, Box: w.Box, Registry: w.Registry, Outbox: w.Outbox, Now: now,
		Throttle: &throttle.Throttle{Redis: w.Redis, Key: []byte("key"), Now: now}, Metrics: prometheus.NewRegistry(),
		Codes:   &code.Codes{Redis: w.Redis, Key: []byte("key"), Outbox: w.Outbox, Pool: w.Pool, Say: w.Say, Now: now},
		Refresh: func(ctx context.Context, id identity.Identifier) error { return (*refresh)(ctx, id) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// The population register is asked about whoever something is given to: whom it alone knows is served, who has died since the last edition is
// not, and where it is away or knows nobody the act goes on by what is known, and says so.
func TestTheRegisterIsAskedAboutWhoeverIsServed(t *testing.T) {
	t.Parallel()
	var refresh func(context.Context, identity.Identifier) error
	w := newWorldThatAsks(t, &refresh)
	newcomer, err := identity.ParseIdentifier("5311299B500PB0")
	if err != nil {
		t.Fatal(err)
	}
	refresh = func(ctx context.Context, id identity.Identifier) error {
		_, err := w.Pool.Exec(ctx, `
			INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
			VALUES (gen_random_uuid(), $1, 'F', '1956-03-08', 'BY', 1)`, id.Reveal())
		return err
	}
	if _, stage, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, newcomer, 9001)); err != nil || stage != desk.Opened {
		t.Errorf("a newcomer: %s, %v", stage, err)
	}
	dies := func(ctx context.Context, id identity.Identifier) error {
		_, err := w.Pool.Exec(ctx, `UPDATE person SET death_date = '2026-11-01' WHERE identification_number = $1`, id.Reveal())
		return err
	}
	refresh = dies
	_, id := w.Active(t)
	for _, e := range []desk.Errand{desk.PhoneChange, desk.Unblock} {
		if _, _, err := w.desk.Open(t.Context(), w.by, e, w.opening(t, id, 9002)); err == nil || !strings.Contains(err.Error(), "g6") {
			t.Errorf("%s of who has died: %v", e, err)
		}
	}
	refresh = func(context.Context, identity.Identifier) error { return register.ErrNone }
	stranger, id := w.Active(t)
	if _, stage, err := w.desk.Open(t.Context(), w.by, desk.PhoneChange, w.opening(t, id, 9004)); err != nil || stage != desk.Opened {
		t.Errorf("whom it does not know and we do: %s, %v", stage, err)
	}
	if n := w.Count(t, `event WHERE kind = 'phone_change.opened' AND person_id = $1 AND detail->>'register' = 'unknown'`, stranger); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	refresh = func(context.Context, identity.Identifier) error { return errors.New("away") }
	person, id := w.Active(t)
	visit, stage, err := w.desk.Open(t.Context(), w.by, desk.PhoneChange, w.opening(t, id, 9003))
	if err != nil || stage != desk.Opened {
		t.Fatalf("while it is away: %s, %v", stage, err)
	}
	if n := w.Count(t, `event WHERE kind = 'phone_change.opened' AND person_id = $1 AND detail->>'register' = 'silent'`, person); n != 1 {
		t.Errorf("it is said %d times", n)
	}
	if err := w.desk.ConfirmPhone(t.Context(), w.by, desk.PhoneChange, visit, w.Said("Code")); err != nil {
		t.Fatal(err)
	}
	refresh = dies // during the visit
	if _, err := w.desk.Assign(t.Context(), w.by, desk.PhoneChange, visit); err == nil || !strings.Contains(err.Error(), "g6") {
		t.Errorf("at its end: %v", err)
	}
}

// Of whom the register tells a death when it is asked nothing is given, however many have died that day: they are deactivated at once (order 82
// p. 10). Nor is anything given where it tells of one in a way that cannot be taken in.
func TestNobodyIsServedOfWhomTheRegisterTellsADeath(t *testing.T) {
	t.Parallel()
	died := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var asked struct {
			Number string `json:"identification_number"`
		}
		_ = json.NewDecoder(r.Body).Decode(&asked)
		_, _ = fmt.Fprintf(w, `{"at":"2026-11-22T12:00:00Z","person":{"identification_number":%q,"sex":"F","birth_date":"1956-03-08","citizenship":"BY","death_date":%q}}`, asked.Number, died)
	}))
	t.Cleanup(server.Close)
	var refresh func(context.Context, identity.Identifier) error
	w := newWorldThatAsks(t, &refresh)
	population := register.Register{
		Pool: w.Pool, Cascade: w.Registry.Deactivate, DeactivatedShare: func() float64 { return 0.001 },
		Source: &register.Source{URL: server.URL, Caller: fetch.New(fetch.Config{AllowLoopback: true})},
	}
	refresh = func(ctx context.Context, id identity.Identifier) error {
		return population.Refresh(ctx, id.Reveal(), w.now)
	}
	_, newcomer := w.Person(t)
	issuance := w.confirmed(t, newcomer, 9001)
	died = "2026-11-21"
	_, err := w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance)
	w.refused(t, err, "g6", 1)
	open := func(want string, times int) {
		t.Helper()
		person, id := w.Active(t)
		_, _, err := w.desk.Open(t.Context(), w.by, desk.PhoneChange, w.opening(t, id, 9002))
		w.refused(t, err, "g6", times)
		if got := w.State(t, person); got != want {
			t.Errorf("died %s: %s, want %s", died, got, want)
		}
	}
	open("blocked:register", 2)
	died = "yesterday"
	open("active", 3)
	if n := w.Count(t, `event WHERE kind = 'person.changed'`); n != 2 {
		t.Errorf("%d deaths are on record, want 2", n)
	}
}
