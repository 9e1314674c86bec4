package population_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/population"
	"asoba.example/login/register"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/fetch"
)

// The demo's register is asked as any other would be, and tells of everybody what the edition does that was brought in last.
func TestItTellsWhatTheLastEditionTells(t *testing.T) {
	t.Parallel()
	edition, now := 1, time.Date(2026, time.November, 22, 12, 0, 0, 0, time.UTC)
	server := httptest.NewServer(population.Answer(func() int { return edition }))
	t.Cleanup(server.Close)
	r := &register.Register{Pool: pgtest.New(t), Source: &register.Source{URL: server.URL, Caller: fetch.New(fetch.Config{AllowLoopback: true})}}
	bring := func(n int) {
		t.Helper()
		if _, err := r.Import(t.Context(), register.Order{File: strings.NewReader(cast.Register(n)), At: now, Progress: func(int64, int64) {}}); err != nil {
			t.Fatal(err)
		}
	}
	known := func() (all []register.Person) {
		t.Helper()
		for _, p := range cast.All() {
			if err := r.Refresh(t.Context(), p.IdentificationNumber, now); err != nil {
				t.Fatal(err)
			}
			who, err := register.Find(t.Context(), r.Pool, p.IdentificationNumber)
			if err != nil {
				t.Fatal(err)
			}
			who.ChangedIn = 0
			all = append(all, who)
		}
		return all
	}
	if asked := known(); len(asked) != len(cast.All()) { // nobody was known before
		t.Errorf("%d are known", len(asked))
	}
	for edition = 1; edition <= cast.Editions; edition++ {
		bring(edition)
		before := known()
		for i, p := range known() {
			if p != before[i] || p.Gone() != (cast.Row(cast.All()[i], edition)["death_date"]+cast.Row(cast.All()[i], edition)["missing_date"] != "") {
				t.Errorf("edition %d: %+v", edition, p)
			}
		}
	}
	if err := r.Refresh(t.Context(), "5311299B500PB0", now); !errors.Is(err, register.ErrNone) {
		t.Errorf("about nobody: %v", err)
	}
}
