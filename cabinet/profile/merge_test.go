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
	all := w.All()
	for step := range 150 {
		from, now := all[random.IntN(len(all))], noon.Add(time.Duration(step)*time.Minute)
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

// However often the register changes its word of somebody, the cabinet is as it said last, with each value dated by when it changed last, and the journal
// tells of each change once. What it says again changes nothing.
func TestTheRegistersWordIsTakenAsItIs(t *testing.T) {
	t.Parallel()
	const seed = 20261127
	random := rand.New(rand.NewPCG(seed, seed))
	w := newWorld(t, nil)
	one := func(of ...string) string { return of[random.IntN(len(of))] }
	since := func() *time.Time {
		if n := random.IntN(3); n > 0 {
			return new(time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC))
		}
		return nil
	}
	day := func(at *time.Time) string {
		if at == nil {
			return ""
		}
		return at.Format(time.DateOnly)
	}
	valuesOf := func(p Person) map[string]string {
		return map[string]string{
			"identification_number": p.Number, "sex": p.Sex, "birth_date": p.BirthDate, "citizenship": p.Citizenship,
			"incapable": day(p.Incapable), "limited": day(p.Limited), "gone": string(p.Gone),
		}
	}
	said := Person{ID: anna, Number: annasNumber, Sex: "F", BirthDate: "1956", Citizenship: "BY"}
	state, stateAt, updatedAt, changedAt := NotActivated, noon, noon, map[string]time.Time{}
	for step := range 150 {
		at := noon.Add(time.Duration(step+1) * time.Minute)
		before := valuesOf(said)
		for range random.IntN(3) {
			switch random.IntN(7) {
			case 0:
				said.Number = one(annasNumber, "7000000A000PB1")
			case 1:
				said.Sex = one("F", "M")
			case 2:
				said.BirthDate = one("1956", "1956-03", "1956-03-08")
			case 3:
				said.Citizenship = one("BY", "PL", "stateless")
			case 4:
				said.Incapable = since()
			case 5:
				said.Limited = since()
			case 6:
				said.Gone = Reason(one("", "", string(Death), string(Missing)))
			}
		}
		var changes []string
		for field, is := range valuesOf(said) {
			was := before[field]
			switch {
			case is == was:
				continue
			case field != "gone":
				changes = append(changes, fmt.Sprintf("profile.changed %s %s>%s", field, was, is))
				changedAt[field] = at
			case is == "":
				changes = append(changes, "cabinet.restored")
				state, stateAt = NotActivated, at
			default:
				changes = append(changes, "cabinet.deactivated "+is)
				if was == "" {
					state, stateAt = Deactivated, at
				}
			}
			updatedAt = at
		}
		for _, again := range []time.Duration{0, time.Second} {
			w.write(t, func(ctx context.Context, tx pgx.Tx) error { return Apply(ctx, tx, []Person{said}, at.Add(again)) })
		}
		var (
			b   pgx.Batch
			got Profile
		)
		Queue(&b, said.Number, &got)
		if err := w.Pool.SendBatch(t.Context(), &b).Close(); err != nil {
			t.Fatal(err)
		}
		for field, at := range got.ChangedAt {
			got.ChangedAt[field] = at.UTC()
		}
		told := fmt.Sprint(got.State, got.StateAt.UTC(), got.Sex, got.BirthDate, got.Citizenship, day(got.Incapable), day(got.Limited), got.UpdatedAt.UTC(), got.CreatedAt.UTC(), got.ChangedAt)
		want := fmt.Sprint(state, stateAt, said.Sex, said.BirthDate, said.Citizenship, day(said.Incapable), day(said.Limited), updatedAt, noon, changedAt)
		if told != want {
			t.Fatalf("step %d: got %s, want %s", step, told, want)
		}
		const find = `
			SELECT CASE kind
				WHEN 'profile.changed' THEN format('%s %s %s>%s', kind, detail->>'field', detail->>'old', detail->>'new')
				WHEN 'cabinet.deactivated' THEN format('%s %s', kind, detail->>'reason')
				ELSE kind END
			FROM journal WHERE person_id = $1 AND at >= $2`
		rows, _ := w.Pool.Query(t.Context(), find, anna, at)
		entries, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if slices.Sort(entries); !slices.Equal(entries, slices.Sorted(slices.Values(changes))) {
			t.Fatalf("step %d: the journal tells %q, want %q", step, entries, changes)
		}
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
