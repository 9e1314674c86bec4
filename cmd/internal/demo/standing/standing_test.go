package standing_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"golang.org/x/sync/errgroup"

	"asoba.example/cmd/internal/demo/management"
	"asoba.example/cmd/internal/demo/standing"
)

// A person's standing is what the feed's entries make of it, whoever blocked and unblocked.
func TestStandingFollowsTheFeed(t *testing.T) {
	t.Parallel()
	const number, person = "0000000A000PB2", "019ac000-0000-7000-8000-000000000001"
	lives := []struct {
		entry map[string]any
		want  standing.Standing
	}{
		{map[string]any{"kind": "edition.applied", "edition": 7}, standing.Standing{State: "none"}},
		{map[string]any{"kind": "person.changed", "edition": 8}, standing.Standing{State: "none"}},
		{map[string]any{"kind": "identifier.issued", "staff": true}, standing.Standing{State: "temporary"}},
		{map[string]any{"kind": "identifier.activated"}, standing.Standing{State: "active", Formed: 1}},
		{map[string]any{"kind": "identifier.blocked", "detail": map[string]string{"reason": "self"}}, standing.Standing{State: "blocked", BlockReason: "self", Formed: 1}},
		{map[string]any{"kind": "identifier.unblocked"}, standing.Standing{State: "active", Formed: 1}},
		{map[string]any{"kind": "password.changed"}, standing.Standing{State: "active", Formed: 2}},
		{map[string]any{"kind": "identifier.blocked", "staff": true, "detail": map[string]string{"reason": "desk"}}, standing.Standing{State: "blocked", BlockReason: "desk", Formed: 2}},
		{map[string]any{"kind": "identifier.unblocked", "staff": true}, standing.Standing{State: "temporary", Formed: 2}},
	}

	told := make(chan map[string]any)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /changes", func(w http.ResponseWriter, r *http.Request) {
		entries := []map[string]any{}
		select {
		case entry := <-told:
			entry["person"] = person
			entries = append(entries, entry)
		case <-r.Context().Done():
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"entries": entries, "cursor": r.URL.Query().Get("after") + "1"})
	})
	mux.HandleFunc("GET /register/editions/7/people", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"people":[]}`) })
	mux.HandleFunc("GET /register/editions/8/people", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"people":[{"id":%q,"identification_number":%q}]}`, person, number)
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	f := standing.New([]string{number}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	ctx, stop := context.WithCancel(t.Context())
	var following errgroup.Group
	following.Go(func() error { return f.Run(ctx, management.Caller{URL: server.URL, HTTP: server.Client()}) })
	for _, life := range lives {
		told <- life.entry
		if err := f.Await(ctx, number, func(s standing.Standing) bool { return s == life.want }); err != nil {
			t.Fatalf("%v: %v; it is %+v", life.entry, err, f.Of(number))
		}
	}
	if !f.Met(number) || f.Met("0000000A001PB3") {
		t.Error("it is not known who is in the register")
	}
	stop()
	if err := following.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Whoever has changed since is read in no earlier edition any more: what was told of them before it is known who they are counts all the same.
func TestWhatWasToldBeforeIsNotForgotten(t *testing.T) {
	t.Parallel()
	const number, person = "0000000A000PB2", "019ac000-0000-7000-8000-000000000001"
	pages := []string{
		`{"kind":"edition.applied","edition":7},{"kind":"identifier.issued","person":"` + person + `"}`,
		`{"kind":"identifier.activated","person":"` + person + `"}`,
		`{"kind":"person.changed","edition":8,"person":"` + person + `"}`,
		`{"kind":"identifier.blocked","person":"` + person + `","detail":{"reason":"self"}}`,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /changes", func(w http.ResponseWriter, r *http.Request) {
		read, _ := strconv.Atoi(r.URL.Query().Get("after"))
		entries := ""
		if read < len(pages) {
			entries = pages[read]
			read++
		}
		fmt.Fprintf(w, `{"entries":[%s],"cursor":"%d"}`, entries, read)
	})
	mux.HandleFunc("GET /register/editions/7/people", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"people":[]}`) })
	mux.HandleFunc("GET /register/editions/8/people", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"people":[{"id":%q,"identification_number":%q}]}`, person, number)
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	f := standing.New([]string{number}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	ctx, stop := context.WithCancel(t.Context())
	var following errgroup.Group
	following.Go(func() error { return f.Run(ctx, management.Caller{URL: server.URL, HTTP: server.Client()}) })
	<-f.CaughtUp()
	if got, want := f.Of(number), (standing.Standing{State: "blocked", BlockReason: "self", Formed: 1}); got != want {
		t.Errorf("it is %+v, want %+v", got, want)
	}
	stop()
	_ = following.Wait()
}
