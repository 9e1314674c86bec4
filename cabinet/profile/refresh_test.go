package profile

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/migrations/pgtest"
)

// Other systems are asked at the primary sign-in, and at the one after a restoration, and on the four occasions of order 82, p. 12, and at no
// other time; about one person no more often than the floor allows, however many occasions there are.
func TestSourcesAreAskedOnTheirOccasions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string][]string{"documents": {"name_ru", "document_number"}})
	documents := w.systems["documents"]
	documents.tell(noon.Add(-time.Hour), map[string]string{"name_ru": "Янка Купала", "address": "not asked for"})
	expect := func(story string, times int) {
		t.Helper()
		if w.refresh(t) != 0 || documents.times() != times {
			t.Errorf("%s: asked %d times, want %d", story, documents.times(), times)
		}
	}
	expect("nothing has happened", 0)
	w.ask(t, PrimarySignIn)
	expect("the primary sign-in", 1)
	expect("nothing has happened since", 1)
	w.now = w.now.Add(24 * time.Hour)
	w.ask(t, PrimarySignIn)
	expect("signed in again", 1)
	for i, why := range []Occasion{Order, Application, Decision, Complaint} {
		w.now = w.now.Add(floor)
		for range 3 {
			w.ask(t, why)
		}
		expect(string(why), 2+i)
	}
	for range 3 {
		w.ask(t, Order)
	}
	w.now = w.now.Add(floor - time.Second)
	expect("a moment later", 5)
	w.now = w.now.Add(time.Second)
	expect("when the floor allows", 6)
	w.now = w.now.Add(24 * time.Hour)
	for _, gone := range []Reason{Missing, ""} {
		w.write(t, func(ctx context.Context, tx pgx.Tx) error {
			return Apply(ctx, tx, []Person{{ID: anna, Number: annasNumber, Sex: "F", BirthDate: "1956", Citizenship: "BY", Gone: gone}}, w.now)
		})
	}
	expect("restored", 6)
	w.ask(t, PrimarySignIn)
	expect("signed in after it", 7)
	var why []Occasion
	for _, q := range documents.asked {
		why = append(why, q.Occasion)
		if q.Number != annasNumber || !slices.Equal(q.Values, documents.Values) {
			t.Errorf("asked %v", q)
		}
	}
	if want := []Occasion{PrimarySignIn, Order, Application, Decision, Complaint, Order, PrimarySignIn}; !slices.Equal(why, want) {
		t.Errorf("asked for %q, want %q", why, want)
	}
	if shown, _ := w.told(t); !slices.Equal(shown, []string{"name_ru=Янка Купала documents"}) {
		t.Errorf("it holds %q", shown)
	}
	if got := w.changes(t); !slices.Equal(got, []string{"name_ru:  -> Янка Купала documents"}) {
		t.Errorf("the journal tells %q", got)
	}
}

// While a source is away what it said last stands, with its date and since when it is silent. It is left alone longer each time, and asked no
// more at last, until there is another occasion; the other sources go on meanwhile.
func TestTheLastWordStandsWhileASourceIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string][]string{"documents": {"document_number"}, "registry": {"address"}})
	documents, registry := w.systems["documents"], w.systems["registry"]
	asOf := noon.Add(-24 * time.Hour)
	documents.tell(asOf, map[string]string{"document_number": "AA0000001"})
	registry.away()
	w.ask(t, PrimarySignIn)
	if broken := w.refresh(t); broken != 1 {
		t.Errorf("%d sources are away, want 1", broken)
	}
	documents.away()
	w.now = w.now.Add(floor)
	w.ask(t, Application)
	silent := w.now
	w.refresh(t)
	_, all := w.told(t)
	if v := all.Values; len(v) != 1 || v[0].Value != "AA0000001" || !v[0].At.Equal(asOf) || !v[0].Since.Equal(noon) || v[0].Silent == nil || !v[0].Silent.Equal(silent) {
		t.Errorf("while it is away: %+v", v)
	}
	if !all.Heard["documents"].Equal(noon) || !all.Silent["registry"].Equal(noon) {
		t.Errorf("heard %v, silent %v", all.Heard, all.Silent)
	}
	asked := w.Sources
	for _, former := range []string{"documents", "registry"} { // of which nobody waits for a word, then
		left := slices.DeleteFunc(slices.Clone(asked.All), func(s Source) bool { return s.Name == former })
		var err error
		if w.Sources, err = Keep(t.Context(), w.Pool, asked.Box, left); err != nil {
			t.Fatal(err)
		}
		_, all := w.told(t)
		if _, silent := all.Silent[former]; silent || len(all.Silent) != 1 || len(all.Values) != 1 || (all.Values[0].Silent == nil) != (former == "documents") {
			t.Errorf("without %s: %+v, silent %v", former, all.Values, all.Silent)
		}
	}
	var err error
	if w.Sources, err = Keep(t.Context(), w.Pool, asked.Box, asked.All); err != nil {
		t.Fatal(err)
	}
	for _, wait := range waits {
		before := documents.times()
		w.now = w.now.Add(wait - time.Second)
		w.refresh(t)
		w.now = w.now.Add(time.Second)
		w.refresh(t)
		if got := documents.times() - before; got != 1 {
			t.Errorf("within %s it was asked %d times, want 1", wait, got)
		}
	}
	before := documents.times()
	w.now = w.now.Add(30 * 24 * time.Hour)
	w.refresh(t)
	if documents.times() != before {
		t.Error("it is asked for ever")
	}
	documents.tell(w.now, map[string]string{"document_number": "AA0000002"})
	w.ask(t, Order)
	w.refresh(t)
	if shown, all := w.told(t); !slices.Contains(shown, "document_number=AA0000002 documents") || all.Values[0].Silent != nil {
		t.Errorf("it is back: %q, %+v", shown, all)
	}
}

// No occasion is lost to one before it: neither while a source that did not answer is left alone, nor while it is being asked.
func TestAnotherOccasionIsNotLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string][]string{"documents": {"address"}})
	documents := w.systems["documents"]
	documents.away()
	w.ask(t, Application)
	w.refresh(t)
	for _, wait := range waits[:len(waits)-1] {
		w.now = w.now.Add(wait)
		w.refresh(t)
	}
	w.now = w.now.Add(floor - time.Second)
	w.ask(t, Complaint)
	before := documents.times()
	w.refresh(t)
	if documents.times() != before {
		t.Error("it is asked sooner than the floor allows")
	}
	w.now = w.now.Add(time.Second)
	documents.say(func(rw http.ResponseWriter) {
		w.ask(t, Decision)
		_, _ = rw.Write([]byte(`{"at": "2026-05-12T09:00:00Z", "values": {"address": "Минск"}}`))
	})
	w.refresh(t)
	documents.away()
	w.now = w.now.Add(floor)
	w.refresh(t)
	w.now = w.now.Add(waits[0])
	w.refresh(t)
	var why []Occasion
	for _, q := range documents.asked[before:] {
		why = append(why, q.Occasion)
	}
	if want := []Occasion{Complaint, Decision, Decision}; !slices.Equal(why, want) {
		t.Errorf("asked for %q, want %q", why, want)
	}
	if shown, _ := w.told(t); !slices.Equal(shown, []string{"address=Минск documents"}) {
		t.Errorf("it holds %q", shown)
	}
}

// A source that is taken out is asked no more, and what it told says still from where it is, and on what basis; put in again, it is asked again.
func TestWhatATakenOutSourceToldSaysFromWhereItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string][]string{"documents": {"address"}, "registry": {"address"}})
	all := w.All
	all[0].Title, all[0].Basis = journal.Names{"ru": "Документы"}, journal.Names{"ru": "приказ"}
	keep := func(asked ...Source) (waiting []string) {
		t.Helper()
		known, err := Keep(t.Context(), w.Pool, w.Box, asked)
		if err != nil {
			t.Fatal(err)
		}
		w.Sources = known
		w.now = w.now.Add(floor)
		w.ask(t, Order)
		rows, _ := w.Pool.Query(t.Context(), `SELECT source FROM refresh WHERE due_at = $1 ORDER BY source`, w.now)
		if waiting, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Pool.Exec(t.Context(), `UPDATE refresh SET due_at = NULL`); err != nil {
			t.Fatal(err)
		}
		return waiting
	}
	if got := keep(all...); !slices.Equal(got, []string{"documents", "registry"}) {
		t.Errorf("asked are %q", got)
	}
	if got := keep(all[1]); !slices.Equal(got, []string{"registry"}) {
		t.Errorf("asked are %q", got)
	}
	if s := w.Find("documents"); s.Asked || s.Title.In("ru") != "Документы" || s.Basis.In("be") != "приказ" {
		t.Errorf("of what is taken out is known %+v", s.Title)
	}
	if got := keep(); len(got) > 0 || len(w.All) != 2 {
		t.Errorf("asked are %q", got)
	}
	if got := keep(all[0]); !slices.Equal(got, []string{"documents"}) || !w.Find("documents").Asked {
		t.Errorf("asked are %q", got)
	}
}

// What a source says is taken only if it can be shown as it is; else it is none, what holds stays, and no error repeats it.
func TestAnAnswerIsWholeOrNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string][]string{"documents": {"name_ru", "document_valid_till"}})
	documents := w.systems["documents"]
	for _, says := range []string{
		``, `no`, `{}`, `[]`, `{"at": "today"}`,
		`{"at": "2026-05-12T09:00:00Z"}`, `{"at": "2026-05-12T09:00:00Z", "values": null}`, `{"at": "2026-05-12T09:00:00Z", "values": []}`,
		`{"at": "2026-05-12T09:00:00Z", "values": {"name_ru": null}}`,
		`{"at": "2026-05-12T09:00:00Z", "values": {"name_ru": "Secret"}} or not`, `{"at": "2026-05-12T09:00:00Z", "values": {}} {}`,
		`{"at": "2026-05-12T09:01:01Z", "values": {"name_ru": "Secret"}}`, // of a time to come
		`{"at": "2026-05-12T09:00:00Z", "values": {"name_ru": ""}}`,
		`{"at": "2026-05-12T09:00:00Z", "values": {"name_ru": " Secret"}}`,
		`{"at": "2026-05-12T09:00:00Z", "values": {"name_ru": 5}}`,
		`{"at": "2026-05-12T09:00:00Z", "values": {"name_ru": "Secret\u202e"}}`,
		`{"at": "2026-05-12T09:00:00Z", "values": {"name_ru": "Secret\u0007"}}`,
		"{\"at\": \"2026-05-12T09:00:00Z\", \"values\": {\"name_ru\": \"Secret\xff\"}}",
		`{"at": "2026-05-12T09:00:00Z", "values": {"name_ru": "` + strings.Repeat("я", longest+1) + `"}}`,
		`{"at": "2026-05-12T09:00:00Z", "values": {"name_ru": "Secret", "document_valid_till": "12.05.2036"}}`,
	} {
		_, err := documents.read([]byte(says), noon)
		if err == nil || strings.Contains(err.Error(), "Secret") {
			t.Errorf("%s: %v", says, err)
		}
	}
	documents.say(func(w http.ResponseWriter) {
		_, _ = w.Write([]byte(`{"at": "2026-05-12T09:00:00Z", "values": {"name_ru": ""}}`))
	})
	w.ask(t, PrimarySignIn)
	if w.refresh(t) != 1 {
		t.Error("an answer that is none was taken")
	}
	if shown, all := w.told(t); shown != nil || all.Silent["documents"].IsZero() {
		t.Errorf("it holds %q, %v", shown, all.Silent)
	}
}

// About one person a source is asked once at a time, however many nodes look; one that was killed over a question is asked instead of after
// the lease, and what it then still hears is let go.
func TestOneQuestionIsInFlight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string][]string{"documents": {"name_ru"}})
	documents := w.systems["documents"]
	asked, answered := make(chan struct{}), make(chan struct{})
	documents.say(func(rw http.ResponseWriter) {
		close(asked)
		<-answered
		_, _ = rw.Write([]byte(`{"at": "2026-05-12T09:00:00Z", "values": {"name_ru": "Late"}}`))
	})
	w.ask(t, PrimarySignIn)
	var first sync.WaitGroup
	first.Go(func() {
		slow := *w
		slow.Now = func() time.Time { return noon }
		_ = slow.Refresh(t.Context(), documents.Source) // it hears, or has given up by then: both come too late
	})
	<-asked
	w.refresh(t)
	if documents.times() != 1 {
		t.Errorf("asked %d times while one question was in flight", documents.times())
	}
	w.now = noon.Add(lease)
	documents.tell(noon, map[string]string{"name_ru": "Янка Купала"})
	w.refresh(t)
	close(answered)
	first.Wait()
	if shown, _ := w.told(t); documents.times() != 2 || !slices.Equal(shown, []string{"name_ru=Янка Купала documents"}) {
		t.Errorf("asked %d times, it holds %q", documents.times(), shown)
	}
}

// What a source says is taken in whole, with its record, or not at all: then it is asked again. Of nobody who is gone it is asked anything.
func TestWhatWasToldIsTakenWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string][]string{"documents": {"name_ru", "address"}})
	documents := w.systems["documents"]
	documents.tell(noon, map[string]string{"name_ru": "Янка Купала", "address": "Минск"})
	w.ask(t, PrimarySignIn)
	for _, table := range []string{"profile_value", "profile_change", "journal"} {
		heal := pgtest.FailOn(t, w.Pool, "INSERT", table)
		if w.refresh(t) != 1 {
			t.Errorf("taken in over a broken %s", table)
		}
		heal()
		if shown, _ := w.told(t); shown != nil || w.changes(t) != nil {
			t.Errorf("over a broken %s something was left: %q", table, shown)
		}
		w.now = w.now.Add(lease)
	}
	heal := pgtest.FailOn(t, w.Pool, "INSERT", "refresh")
	err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error { return act(t.Context(), tx, Order, w.now) })
	if err == nil {
		t.Error("asked over a broken table")
	}
	heal()
	w.refresh(t)
	if shown, _ := w.told(t); len(shown) != 2 || len(w.changes(t)) != 2 {
		t.Errorf("healed, it holds %q", shown)
	}
	var open bool
	const find = `SELECT bool_or(position(convert_to('Минск', 'UTF8') IN value) > 0) OR (SELECT bool_or(detail::text LIKE '%Минск%') FROM journal) FROM profile_value`
	if err := w.Pool.QueryRow(t.Context(), find).Scan(&open); err != nil || open {
		t.Errorf("it lies open: %v", err)
	}

	before := documents.times()
	w.now = w.now.Add(floor)
	w.ask(t, Order)
	if _, err := w.Pool.Exec(t.Context(), `UPDATE cabinet SET state = 'deactivated', state_reason = 'death'`); err != nil {
		t.Fatal(err)
	}
	w.refresh(t)
	if documents.times() != before {
		t.Error("it is asked of the dead")
	}
}

// Sources are named by the operator, and all that is wrong with them is told at once, without their addresses.
func TestSourcesAreWholeOrNone(t *testing.T) {
	t.Parallel()
	good := `{"name": "documents", "title": {"": "Documents"}, "basis": {"ru": "82"}, "url": "https://a:b@documents.example/ask", "values": ["name_ru"]}`
	all, err := ParseSources("[" + good + "]")
	if err != nil || len(all) != 1 || all[0].Title.In("be") != "Documents" {
		t.Errorf("got %+v, %v", all, err)
	}
	if none, err := ParseSources(""); err != nil || none != nil {
		t.Errorf("of nothing: %v, %v", none, err)
	}
	for _, text := range []string{"no", "{}", "[] []", `[{"name": "documents", "secret": "b@"}]`} {
		if _, err := ParseSources(text); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
	_, err = ParseSources("[" + good + "," + good + `, {"name": "` + Register + `", "url": "b@documents", "values": ["password"]}]`)
	if err == nil || strings.Count(err.Error(), "\n") != 4 || strings.Contains(err.Error(), "b@") {
		t.Errorf("got %v", err)
	}
}
