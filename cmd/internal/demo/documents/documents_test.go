package documents_test

import (
	"encoding/json"
	"maps"
	"net/http/httptest"
	"testing"
	"time"

	"asoba.example/cabinet/profile"
	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/documents"
	"asoba.example/login/document"
	"asoba.example/login/identity"
	"asoba.example/provider/api"
	"asoba.example/provider/fetch"
)

// The demo's register is asked as any other would be, and knows everybody's document, and whose is lost.
func TestItKnowsWhoseDocumentsAre(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(api.Handler(documents.Answer))
	t.Cleanup(server.Close)
	register := &document.Register{URL: server.URL, Caller: fetch.New(fetch.Config{AllowLoopback: true})}
	ask := func(number string, d cast.Document) document.Report {
		t.Helper()
		id, err := identity.ParseIdentifier(number)
		if err != nil {
			t.Fatal(err)
		}
		report, err := register.Ask(t.Context(), id, identity.Document(d))
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	lost := 0
	for _, p := range cast.All() {
		want := document.Valid
		if p.DocumentLost {
			want = document.Invalid
			lost++
		}
		if got := ask(p.IdentificationNumber, p.Document); got != want {
			t.Errorf("%s: got %s, want %s", p.Key, got, want)
		}
	}
	if lost == 0 {
		t.Error("nobody has lost a document")
	}
	one, other := cast.Clerks()[0], cast.Clerks()[1]
	if got := ask(one.IdentificationNumber, other.Document); got != document.Anothers {
		t.Errorf("another's: got %s", got)
	}
	if got := ask(one.IdentificationNumber, cast.Document{Kind: "passport", Number: "AA0000000", ValidTill: "2035-12-31"}); got != document.Unknown {
		t.Errorf("nobody's: got %s", got)
	}
}

// The cabinet can ask it what documents say of their holders: it tells what it is asked for, and of a lost document the name alone.
func TestItTellsOfHolders(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)
	server := httptest.NewServer(documents.Holder(func() time.Time { return now }))
	t.Cleanup(server.Close)
	sources, err := profile.ParseSources(documents.Source(server.URL))
	if err != nil || len(sources) != 1 {
		t.Fatalf("got %v, %v", sources, err)
	}
	caller := fetch.New(fetch.Config{AllowLoopback: true})
	ask := func(number string, values ...string) (got map[string]string) {
		t.Helper()
		question, _ := json.Marshal(map[string]any{"identification_number": number, "occasion": "order", "values": values})
		text, err := caller.Ask(t.Context(), sources[0].URL, question)
		if err != nil {
			t.Fatal(err)
		}
		var said struct {
			At     time.Time
			Values map[string]string
		}
		if err := json.Unmarshal(text, &said); err != nil || !said.At.Equal(now) {
			t.Errorf("%s: %v", text, err)
		}
		return said.Values
	}
	for _, p := range cast.All() {
		want := map[string]string{"name_ru": p.Name(), "document_number": p.Document.Number, "document_valid_till": p.Document.ValidTill}
		if p.DocumentLost {
			want = map[string]string{"name_ru": p.Name()}
		}
		if got := ask(p.IdentificationNumber, sources[0].Values...); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", p.Key, got, want)
		}
	}
	if got := ask(cast.All()[0].IdentificationNumber, "address"); len(got) != 0 {
		t.Errorf("it was not asked for %v", got)
	}
	if got := ask("7000000A000PB1", "name_ru"); len(got) != 0 {
		t.Errorf("of nobody: %v", got)
	}
}
