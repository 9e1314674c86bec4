package login_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"asoba.example/login"
	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
)

// A message with Cyrillic letters has seventy characters in one segment, one in Latin letters a hundred and sixty
// (3GPP TS 23.038); a second segment may come alone or not at all, so only what tells of a new browser takes one. People and
// programs find a code by being the only run of six digits; no message holds a link, for who follows one follows a thief's.
func TestEveryMessageFitsItsSegments(t *testing.T) {
	t.Parallel()
	site := pagetest.Site(t, login.Room())
	args := map[string]any{"Code": "246813", "Password": "WWWWW-99999", "Till": "31.12 23:59", "At": "31.12 23:59", "Desk": "", "From": "Firefox, Linux"}
	codes := regexp.MustCompile(`\d{6,}`)
	for _, language := range page.Languages {
		for _, key := range []string{"sms.code", "sms.temporary_password", "sms.activated", "sms.password_changed", "sms.password_recovered", "sms.phone_changed", "sms.passkey_added", "sms.passkey_removed", "sms.new_browser", "sms.authenticator_added", "sms.authenticator_removed", "sms.recovery_code_used", "sms.recovery_codes_made", "sms.blocked", "sms.blocked_security"} {
			text, limit := site.Say(language, key, args), 160
			if strings.ContainsFunc(text, func(c rune) bool { return c > unicode.MaxASCII }) {
				limit = 70
			}
			if key == "sms.new_browser" { // in two segments, each some shorter
				limit = 2 * (limit - limit/20)
			}
			if n := len(utf16.Encode([]rune(text))); n > limit {
				t.Errorf("%s %s: %d characters", language, key, n)
			}
			found := codes.FindAllString(text, -1)
			if isCode := key == "sms.code"; isCode && (len(found) != 1 || found[0] != "246813") || !isCode && len(found) != 0 {
				t.Errorf("%s %s: codes %v", language, key, found)
			}
			if key == "sms.temporary_password" != strings.Contains(text, "WWWWW-99999") {
				t.Errorf("%s %s: the password", language, key)
			}
			if strings.Contains(text, "://") || strings.Contains(text, "www.") {
				t.Errorf("%s %s: a link", language, key)
			}
		}
		args["Desk"] = strings.Repeat("Ж", 22) // the longest address of a desk
		if n := len(utf16.Encode([]rune(site.Say(language, "sms.blocked_security", args)))); n > 70 {
			t.Errorf("%s: %d characters with the address of a desk", language, n)
		}
		args["Desk"] = ""
		from := "Samsung Internet, Android; " + strings.Repeat("Ж", 25) // the longest browser and place
		if n := len(utf16.Encode([]rune(site.Say(language, "sms.new_browser", map[string]any{"At": args["At"], "From": from})))); n > 134 {
			t.Errorf("%s: %d characters about a new browser", language, n)
		}
	}
}
