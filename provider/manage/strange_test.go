package manage_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// Whatever stands in a path, a query, a header or a body, it is the sender's mistake and never ours.
func TestStrangeInputIsNeverOurFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.seal(t)
	token := w.token(t, map[string]any{"scope": "clients:manage keys:manage audit:read changes:read"})
	try := func(method, target, body string, header ...string) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		answer := httptest.NewRecorder()
		w.mux.ServeHTTP(answer, r)
		if answer.Code >= http.StatusInternalServerError {
			t.Errorf("%s %s %s: got %d %s", method, target, body, answer.Code, answer.Body)
		}
	}
	for path, item := range document(t).Paths.Map() {
		at := strings.ReplaceAll(path, "{client_id}", "operator")
		for method, operation := range item.Operations() {
			for _, strange := range []string{"\x00", "\xff", "ё\u202e", "-1", strings.Repeat("9", 40), "' --", "null"} {
				for _, p := range operation.Parameters {
					switch name := p.Value.Name; p.Value.In {
					case "path":
						try(method, strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(strange)), "{}")
					case "query":
						try(method, at+"?"+url.Values{name: {strange}}.Encode(), "")
					case "header":
						try(method, at, `{"redirect_uris":["https://portal.example/cb"]}`, name, strange)
					}
				}
			}
			if operation.RequestBody == nil {
				continue
			}
			for _, media := range operation.RequestBody.Value.Content {
				for member := range media.Schema.Value.Properties {
					for _, value := range []string{`"\u0000"`, `"a\u0000b"`, `"\ud800"`, "\"\xff\"", `-1`, `1e400`, `null`, `[]`, `{}`, `["\u0000"]`, `{"a":"\u0000"}`, `{"\u0000":1}`} {
						try(method, at, `{"`+member+`":`+value+`}`)
						try(method, at, `{"redirect_uris":["https://portal.example/cb"],"`+member+`":`+value+`}`)
					}
				}
			}
		}
	}
}
