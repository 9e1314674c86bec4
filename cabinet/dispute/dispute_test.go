package dispute_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/dispute"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/seal"
)

var (
	anna = uuid.MustParse("018f0000-0000-7000-8000-000000000001")
	noon = time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC) // in Minsk
)

const annasNumber = "0000000A000PB2"

// world is Anna's cabinet and the book of disputes.
type world struct{ dispute.Book }

func newWorld(t *testing.T) world {
	t.Helper()
	pool := pgtest.NewCabinet(t)
	box, err := seal.Open(t.Context(), pool, []byte("01234567890123456789012345678901"), noon)
	if err != nil {
		t.Fatal(err)
	}
	err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		return profile.Apply(t.Context(), tx, []profile.Person{{ID: anna, Number: annasNumber, Sex: "F", BirthDate: "1956", Citizenship: "PL"}}, noon)
	})
	if err != nil {
		t.Fatal(err)
	}
	return world{dispute.Book{Pool: pool, Box: box}}
}

// dispute has Anna dispute her citizenship.
func (w world) dispute(ctx context.Context) error {
	return w.Make(ctx, annasNumber, dispute.Dispute{Name: "citizenship", Source: profile.Register, Value: "PL", Words: "I am of Belarus"}, "low", noon)
}

// held are Anna's disputes, the latest first.
func (w world) held(t *testing.T) (all []dispute.Dispute) {
	t.Helper()
	var b pgx.Batch
	w.Queue(&b, annasNumber, &all)
	if err := w.Pool.SendBatch(t.Context(), &b).Close(); err != nil {
		t.Fatal(err)
	}
	return all
}

// check holds the whole: the states of all disputes, the latest first, and a record of each act, the earliest first.
func (w world) check(t *testing.T, story string, states []dispute.State, told ...journal.Kind) {
	t.Helper()
	var got []dispute.State
	for _, d := range w.held(t) {
		got = append(got, d.State)
		if d.Open() != (d.State == dispute.Received || d.State == dispute.Sent) {
			t.Errorf("%s: %s is open: %v", story, d.State, d.Open())
		}
	}
	rows, _ := w.Pool.Query(t.Context(), `SELECT kind FROM journal WHERE person_id = $1 ORDER BY id`, anna)
	kinds, err := pgx.CollectRows(rows, pgx.RowTo[journal.Kind])
	if err != nil || !slices.Equal(got, states) || !slices.Equal(kinds, told) {
		t.Errorf("%s: got %q, %q, want %q, %q; %v", story, got, kinds, states, told, err)
	}
}

// A dispute goes its way once, each act with its record or not at all; what was said and answered is the citizen's, and lies sealed.
func TestADisputeGoesItsWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var id uuid.UUID
	send := func(ctx context.Context) error {
		_, err := w.Send(ctx, id, "Operator", noon.Add(time.Hour))
		return err
	}
	answer := func(ctx context.Context) error {
		return w.Answer(ctx, id, dispute.Answer{Outcome: dispute.Corrected, Words: "You are", By: "Operator", At: noon.Add(2 * time.Hour)})
	}
	withdraw := func(ctx context.Context) error {
		return w.Withdraw(ctx, annasNumber, "citizenship", "low", noon.Add(time.Hour))
	}

	var told []journal.Kind
	for _, act := range []struct {
		story string
		do    func(context.Context) error
		verb  string
		leads []dispute.State
		kind  journal.Kind
	}{
		{"made", w.dispute, "INSERT", []dispute.State{dispute.Received}, journal.DisputeMade},
		{"withdrawn", withdraw, "UPDATE", []dispute.State{dispute.Withdrawn}, journal.DisputeWithdrawn},
		{"made again", w.dispute, "INSERT", []dispute.State{dispute.Received, dispute.Withdrawn}, journal.DisputeMade},
		{"sent", send, "UPDATE", []dispute.State{dispute.Sent, dispute.Withdrawn}, journal.DisputeSent},
		{"answered", answer, "UPDATE", []dispute.State{dispute.Corrected, dispute.Withdrawn}, journal.DisputeAnswered},
	} {
		var before []dispute.State
		for _, d := range w.held(t) {
			before = append(before, d.State)
			if d.Open() {
				id = d.ID
			}
		}
		for _, fault := range []struct{ verb, table string }{{act.verb, "dispute"}, {"INSERT", "journal"}} {
			heal := pgtest.FailOn(t, w.Pool, fault.verb, fault.table)
			if act.do(t.Context()) == nil {
				t.Errorf("%s over a broken %s", act.story, fault.table)
			}
			heal()
			w.check(t, act.story+" over a broken "+fault.table, before, told...)
		}
		if err := act.do(t.Context()); err != nil {
			t.Fatalf("%s: %v", act.story, err)
		}
		told = append(told, act.kind)
		w.check(t, act.story, act.leads, told...)
		if act.kind == journal.DisputeMade { // said twice, it is said once
			if err := act.do(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.check(t, act.story+" twice", act.leads, told...)
		}
	}
	for story, do := range map[string]func(context.Context) error{"sent": send, "answered": answer} {
		if err := do(t.Context()); !errors.Is(err, dispute.ErrEnded) {
			t.Errorf("%s after its end: %v", story, err)
		}
	}
	if err := withdraw(t.Context()); err != nil {
		t.Fatal(err)
	}
	id = uuid.New()
	for story, do := range map[string]func(context.Context) error{"sent": send, "answered": answer} {
		if err := do(t.Context()); !errors.Is(err, dispute.ErrUnknown) {
			t.Errorf("%s of nobody: %v", story, err)
		}
	}
	w.check(t, "at the end", []dispute.State{dispute.Corrected, dispute.Withdrawn}, told...)

	if d := w.held(t)[0]; d.Value != "PL" || d.Words != "I am of Belarus" || d.Answer != "You are" || !d.SentAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("the citizen reads %q, %q, %q", d.Value, d.Words, d.Answer)
	}
	var open bool
	const find = `
		SELECT bool_or(position('Belarus'::bytea IN words) > 0 OR position('You are'::bytea IN answer) > 0)
		       OR (SELECT bool_or(detail::text LIKE '%Belarus%') FROM journal)
		FROM dispute`
	if err := w.Pool.QueryRow(t.Context(), find).Scan(&open); err != nil || open {
		t.Errorf("it lies open: %v", err)
	}
}

// An operator's list tells who waits and for what, and nothing of what was said; the letter to the source tells that, and each time it is
// read the citizen is told.
func TestTheOperatorSendsWhatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.dispute(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := func() []dispute.Waiting {
		t.Helper()
		all, err := dispute.List(t.Context(), w.Pool)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	waiting := list()
	if len(waiting) != 1 || waiting[0].Person != anna || waiting[0].Name != "citizenship" || waiting[0].State != dispute.Received {
		t.Fatalf("waiting: %+v", waiting)
	}
	for range 2 {
		letter, err := w.Send(t.Context(), waiting[0].ID, "Operator", noon)
		if err != nil || letter.Subject != annasNumber || letter.Stands != "PL" || letter.Words != "I am of Belarus" {
			t.Errorf("the letter: %q, %q, %v", letter.Stands, letter.Words, err)
		}
	}
	w.check(t, "read twice", []dispute.State{dispute.Sent}, journal.DisputeMade, journal.DisputeSent, journal.DisputeSent)
	err := w.Answer(t.Context(), waiting[0].ID, dispute.Answer{Outcome: dispute.Upheld, Words: "No", By: "Operator", At: noon})
	if err != nil || len(list()) != 0 {
		t.Errorf("answered: %v; %d wait", err, len(list()))
	}
}

// Words can be sent on as they are.
func TestWordsAreWords(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{" Так.\r\nНе так. ": "Так.\nНе так.", strings.Repeat("я", 2000): strings.Repeat("я", 2000)} {
		if got, err := dispute.ParseWords(s); err != nil || got != want {
			t.Errorf("%.20q became %.20q, %v", s, got, err)
		}
	}
	for _, s := range []string{"", " \n", "a\x00b", "a\u202eb", "a\xffb", strings.Repeat("я", 2001)} {
		if got, err := dispute.ParseWords(s); err == nil {
			t.Errorf("%.20q became %.20q", s, got)
		}
	}
}

// No query of disputes reads them all.
func TestQueriesGoByTheirIndexes(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off`); err != nil {
			return err
		}
		for index, query := range dispute.Queries {
			rows, _ := tx.Query(t.Context(), `EXPLAIN (COSTS OFF) `+query.SQL, query.Args...)
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				return err
			}
			if got := strings.Join(lines, "\n"); !strings.Contains(got, index) || strings.Contains(got, "Sort") || strings.Contains(got, "Seq Scan") {
				t.Errorf("not by %s alone:\n%s", index, got)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Where a value was corrected its source, and no other, is asked anew, as part of the answer; the population register tells it by itself.
func TestTheSourceOfACorrectedValueIsAskedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	says := journal.Names{"": "82"}
	asked := []profile.Source{{Name: "documents", Title: says, Basis: says}, {Name: "registry", Title: says, Basis: says}}
	if _, err := profile.Put(t.Context(), w.Pool, asked, "Operator", noon); err != nil {
		t.Fatal(err)
	}
	for _, d := range []dispute.Dispute{
		{Name: "citizenship", Source: profile.Register, Value: "PL", Words: "I am of Belarus"},
		{Name: "address", Source: "registry", Value: "Minsk", Words: "I have moved"},
		{Name: "name_ru", Source: "documents", Value: "Анна", Words: "I am Hanna"},
	} {
		if err := w.Make(t.Context(), annasNumber, d, "low", noon); err != nil {
			t.Fatal(err)
		}
	}
	answer := func(name string, outcome dispute.State) error {
		all := w.held(t)
		i := slices.IndexFunc(all, func(d dispute.Dispute) bool { return d.Name == name })
		return w.Answer(t.Context(), all[i].ID, dispute.Answer{Outcome: outcome, Words: "So it is", By: "Operator", At: noon})
	}
	heal := pgtest.FailOn(t, w.Pool, "INSERT", "refresh")
	if answer("address", dispute.Corrected) == nil {
		t.Error("answered, and nobody is asked")
	}
	heal()
	for name, outcome := range map[string]dispute.State{"address": dispute.Corrected, "name_ru": dispute.Upheld, "citizenship": dispute.Corrected} {
		if err := answer(name, outcome); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	rows, _ := w.Pool.Query(t.Context(), `SELECT source || ' ' || occasion FROM refresh WHERE due_at IS NOT NULL`)
	if got, err := pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || !slices.Equal(got, []string{"registry correction"}) {
		t.Errorf("asked are %q, %v", got, err)
	}
}
