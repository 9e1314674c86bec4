package policy_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/clerk"
	"asoba.example/login/identity/identitytest"
	"asoba.example/login/policy"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/pair"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// A world is the operator's staff and what they settle. Its clock stands still until it is moved.
type world struct {
	*policy.Policies
	pool                         *pgxpool.Pool
	anna, boris, auditor, nobody uuid.UUID
	now                          time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{pool: pgtest.New(t), now: noon}
	for i, of := range []struct {
		who          *uuid.UUID
		number, role string
	}{
		{&w.anna, "3080356A001PB5", "operator"},
		{&w.boris, "1010130K001PB9", "operator"},
		{&w.auditor, "2290296M000BA3", "auditor"},
		{&w.nobody, "5311299B500PB0", ""},
	} {
		*of.who = uuid.Must(uuid.NewV7())
		w.exec(t, `INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in) VALUES ($1, $2, 'F', '1856', 'BY', 1)`, *of.who, of.number)
		w.exec(t, `INSERT INTO identity (person_id, state, phone, phone_index, issued_at, changed_at) VALUES ($1, 'active', '\x00', $2, now(), now())`,
			*of.who, []byte{byte(i)})
		if of.role != "" {
			w.exec(t, `INSERT INTO clerk (person_id, office, role, added_at) VALUES ($1, 'Centre', $2, now())`, *of.who, of.role)
		}
	}
	var err error
	if w.Policies, err = policy.New(t.Context(), w.pool, func() time.Time { return w.now }); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := w.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

var order = policy.Ground{Title: "Regulation", Number: "17", Date: noon}

func (w *world) propose(t *testing.T, name, value string, from time.Time) policy.Row {
	t.Helper()
	row, err := w.Propose(t.Context(), w.anna, name, value, from, order)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func (w *world) events(t *testing.T) (n int) {
	t.Helper()
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM event`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// The defaults are values of their items, and names are not given twice.
func TestItemsAreSound(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, item := range policy.Items {
		if seen[item.Name()] {
			t.Errorf("%s is there twice", item.Name())
		}
		seen[item.Name()] = true
		if _, err := item.Read(item.Default()); err != nil {
			t.Errorf("%s: its default %s: %v", item.Name(), item.Default(), err)
		}
		for _, wrong := range []string{"", "x", "-1", "0", "0s", "1000000", "1000000h", "NaN%", "100%", "%", "0 in 15m", "10 in 0s", "10 in 1000h", "10"} {
			if _, err := item.Read(wrong); err != nil && !errors.Is(err, policy.ErrValue) {
				t.Errorf("%s of %q: %v", item.Name(), wrong, err)
			}
		}
	}
	for name, value := range map[string]string{
		"code.for": "11m", "code.tries": "2", "code.pauses": "5s", "sign_in.number": "0 in 15m", "sign_in.number_pauses": "1s", "sign_in.network": "100 in 168h", "current_password": "100000 in 15m", "session.total": "25h", "temporary_password.for": "1h",
		"static_password.longest": "63", "password.cost": "19MiB t=1 p=1", "basis.for": "1h", "edition.deactivated_share": "6%", "edition.missing_share": "21%", "edition.rejected_share": "21%", "register.deactivate_incapable": "perhaps",
	} {
		if item, ok := policy.Find(name); !ok {
			t.Errorf("there is no %s", name)
		} else if _, err := item.Read(value); !errors.Is(err, policy.ErrValue) {
			t.Errorf("%s may be %s: %v", name, value, err)
		}
	}
}

// A value is in force from its date, once another than its author has approved it, and until the next one is.
func TestTwoPeopleBringAValueIntoForce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	holds := func(when string, want time.Duration) {
		t.Helper()
		if err := w.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := policy.CodeFor.In(w.Policies); got != want {
			t.Errorf("%s: codes are good for %s, want %s", when, got, want)
		}
	}
	holds("by default", 5*time.Minute)
	first := w.propose(t, "code.for", "4m", noon.Add(time.Hour))
	holds("proposed", 5*time.Minute)
	if _, err := w.Approve(t.Context(), first.ID, w.anna); !errors.Is(err, pair.ErrOwn) {
		t.Errorf("approved by its author: %v", err)
	}
	for _, by := range []uuid.UUID{w.auditor, w.nobody, uuid.New()} {
		if _, err := w.Approve(t.Context(), first.ID, by); !errors.Is(err, clerk.ErrRole) {
			t.Errorf("approved by somebody else: %v", err)
		}
	}
	if _, err := w.Approve(t.Context(), first.ID, w.boris); err != nil {
		t.Fatal(err)
	}
	if again, err := w.Approve(t.Context(), first.ID, w.boris); err != nil || again.State != pair.Approved || *again.DecidedBy != w.boris {
		t.Errorf("approved once more: %v, %+v", err, again)
	}
	if _, err := w.Refuse(t.Context(), first.ID, w.boris); !errors.Is(err, pair.ErrDecided) {
		t.Errorf("decided twice: %v", err)
	}
	holds("approved, before its date", 5*time.Minute)
	w.now = noon.Add(time.Hour)
	holds("at its date", 4*time.Minute)

	refused := w.propose(t, "code.for", "9m", noon)
	if _, err := w.Refuse(t.Context(), refused.ID, w.boris); err != nil {
		t.Fatal(err)
	}
	holds("another was refused", 4*time.Minute)
	late := w.propose(t, "code.for", "3m", noon.Add(-time.Hour))
	if row, err := w.Approve(t.Context(), late.ID, w.boris); err != nil || !row.InForceFrom.Equal(w.now) {
		t.Errorf("in force from %s, before it was approved: %v", row.InForceFrom, err)
	}
	holds("from a date that has passed", 3*time.Minute)
	if history, err := w.History(t.Context()); err != nil || len(history) != 3 || history[0].ID != late.ID || history[2].State != pair.Approved {
		t.Errorf("the history: %v, %v", history, err)
	}
	if n := w.events(t); n != 6 {
		t.Errorf("%d events of 6", n)
	}
	if other := policy.CodeTries.In(w.Policies); other != 5 {
		t.Errorf("another item changed: %d", other)
	}
}

// What is not right is refused, and leaves nothing.
func TestWhatIsNotRightIsNotProposed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for story, c := range map[string]struct {
		by          uuid.UUID
		name, value string
		ground      policy.Ground
		want        error
	}{
		"an item that there is not": {w.anna, "code.form", "5m", order, policy.ErrUnknown},
		"a value out of bounds":     {w.anna, "code.for", "1h", order, policy.ErrValue},
		"without a document":        {w.anna, "code.for", "4m", policy.Ground{}, policy.ErrGround},
		"with one of tomorrow":      {w.anna, "code.for", "4m", policy.Ground{Title: "Regulation", Number: "17", Date: noon.AddDate(0, 0, 1)}, policy.ErrGround},
		"with a title that turns":   {w.anna, "code.for", "4m", policy.Ground{Title: "Reg\u202eulation", Number: "17", Date: noon}, policy.ErrGround},
		"with a number that is nul": {w.anna, "code.for", "4m", policy.Ground{Title: "Regulation", Number: "\x00", Date: noon}, policy.ErrGround},
		"by an auditor":             {w.auditor, "code.for", "4m", order, clerk.ErrRole},
		"by a citizen":              {w.nobody, "code.for", "4m", order, clerk.ErrRole},
	} {
		if _, err := w.Propose(t.Context(), c.by, c.name, c.value, noon, c.ground); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", story, err, c.want)
		}
	}
	if _, err := w.Propose(t.Context(), w.anna, "code.for", "4m", time.Time{}, order); !errors.Is(err, policy.ErrDate) {
		t.Errorf("without a date: %v", err)
	}
	if _, err := w.Approve(t.Context(), uuid.New(), w.anna); !errors.Is(err, policy.ErrUnknown) {
		t.Errorf("a proposal that there is not: %v", err)
	}
	if history, err := w.History(t.Context()); err != nil || len(history) != 0 || w.events(t) != 0 {
		t.Errorf("something is left: %v, %v", history, err)
	}
}

// A value is settled and recorded, or neither; of decisions that differ one holds, whoever is quick to make both.
func TestSettlingLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	row := w.propose(t, "code.for", "4m", noon)
	heal := pgtest.FailOn(t, w.pool, "INSERT", "event")
	if _, err := w.Propose(t.Context(), w.anna, "code.for", "3m", noon, order); err == nil {
		t.Error("proposed without a record")
	}
	if _, err := w.Approve(t.Context(), row.ID, w.boris); err == nil {
		t.Error("approved without a record")
	}
	heal()
	if history, err := w.History(t.Context()); err != nil || len(history) != 1 || history[0].State != pair.Open {
		t.Errorf("something is left: %v, %v", history, err)
	}
	var (
		deciding sync.WaitGroup
		told     [8]policy.Row
	)
	for n := range told {
		decide := []func(context.Context, uuid.UUID, uuid.UUID) (policy.Row, error){w.Approve, w.Refuse}[n%2]
		deciding.Go(func() {
			var err error
			if told[n], err = decide(t.Context(), row.ID, w.boris); err != nil && !errors.Is(err, pair.ErrDecided) {
				t.Error(err)
			}
		})
	}
	deciding.Wait()
	history, err := w.History(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n, told := range told {
		if same := history[0].State == []pair.State{pair.Approved, pair.Refused}[n%2]; same != (told.State == history[0].State) {
			t.Errorf("it is %s, and one of them was told of %q", history[0].State, told.State)
		}
	}
	if n := w.events(t); n != 2 {
		t.Errorf("%d events of 2", n)
	}
}

// Broken at any statement nothing is settled. Done but reported failed, who settles the same again is told what became of it, and it is
// done once.
func TestWhoDidNotHearSettlesTheSameAgain(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	clerks := &clerk.Clerks{Pool: w.Pool}
	anna, _ := w.Active(t)
	boris, _ := w.Active(t)
	for _, person := range []uuid.UUID{anna, boris} {
		if err := clerks.Add(t.Context(), clerk.Clerk{Person: person, Office: "Centre", Role: clerk.Operator}, uuid.Nil, noon); err != nil {
			t.Fatal(err)
		}
	}
	now := noon
	policies, err := policy.New(t.Context(), w.Pool, func() time.Time { now = now.Add(time.Second); return now })
	if err != nil {
		t.Fatal(err)
	}
	seconds := 120
	proposing := func(from func() time.Time) (value string, propose func() (policy.Row, error)) {
		seconds++
		value = fmt.Sprintf("%ds", seconds)
		return value, func() (policy.Row, error) {
			return policies.Propose(t.Context(), anna, "code.for", value, from(), order)
		}
	}
	passed := func() time.Time { return now }
	later := func() time.Time { return noon.AddDate(0, 1, 0) }
	for name, anew := range map[string]func() (string, func() (policy.Row, error)){
		"propose, from its approval": func() (string, func() (policy.Row, error)) { return proposing(passed) },
		"propose, from a day":        func() (string, func() (policy.Row, error)) { return proposing(later) },
		"approve": func() (string, func() (policy.Row, error)) {
			value, propose := proposing(later)
			row, err := propose()
			if err != nil {
				t.Fatal(err)
			}
			return value, func() (policy.Row, error) { return policies.Approve(t.Context(), row.ID, boris) }
		},
		"refuse": func() (string, func() (policy.Row, error)) {
			value, propose := proposing(later)
			row, err := propose()
			if err != nil {
				t.Fatal(err)
			}
			return value, func() (policy.Row, error) { return policies.Refuse(t.Context(), row.ID, boris) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, act := anew()
			w.BreakEach(t, func() error { _, err := act(); return err })
			w.LoseEach(t, func() (func() (uuid.UUID, string, error), func() string) {
				value, act := anew()
				return func() (uuid.UUID, string, error) {
						row, err := act()
						return row.ID, string(row.State), err
					}, func() string {
						return fmt.Sprint(w.Count(t, `policy WHERE value = $1`, value), w.Count(t, `event WHERE detail->>'value' = $1`, value))
					}
			})
		})
	}

	// What differs in anything is another proposal.
	_, propose := proposing(later)
	first, err := propose()
	if err != nil {
		t.Fatal(err)
	}
	other := order
	other.Number = "18"
	for story, propose := range map[string]func() (policy.Row, error){
		"by another": func() (policy.Row, error) {
			return policies.Propose(t.Context(), boris, first.Name, first.Value, later(), order)
		},
		"from another day": func() (policy.Row, error) {
			return policies.Propose(t.Context(), anna, first.Name, first.Value, later().Add(time.Hour), order)
		},
		"from its approval": func() (policy.Row, error) {
			return policies.Propose(t.Context(), anna, first.Name, first.Value, noon, order)
		},
		"on another document": func() (policy.Row, error) {
			return policies.Propose(t.Context(), anna, first.Name, first.Value, later(), other)
		},
	} {
		if row, err := propose(); err != nil || row.ID == first.ID {
			t.Errorf("%s: %v, %v", story, row, err)
		}
	}
}
