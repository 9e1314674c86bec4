package login_test

import (
	"encoding/json"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"asoba.example/login"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
)

// A message with Cyrillic letters has seventy characters in one segment, one in Latin letters a hundred and sixty (3GPP TS 23.038); a second
// segment may come alone or not at all, so only a warning has two, of sixty-seven or a hundred and fifty-three, for its link. So it is with the
// longest value that each may bear. People and programs find a code by being the only run of six digits or more.
func TestEveryMessageFitsItsSegments(t *testing.T) {
	t.Parallel()
	site := pagetest.Site(t, login.Room())
	longest := ""
	for digits := 1; digits < 20; digits++ {
		if _, err := policy.CodeDigits.Read(strconv.Itoa(digits)); err == nil {
			longest = "24681357902468135790"[:digits]
		}
	}
	groups := (identity.MostSymbols + 4) / 5 // of a temporary password, with hyphens between
	args := map[string]any{
		"Code": longest, "Password": strings.Repeat("W", identity.MostSymbols-1) + "9" + strings.Repeat("-", groups-1), "Till": "31.12 23:59", "At": "31.12 23:59",
		"From": "Samsung Internet, Android", // what would be longer is left out
		"Link": "https://" + strings.Repeat("i", 16) + "/not-me/" + strings.Repeat("W", 26),
	}
	codes := regexp.MustCompile(`\d{6,}`)
	for _, language := range page.Languages {
		for key, said := range messages(t, language) {
			for _, desk := range []string{"", strings.Repeat("Ж", 22)} { // the longest address of one that is taken
				args["Desk"] = desk
				text, limit := site.Say(language, key, args), 160
				isCode, isPassword, isWarning := strings.HasPrefix(key, "sms.code."), key == "sms.temporary_password", strings.Contains(said, ".Link")
				cyrillic := strings.ContainsFunc(text, func(c rune) bool { return c > unicode.MaxASCII })
				switch {
				case isWarning && cyrillic:
					limit = 2 * 67
				case isWarning:
					limit = 2 * 153
				case cyrillic:
					limit = 70
				}
				if n := len(utf16.Encode([]rune(text))); n > limit {
					t.Errorf("%s %s: %d characters, of %d at most: %s", language, key, n, limit, text)
				}
				found := codes.FindAllString(text, -1)
				if isCode && (len(found) != 1 || found[0] != longest) || !isCode && len(found) != 0 {
					t.Errorf("%s %s: codes %v", language, key, found)
				}
				if isPassword != strings.Contains(text, args["Password"].(string)) {
					t.Errorf("%s %s: the password", language, key)
				}
				if strings.HasSuffix(text, args["Link"].(string)) != isWarning || strings.Count(text, "://") > 1 {
					t.Errorf("%s %s: a link", language, key)
				}
			}
		}
	}
}

// messages are the words of all messages in a language.
func messages(t *testing.T, language string) map[string]string {
	t.Helper()
	file, err := fs.ReadFile(login.Room().FS, "words/"+language+".json")
	if err != nil {
		t.Fatal(err)
	}
	var words map[string]json.RawMessage
	if err := json.Unmarshal(file, &words); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for key, word := range words {
		if strings.HasPrefix(key, "sms.") {
			all[key] = string(word)
		}
	}
	if len(all) == 0 {
		t.Fatal("there are no messages")
	}
	return all
}
