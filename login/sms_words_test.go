package login_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"asoba.example/login"
	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
)

// A message with Cyrillic letters has seventy characters in one segment, one in Latin letters a hundred and sixty
// (3GPP TS 23.038); a second segment may come alone or not at all, so only a warning has two, of sixty-seven or a hundred
// and fifty-three, for its link. People and programs find a code by being the only run of six digits or more.
func TestEveryMessageFitsItsSegments(t *testing.T) {
	t.Parallel()
	site := pagetest.Site(t, login.Room())
	args := map[string]any{"Code": "24681357", "Password": "WWWWW-WWWWW-99999", "Till": "31.12 23:59", "At": "31.12 23:59", "Desk": "", "From": "Samsung Internet, Android", // or as long with a place
		"Link": "https://" + strings.Repeat("i", 16) + "/not-me/" + strings.Repeat("W", 26)}
	codes := regexp.MustCompile(`\d{6,}`)
	for _, language := range page.Languages {
		for _, key := range []string{"sms.code.sign_in", "sms.code.recover", "sms.code.block", "sms.code.unblock", "sms.code.change_phone", "sms.code.confirm_phone", "sms.temporary_password", "sms.activated", "sms.password_changed", "sms.password_recovered", "sms.phone_changed", "sms.passkey_added", "sms.passkey_removed", "sms.phone_change", "sms.phone_change_dropped", "sms.new_browser", "sms.authenticator_added", "sms.authenticator_removed", "sms.recovery_code_used", "sms.recovery_codes_made", "sms.unblocked", "sms.blocked", "sms.blocked_security", "sms.renumbered"} {
			text, limit := site.Say(language, key, args), 160
			isCode := strings.HasPrefix(key, "sms.code.")
			warning := !isCode && !slices.Contains([]string{"sms.temporary_password", "sms.blocked", "sms.blocked_security", "sms.renumbered"}, key)
			cyrillic := strings.ContainsFunc(text, func(c rune) bool { return c > unicode.MaxASCII })
			switch {
			case warning && cyrillic:
				limit = 2 * 67
			case warning:
				limit = 2 * 153
			case cyrillic:
				limit = 70
			}
			if n := len(utf16.Encode([]rune(text))); n > limit {
				t.Errorf("%s %s: %d characters", language, key, n)
			}
			found := codes.FindAllString(text, -1)
			if isCode && (len(found) != 1 || found[0] != "24681357") || !isCode && len(found) != 0 {
				t.Errorf("%s %s: codes %v", language, key, found)
			}
			if key == "sms.temporary_password" != strings.Contains(text, "WWWWW-WWWWW-99999") {
				t.Errorf("%s %s: the password", language, key)
			}
			if strings.HasSuffix(text, args["Link"].(string)) != warning || strings.Count(text, "://") > 1 {
				t.Errorf("%s %s: a link", language, key)
			}
		}
		args["Desk"] = strings.Repeat("Ж", 22) // the longest address of a desk
		if n := len(utf16.Encode([]rune(site.Say(language, "sms.blocked_security", args)))); n > 70 {
			t.Errorf("%s: %d characters with the address of a desk", language, n)
		}
		args["Desk"] = ""
	}
}
