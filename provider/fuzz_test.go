package provider

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Whatever strangers send to be taken for a client, it is read without a panic, by one method at most, and never as nobody.
func FuzzCredentials(f *testing.F) {
	f.Add("Basic cG9ydGFsOnNlY3JldA==", "")
	f.Add("Basic "+strings.Repeat("=", 9), "client_id=portal&client_secret=x")
	f.Add("", "client_assertion_type="+url.QueryEscape(assertionType)+"&client_assertion=eyJhbGciOiJub25lIn0.e30.")
	f.Add("", "client_id=%00")
	f.Fuzz(func(t *testing.T, authorization, body string) {
		r := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", authorization)
		values, err := form(httptest.NewRecorder(), r)
		if err != nil {
			return
		}
		c, err := credentialsOf(r, values)
		if err == nil && (c.method == "" || c.id == "" && c.method != "client_secret_basic") {
			t.Errorf("%q, %q: read as %q by %q", authorization, body, c.id, c.method)
		}
	})
}

// Whatever is typed for a user code, it is read as one of those that are made, or as none; and what is made is read as itself, however it is
// copied (RFC 8628 §6.1).
func FuzzUserCode(f *testing.F) {
	for _, typed := range []string{newUserCode(), "bcdf ghjk", "ВСDF-GHJК", "", "BCDF-GHJA", "BCDF-GHJKL", "\xff", strings.Repeat("-", 65)} {
		f.Add(typed)
	}
	made := regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`)
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := parseUserCode(typed)
		if !ok {
			if made.MatchString(typed) {
				t.Errorf("%q is not read", typed)
			}
			return
		}
		again, ok := parseUserCode(strings.ToLower(strings.ReplaceAll(code, "-", " ")))
		if !made.MatchString(code) || !ok || again != code {
			t.Errorf("%q is read as %q, and that as %q", typed, code, again)
		}
	})
}

// A description is printable ASCII without quotation mark and backslash, whatever went into it (RFC 6749 §5.2).
func FuzzPrintable(f *testing.F) {
	f.Add("a \"quote\" and a \\ and a \n and ё")
	allowed := regexp.MustCompile(`^[ !#-\[\]-~]*$`)
	f.Fuzz(func(t *testing.T, s string) {
		if got := printable(s); !allowed.MatchString(got) {
			t.Errorf("%q became %q", s, got)
		}
	})
}
