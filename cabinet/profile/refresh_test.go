package profile

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

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
	for _, former := range []*system{documents, registry} { // of which nobody waits for a word, then
		w.drop(t, former.Name)
		_, all := w.told(t)
		if _, silent := all.Silent[former.Name]; silent || len(all.Silent) != 1 || len(all.Values) != 1 || (all.Values[0].Silent == nil) != (former == documents) {
			t.Errorf("without %s: %+v, silent %v", former.Name, all.Values, all.Silent)
		}
		w.put(t, former.Source)
	}
	w.ask(t, Application)
	w.now = w.now.Add(floor)
	w.refresh(t)
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

// Sources are put in force and taken out by the operator's acts, each with its record, and by nothing else. One that is taken out is asked no
// more, not even about those for whom it was due, and what it told says still from where it is, and on what basis.
func TestSourcesAreInForceByTheOperatorsActs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string][]string{"documents": {"address"}, "registry": {"address"}})
	documents, registry := w.systems["documents"], w.systems["registry"]
	for _, s := range w.systems {
		s.tell(noon, map[string]string{"address": "Минск"})
	}
	asked := func(story string, want ...string) {
		t.Helper()
		before := map[string]int{"documents": documents.times(), "registry": registry.times()}
		w.now = w.now.Add(floor)
		w.ask(t, Order)
		if w.refresh(t) > 0 {
			t.Errorf("%s: not all were asked", story)
		}
		for name, s := range w.systems {
			if s.times() > before[name] != slices.Contains(want, name) {
				t.Errorf("%s: asked %s %d times, want %q asked", story, name, s.times()-before[name], want)
			}
		}
	}
	asked("both in force", "documents", "registry")
	if changed := w.put(t, documents.Source, registry.Source); len(changed) > 0 {
		t.Errorf("put again as they are, %q changed", changed)
	}
	told := documents.Source
	told.Title, told.Basis = journal.Names{"ru": "Документы"}, journal.Names{"ru": "приказ"}
	if changed := w.put(t, told, registry.Source); !slices.Equal(changed, []string{"documents"}) {
		t.Errorf("put under another title, %q changed", changed)
	}
	w.put(t)
	asked("nothing was put", "documents", "registry")
	w.now = w.now.Add(floor)
	w.ask(t, Application)
	unread := NewSources(w.Box, w.All()...) // of a node that has not read yet
	w.drop(t, "documents")
	before := documents.times()
	late := Asker{Sources: unread, Pool: w.Pool, Caller: w.Caller, Now: w.Now}
	if err := late.Refresh(t.Context(), documents.Source); err != nil || documents.times() != before {
		t.Errorf("it was due when it was taken out, and is asked %d times, %v", documents.times()-before, err)
	}
	asked("one is taken out", "registry")
	if s := w.Find("documents"); s.InForce || s.Title.In("ru") != "Документы" || s.Basis.In("be") != "приказ" {
		t.Errorf("of what is taken out is known %+v", s.Title)
	}
	for _, name := range []string{"documents", "nobody"} {
		if err := Drop(t.Context(), w.Pool, name, "Operator", w.now); !errors.Is(err, ErrNotInForce) {
			t.Errorf("%s is taken out: %v", name, err)
		}
	}
	before = documents.times()
	w.put(t, documents.Source)
	if w.refresh(t); documents.times() != before {
		t.Error("it is asked of what it was due for before it was taken out")
	}
	asked("put in again", "documents", "registry")
	all, err := Standings(t.Context(), w.Pool)
	if err != nil || len(all) != 2 || all[0].Name != "documents" || !all[0].InForce || !slices.Equal(all[0].Names, []string{"address"}) || all[0].By != "Operator" {
		t.Errorf("they stand %+v, %v", all, err)
	}
	rows, _ := w.Pool.Query(t.Context(), `SELECT source || ' ' || act FROM source_act ORDER BY id`)
	acts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if want := []string{"documents put", "registry put", "documents put", "documents dropped", "documents put"}; err != nil || !slices.Equal(acts, want) {
		t.Errorf("recorded are %q, %v; want %q", acts, err, want)
	}
	for table, act := range map[string]func() error{
		"put": func() error {
			_, err := Put(t.Context(), w.Pool, []Source{told}, "Operator", w.now)
			return err
		},
		"drop": func() error { return Drop(t.Context(), w.Pool, "registry", "Operator", w.now) },
	} {
		heal := pgtest.FailOn(t, w.Pool, "INSERT", "source_act")
		if act() == nil {
			t.Errorf("%s without its record", table)
		}
		heal()
	}
	if err := w.Read(t.Context(), w.Pool); err != nil || !w.Find("registry").InForce || w.Find("documents").Title.In("ru") == "Документы" {
		t.Errorf("something was left of acts that failed: %v", err)
	}
}

// What a node has no address of it does not ask, and says so: another one does, or nobody. What the operator has not put in force it does not
// ask, whatever its settings name.
func TestANodeTellsWhichSourcesItCannotAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t, map[string][]string{"documents": {"address"}, "registry": {"address"}})
	documents, registry := w.systems["documents"], w.systems["registry"]
	var lines bytes.Buffer
	watch := &Watch{Sources: w.Sources, Pool: w.Pool, Named: []Source{documents.Source}, Log: slog.New(slog.NewTextHandler(&lines, nil))}
	for range 2 {
		if err := watch.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := lines.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "registry") || strings.Contains(got, "documents") {
		t.Errorf("it writes %s", got)
	}
	lines.Reset()
	watch.Named = append(watch.Named, registry.Source, Source{Name: "forgotten"})
	for range 2 {
		if err := watch.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := lines.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "[forgotten]") || !strings.Contains(got, "never put in force") {
		t.Errorf("of one that nobody has put in force it writes %s", got)
	}
	watch.Named = []Source{documents.Source}
	lines.Reset()
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(watch)
	counts := func() float64 {
		t.Helper()
		families, err := metrics.Gather()
		if err != nil || len(families) != 1 {
			t.Fatalf("%d metrics, %v", len(families), err)
		}
		return families[0].GetMetric()[0].GetGauge().GetValue()
	}
	if got := counts(); got != 1 {
		t.Errorf("it counts %v", got)
	}
	w.drop(t, "registry")
	watch.Named = append(watch.Named, registry.Source)
	if err := watch.Read(t.Context()); err != nil || counts() != 0 || lines.Len() > 0 {
		t.Errorf("taken out, it counts still, or is told of: %v\n%s", err, &lines)
	}
	registry.away()
	w.ask(t, PrimarySignIn)
	if err := w.Refresh(t.Context(), registry.Source); err != nil || registry.times() > 0 {
		t.Errorf("what is not in force was asked: %v", err)
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
