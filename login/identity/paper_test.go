package identity_test

import (
	"strings"
	"testing"

	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
)

// The number of a paper is kept as it was typed: nothing passes for one that tells of a person.
func TestANumberOfAPaperTellsOfNobody(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"7": "7", "12-7": "12-7", "31/2": "31/2", " № 03-15/А-234 ": "03-15/А-234", "11-ОАИС/5": "11-ОАИС/5", "2026.104": "2026.104",
		"": "", "без": "", "Иванов И.И. 29 400-00-12": "", "Иванов-1": "", "1 2": "", "12\u200b7": "", "12/": "", "-12": "",
		"+375294000012": "", "29-400-00-12": "", "80294000012": "", "3080356A001PB5": "", strings.Repeat("1", 65): "",
	} {
		b, err := identity.ParseBasis(typed, "2026-11-22", identitytest.Noon)
		if b.Number != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v, want %q", typed, b.Number, err, want)
		}
	}
}
