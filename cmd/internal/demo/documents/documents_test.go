package documents_test

import (
	"net/http/httptest"
	"testing"

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
