package desk_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/login/code"
	"asoba.example/login/desk"
	"asoba.example/login/identity"
	"asoba.example/login/throttle"
)

// The population register is asked about whoever something is given to: whom it alone knows is served, who has died since the last edition is
// not, and where it is away the act goes on by what is known, and says so.
func TestTheRegisterIsAskedAboutWhoeverIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	now := func() time.Time { return w.now }
	refresh := func(context.Context, identity.Identifier) error { return nil }
	var err error
	w.desk, err = desk.New(desk.Config{
		Pool: w.Pool, Box: w.Box, Registry: w.Registry, Outbox: w.Outbox, Now: now,
		Throttle: &throttle.Throttle{Redis: w.Redis, Key: []byte("key"), Now: now}, Metrics: prometheus.NewRegistry(),
		Codes:   &code.Codes{Redis: w.Redis, Key: []byte("key"), Outbox: w.Outbox, Pool: w.Pool, Say: w.Say, Now: now},
		Refresh: func(ctx context.Context, id identity.Identifier) error { return refresh(ctx, id) },
	})
	if err != nil {
		t.Fatal(err)
	}
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
