package document_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"asoba.example/login/document"
	"asoba.example/login/identity"
	"asoba.example/provider/fetch"
)

// What the register says is taken where it is one of its four words; everything else is no answer, and tells nobody
// anything of the person.
func TestOnlyAnAnswerIsTakenForOne(t *testing.T) {
	t.Parallel()
	id, err := identity.ParseIdentifier("0000000A000PB2")
	if err != nil {
		t.Fatal(err)
	}
	shown := identity.Document{Kind: "passport", Number: "MP1234567", ValidTill: "2030-01-01"}
	var asked string
	for name, row := range map[string]struct {
		status int
		answer string
		want   document.Report
	}{
		"valid":         {200, `{"status":"valid"}`, document.Valid},
		"invalid":       {200, `{"status":"invalid"}`, document.Invalid},
		"another's":     {200, `{"status":"another_person","more":1}`, document.Anothers},
		"unknown":       {200, `{"status":"unknown"}`, document.Unknown},
		"another word":  {200, `{"status":"MP1234567 is fine"}`, ""},
		"our own word":  {200, `{"status":"attested"}`, ""},
		"no word":       {200, `{}`, ""},
		"no JSON":       {200, `MP1234567`, ""},
		"nothing":       {200, ``, ""},
		"not found":     {404, `{"status":"valid"}`, ""},
		"broken":        {500, `{"status":"valid"}`, ""},
		"another place": {302, `{"status":"valid"}`, ""},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			asked = fmt.Sprintf("%s %s %s %s", r.Method, r.RequestURI, r.Header.Get("Content-Type"), body)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(row.status)
			fmt.Fprint(w, row.answer)
		}))
		register := &document.Register{URL: server.URL + "/documents", Caller: fetch.New(fetch.Config{AllowLoopback: true})}
		got, err := register.Ask(t.Context(), id, shown)
		server.Close()
		if got != row.want || (row.want == "") != errors.Is(err, document.ErrAway) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
		const want = `POST /documents application/json {"kind":"passport","number":"MP1234567","identification_number":"0000000A000PB2"}`
		if asked != want {
			t.Errorf("%s: asked %s", name, asked)
		}
		if err != nil && strings.Contains(err.Error(), "MP1234567") {
			t.Errorf("%s: the error tells of the document: %v", name, err)
		}
	}
	away := &document.Register{URL: "http://127.0.0.1:1", Caller: fetch.New(fetch.Config{AllowLoopback: true})}
	if _, err := away.Ask(t.Context(), id, shown); !errors.Is(err, document.ErrAway) {
		t.Errorf("nobody there: got %v", err)
	}
	var none *document.Register
	if got, err := none.Ask(t.Context(), id, shown); got != document.Attested || err != nil {
		t.Errorf("without a register: got %q, %v", got, err)
	}
}
