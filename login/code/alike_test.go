package code_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/code"
	"asoba.example/login/identity"
)

// A code asked for by a number goes to whose it is, and is good by the alias alone. That of nobody's number is never right, and
// of it everything else is as of somebody's: how long it is good, the waits, the tries.
func TestACodeOfNobodyIsAsAnyOther(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		phone, err := identity.ParsePhone("+375294911911")
		if err != nil {
			w.Fatal(err)
		}
		somebody, nobody := w.codes.Alias("somebody"), w.codes.Alias("nobody")
		if somebody == nobody || somebody == uuid.Nil || w.codes.Alias("somebody") != somebody {
			w.Fatal("an alias must be of one number")
		}
		send := func(alias uuid.UUID) (code.Sent, error) {
			to := identity.Identity{}
			if alias == somebody {
				to = identity.Identity{Person: w.person, Phone: phone}
			}
			return w.codes.SendAlike(w.Context(), code.For{Purpose: code.Recover, Person: alias, Occasion: occasion}, to, "ru", false, nil)
		}
		check := func(alias uuid.UUID, digits string) error {
			return w.codes.Check(w.Context(), code.For{Purpose: code.Recover, Person: alias, Occasion: occasion}, digits)
		}
		type answer struct {
			sent code.Sent
			wait bool
			err  error
		}
		rounds := map[uuid.UUID][]answer{}
		for range 4 { // the budget of an hour is three
			for _, alias := range []uuid.UUID{somebody, nobody} {
				sent, err := send(alias)
				a := answer{sent, errors.Is(err, code.ErrWait), nil}
				for range 6 {
					a.err = errors.Join(a.err, check(alias, other(w.phone.last())))
				}
				rounds[alias] = append(rounds[alias], a)
			}
			w.at = w.at.Add(6 * time.Minute)
		}
		for n, s := range rounds[somebody] {
			if d := rounds[nobody][n]; s.sent != d.sent || s.wait != d.wait || s.err.Error() != d.err.Error() {
				w.Errorf("round %d: of somebody %+v, of nobody %+v", n, s, d)
			}
			if s.wait != (n == 3) {
				w.Errorf("round %d: wait %t", n, s.wait)
			}
		}
		w.at = w.at.Add(time.Hour)
		for _, alias := range []uuid.UUID{nobody, somebody} {
			if _, err := send(alias); err != nil {
				w.Fatal(err)
			}
		}
		w.want("the code of nobody", check(nobody, w.phone.texts[len(w.phone.texts)-2]), code.ErrWrong)
		w.want("by the person", w.codes.Check(w.Context(), code.For{Purpose: code.Recover, Person: w.person, Occasion: occasion}, w.phone.last()), code.ErrOver)
		w.want("by the alias", check(somebody, w.phone.last()), nil)

		// What strangers ask for by the number uses up nothing of what the person is sent to sign in.
		w.want("a code to sign in", w.send(), nil)
		var kinds []int
		for _, kind := range []string{"code.sent", "code.withheld"} {
			var n int
			if err := w.pool.QueryRow(w.Context(), `SELECT count(*) FROM event WHERE kind = $1`, kind).Scan(&n); err != nil {
				w.Fatal(err)
			}
			kinds = append(kinds, n)
		}
		if kinds[0] != 5 || kinds[1] != 4 {
			w.Errorf("%d codes are recorded as sent and %d as withheld, want 5 and 4", kinds[0], kinds[1])
		}
	})
}
