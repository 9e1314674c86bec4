package profile

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// However words of several sources arrive, what holds is what a reckoning over all of them says: each source's latest word, and of those the
// latest one, dated by the last time that its source said it, and by the first. And the journal, read through, leads from nothing to what holds, without
// a gap and without a step that changes nothing.
func TestWordsMergeInAnyOrder(t *testing.T) {
	t.Parallel()
	const seed = 20261126
	random := rand.New(rand.NewPCG(seed, seed))
	w := newWorld(t, map[string][]string{"a": {"name_ru", "address"}, "b": {"address"}, "c": {"name_be", "name_ru", "address"}})

	w.ask(t, PrimarySignIn)
	heard := map[string][]Word{} // all that ever arrived, by the value's name
	holds := map[string]string{} // of it, by the value's name
	var changes []string
	for step := range 150 {
		from, now := w.All[random.IntN(len(w.All))], noon.Add(time.Duration(step)*time.Minute)
		a := answer{At: noon.Add(time.Duration(step/4+random.IntN(12)) * time.Hour), Values: map[string]string{}}
		for _, name := range from.Values {
			if n := random.IntN(4); n > 0 { // else it knows nothing of it
				a.Values[name] = fmt.Sprint(n)
			}
			heard[name] = append(heard[name], Word{Source: from.Name, Value: a.Values[name], At: a.At, Since: now})
		}
		w.write(t, func(ctx context.Context, tx pgx.Tx) error { return w.take(ctx, tx, anna, from, a, now) })
		var want []string
		for _, name := range Names {
			held := reckoned(heard[name])
			if held.Value != "" {
				want = append(want, dated(name, held))
			}
			if held.Value != holds[name] {
				changes = append(changes, fmt.Sprintf("%s: %s -> %s %s", name, holds[name], held.Value, cmp.Or(held.Source, from.Name)))
				holds[name] = held.Value
			}
		}
		var got []string
		_, told := w.told(t)
		for _, v := range told.Values {
			got = append(got, dated(v.Name, v.Word))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("step %d: got %q, want %q", step, got, want)
		}
	}
	if got := w.changes(t); !slices.Equal(got, changes) || len(changes) < 20 {
		t.Errorf("the journal tells:\n%q\nwant:\n%q", got, changes)
	}
}

func dated(name string, w Word) string {
	return fmt.Sprintf("%s=%s %s, as of %s, since %s", name, w.Value, w.Source, w.At.UTC(), w.Since.UTC())
}

// reckoned is what holds of all words that ever arrived, in that order.
func reckoned(arrived []Word) (held Word) {
	latest := map[string]Word{}
	for _, w := range arrived {
		before, ok := latest[w.Source]
		if ok && w.At.Before(before.At) {
			continue
		}
		if ok && w.Value == before.Value {
			w.Since = before.Since
		}
		latest[w.Source] = w
	}
	for _, source := range []string{"c", "b", "a"} { // of two as late the first name holds
		if w := latest[source]; w.Value != "" && !w.At.Before(held.At) {
			held = w
		}
	}
	return held
}
