package profile

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/fetch"
	"asoba.example/provider/seal"
)

var (
	anna = uuid.MustParse("018f0000-0000-7000-8000-000000000001")
	noon = time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC) // in Minsk
)

const annasNumber = "0000000A000PB2"

// system is another system of the state: it answers as it is told to, and keeps what it was asked.
type system struct {
	Source
	mu    sync.Mutex // over what follows
	says  func(w http.ResponseWriter)
	asked []question
}

func (s *system) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q question
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, q)
	says := s.says
	s.mu.Unlock()
	says(w)
}

// say has it answer so from now on.
func (s *system) say(says func(w http.ResponseWriter)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.says = says
}

// tell has it answer with values as of a time.
func (s *system) tell(at time.Time, values map[string]string) {
	text, _ := json.Marshal(answer{at, values})
	s.say(func(w http.ResponseWriter) { _, _ = w.Write(text) })
}

// away has it answer nothing that can be used.
func (s *system) away() {
	s.say(func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) })
}

// times is how often it was asked.
func (s *system) times() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// world is Anna's cabinet, and the systems that are asked about her. Nobody in it has a name.
type world struct {
	Asker
	systems map[string]*system
	now     time.Time
}

func newWorld(t *testing.T, sources map[string][]string) *world {
	t.Helper()
	w := &world{systems: map[string]*system{}, now: noon}
	pool := pgtest.NewCabinet(t)
	box, err := seal.Open(t.Context(), pool, []byte("01234567890123456789012345678901"), noon)
	if err != nil {
		t.Fatal(err)
	}
	w.Asker = Asker{Pool: pool, Caller: fetch.New(fetch.Config{AllowLoopback: true}), Now: func() time.Time { return w.now }}
	var asked []Source
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		s := &system{}
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		s.Source = Source{
			Name: name, Title: journal.Names{"": name}, Basis: journal.Names{"": "82"}, URL: server.URL, Values: sources[name],
		}
		w.systems[name] = s
		asked = append(asked, s.Source)
	}
	w.Sources = NewSources(box)
	w.put(t, asked...)
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		return Apply(ctx, tx, []Person{{ID: anna, Number: annasNumber, Sex: "F", BirthDate: "1956", Citizenship: "BY"}}, noon)
	})
	return w
}

// put puts sources in force, and drop takes one out, as the operator does; the node reads it.
func (w *world) put(t *testing.T, sources ...Source) (changed []string) {
	t.Helper()
	changed, err := Put(t.Context(), w.Pool, sources, "Operator", w.now)
	if err == nil {
		err = w.Read(t.Context(), w.Pool)
	}
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func (w *world) drop(t *testing.T, name string) {
	t.Helper()
	err := Drop(t.Context(), w.Pool, name, "Operator", w.now)
	if err == nil {
		err = w.Read(t.Context(), w.Pool)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) write(t *testing.T, act func(ctx context.Context, tx pgx.Tx) error) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error { return act(t.Context(), tx) })
	if err != nil {
		t.Fatal(err)
	}
}

// ask has all sources asked for an occasion, which is a sign-in or something that the citizen does.
func (w *world) ask(t *testing.T, why Occasion) {
	t.Helper()
	w.write(t, func(ctx context.Context, tx pgx.Tx) error { return act(ctx, tx, why, w.now) })
}

func act(ctx context.Context, tx pgx.Tx, why Occasion, at time.Time) error {
	if why == PrimarySignIn {
		return SignedIn(ctx, tx, []uuid.UUID{anna}, at)
	}
	var b pgx.Batch
	Ask(&b, annasNumber, why, at)
	return tx.SendBatch(ctx, &b).Close()
}

// refresh lets every source be asked that is due; broken is how many could not be.
func (w *world) refresh(t *testing.T) (broken int) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(w.systems)) {
		if err := w.Refresh(t.Context(), w.systems[name].Source); err != nil {
			broken++
		}
	}
	return broken
}

// told is what the profile shows, "name=value source" by name, and the whole of it.
func (w *world) told(t *testing.T) (shown []string, all Told) {
	t.Helper()
	var b pgx.Batch
	w.Queue(&b, annasNumber, &all)
	if err := w.Pool.SendBatch(t.Context(), &b).Close(); err != nil {
		t.Fatal(err)
	}
	for _, v := range all.Values {
		shown = append(shown, fmt.Sprintf("%s=%s %s", v.Name, v.Value, v.Source))
	}
	return shown, all
}

// changes are those that the journal tells, the earliest first, as a citizen reads them.
func (w *world) changes(t *testing.T) (all []string) {
	t.Helper()
	var (
		b       pgx.Batch
		page    journal.Page
		history History
	)
	journal.Queue(&b, annasNumber, journal.Filter{About: journal.Changes}, journal.Place{}, 1000, &page)
	w.QueueHistory(&b, annasNumber, &history)
	if err := w.Pool.SendBatch(t.Context(), &b).Close(); err != nil {
		t.Fatal(err)
	}
	for _, e := range page.Entries {
		if len(e.Detail) != 2 {
			t.Errorf("the journal itself tells of a value: %v", e.Detail)
		}
	}
	history.Tell(page.Entries)
	for _, e := range page.Entries {
		all = append([]string{fmt.Sprintf("%s: %s -> %s %s", e.Detail["field"], e.Detail["old"], e.Detail["new"], e.Detail["source"])}, all...)
	}
	return all
}
