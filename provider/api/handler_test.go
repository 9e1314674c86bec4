package api_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"asoba.example/provider/api"
)

// What a caller sees of a refusal is stable; its cause stays with us.
func TestRefusalsAreProblems(t *testing.T) {
	t.Parallel()
	for _, refusal := range []struct {
		err  error
		want string
	}{
		{
			api.Refuse(http.StatusConflict, "g4", errors.New("cause"), api.Field{Name: "/phone", Code: "taken"}),
			`{"type":"about:blank","title":"Conflict","status":409,"code":"g4","fields":[{"name":"/phone","code":"taken"}]}`,
		},
		{
			errors.New("cause"),
			`{"type":"about:blank","title":"Internal Server Error","status":500,"code":"internal"}`,
		},
	} {
		w := httptest.NewRecorder()
		api.Handler(func(http.ResponseWriter, *http.Request) error { return refusal.err }).
			ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if got := strings.TrimSpace(w.Body.String()); got != refusal.want {
			t.Errorf("got  %s\nwant %s", got, refusal.want)
		}
		if got, want := w.Header().Get("Content-Type"), "application/problem+json"; got != want {
			t.Errorf("media type: got %s, want %s", got, want)
		}
	}
}

func TestDecodeIsStrict(t *testing.T) {
	t.Parallel()
	for _, request := range []struct {
		kind, body string
		status     int
		field      string
	}{
		{"application/json", `{"name":"a"}`, 200, ""},
		{"application/json; charset=utf-8", ` {"name":"a"} `, 200, ""},
		{"application/x-www-form-urlencoded", `name=a`, 415, ""},
		{"", `{"name":"a"}`, 415, ""},
		{"application/json", ``, 400, ""},
		{"application/json", `{"name":"a"} {}`, 400, ""},
		{"application/json", `{"name":"a"} x`, 400, ""},
		{"application/json", `{"name":1}`, 400, `{"name":"/name","code":"wrong_type"}`},
		{"application/json", `{"name":"a","name":"b"}`, 400, `{"name":"/name","code":"repeated"}`},
		{"application/json", `{"name":"a","n\u0061me":"b"}`, 400, `{"name":"/name","code":"repeated"}`},
		{"application/json", `{"name":"a","NAME":"b"}`, 400, `{"name":"/NAME","code":"repeated"}`},
		{"application/json", `{"name":[{"a":1},{"a/b":1,"a/b":2}]}`, 400, `{"name":"/name/1/a~1b","code":"repeated"}`},
		{"application/json", strings.Repeat("[", 1<<15), 400, ""},
		{"application/json", `{"title":"a"}`, 400, `{"name":"/title","code":"unknown"}`},
		{"application/json", `{"name":"` + strings.Repeat("a", 64<<10) + `"}`, 413, ""},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(request.body))
		r.Header.Set("Content-Type", request.kind)
		api.Handler(func(w http.ResponseWriter, r *http.Request) error {
			body, err := api.Decode[struct {
				Name string `json:"name"`
			}](w, r)
			if err != nil {
				return err
			}
			return api.Write(w, http.StatusOK, body)
		}).ServeHTTP(w, r)
		if w.Code != request.status || !strings.Contains(w.Body.String(), request.field) {
			t.Errorf("%s %.30q: got %d %s, want %d %s", request.kind, request.body, w.Code, w.Body, request.status, request.field)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control: got %q", got)
		}
	}
}

// Whatever is sent for JSON, it is one value of the members that are known, or a problem of the caller's.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{`{"name":"a"}`, `{"name":null}`, `null`, `[]`, `{"name":"a"}{}`, `{"name":{"name":1}}`, `{"\u006eame":"\ud800"}`, "{\"name\":\"\xff\"}", `{"":1}`, `{"name":"a","nAme":null}`, `[[{"a":[{}],"a":0}]]`, strings.Repeat(`{"name":[`, 40)} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, sent string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(sent))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		api.Handler(func(w http.ResponseWriter, r *http.Request) error {
			body, err := api.Decode[struct {
				Name *string `json:"name"`
			}](w, r)
			if err != nil {
				return err
			}
			return api.Write(w, http.StatusOK, body)
		}).ServeHTTP(w, r)
		if w.Code/100 != 4 && (w.Code != http.StatusOK || !json.Valid([]byte(sent))) || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q: got %d %s", sent, w.Code, w.Body)
		}
	})
}
