package desk

import (
	"net/http/httptest"
	"strings"
	"testing"

	"asoba.example/login/desk/printed"
)

// Whatever refuses has a reason that a citizen understands, in both languages of the state.
func TestEveryGuardHasItsReason(t *testing.T) {
	t.Parallel()
	press, err := printed.New()
	if err != nil {
		t.Fatal(err)
	}
	paragraphs := func(language, code string) int {
		w := httptest.NewRecorder()
		if err := press.Slip(w, language, printed.Slip{Code: code}); err != nil {
			t.Fatal(err)
		}
		return strings.Count(w.Body.String(), "<p>")
	}
	for _, language := range printed.Languages {
		others := paragraphs(language, "")
		for _, g := range append(append(Issuance.guards(true), PhoneChange.guards(true)...), confirmed(), guard{code: "wrong_state"}) {
			if got := paragraphs(language, g.code) - others; got != 2 { // why, and what can be done
				t.Errorf("in %s %d paragraphs are said of %s", language, got, g.code)
			}
		}
	}
}
