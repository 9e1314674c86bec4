package cabinet

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"asoba.example/provider/api"
	"asoba.example/provider/api/prooftest"
)

// However a request is spelt, it goes through a door as the document has it or through none: no other method, path or place for the token tells
// anything, or does anything, that the plain request does not; and of what is refused nobody learns whether it is there.
func TestNoOtherSpellingOpensADoor(t *testing.T) {
	t.Parallel()
	o := observe(t)
	o.stock(t)
	o.tellClients(t)
	key := prooftest.New(t)
	document := described(t)

	try := func(t *testing.T, method, target, body string, header http.Header) *httptest.ResponseRecorder {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
		r.Header = header
		o.log.Reset()
		answer := httptest.NewRecorder()
		o.handler.ServeHTTP(answer, r)
		if answer.Code >= http.StatusInternalServerError && answer.Code != http.StatusServiceUnavailable {
			t.Errorf("%s %s: %d, and the log has %s", method, target, answer.Code, o.log)
		}
		return answer
	}
	hold := func(t *testing.T, method, path string, item *openapi3.PathItem) {
		operation := item.GetOperation(method)
		acr, _ := operation.Extensions["x-acr"].(string)
		own, _ := operation.Extensions["x-own"].(bool)
		claims := signIn()
		claims["acr"] = cmp.Or(acr, api.Low)
		if own {
			claims = map[string]any{"sub": "tax", "client_id": "tax"}
		}
		claims["scope"] = (*operation.Security)[0]["bearer"][0]
		token := o.provider.AccessToken(o.url, claims)
		claims["cnf"] = map[string]string{"jkt": key.Thumbprint(t)}
		bound := o.provider.AccessToken(o.url, claims)
		for _, p := range operation.Parameters {
			if p.Value.In == openapi3.ParameterInPath {
				path = strings.ReplaceAll(path, "{"+p.Value.Name+"}", p.Value.Example.(string))
			}
		}
		at := o.url + path
		var body string
		if operation.RequestBody != nil {
			example, err := json.Marshal(operation.RequestBody.Value.Content.Get("application/json").Example)
			if err != nil {
				t.Fatal(err)
			}
			body = string(example)
		}
		with := func(more ...string) http.Header {
			all := http.Header{"Content-Type": {"application/json"}}
			for i := 0; i < len(more); i += 2 {
				all.Add(more[i], more[i+1])
			}
			return all
		}
		refused := func(story string, answer *httptest.ResponseRecorder) {
			t.Helper()
			says := answer.Body.String()
			if answer.Code < 300 || slices.ContainsFunc(o.names(t), func(name string) bool { return strings.Contains(says, name) }) || answer.Header().Get("ETag") != "" {
				t.Errorf("%s: %d %v %s", story, answer.Code, answer.Header(), says)
			}
			if strings.Contains(o.log.String(), token) || strings.Contains(says, token) || strings.Contains(answer.Header().Get("Location"), token) {
				t.Errorf("%s: the token is told", story)
			}
		}
		before := o.state(t)
		bearer := []string{"Authorization", "Bearer " + token}
		for story, answer := range map[string]*httptest.ResponseRecorder{
			"two tokens":                       try(t, method, at, body, with("Authorization", "Bearer "+token, "Authorization", "Bearer "+token)),
			"two tokens in one header":         try(t, method, at, body, with("Authorization", "Bearer "+token+", Bearer "+token)),
			"two tokens, by a space":           try(t, method, at, body, with("Authorization", "Bearer "+token+" "+token)),
			"no scheme":                        try(t, method, at, body, with("Authorization", token)),
			"another scheme":                   try(t, method, at, body, with("Authorization", "Basic "+token)),
			"a proxy's header":                 try(t, method, at, body, with("X-Forwarded-Authorization", "Bearer "+token, "Proxy-Authorization", "Bearer "+token)),
			"a cookie":                         try(t, method, at, body, with("Cookie", "access_token="+token+"; session="+token)),
			"in the query":                     try(t, method, at+"?access_token="+token, body, with()),          // RFC 6750 §2.3
			"in the query too":                 try(t, method, at+"?access_token="+token, body, with(bearer...)), // and twice
			"in a form":                        try(t, method, at, url.Values{"access_token": {token}}.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}),
			"without a proof":                  try(t, method, at, body, with("Authorization", "DPoP "+bound)),
			"with a proof of another method":   try(t, method, at, body, with("Authorization", "DPoP "+bound, "DPoP", key.Prove(t, "PATCH", at, bound, noon))),
			"with a proof of it in small":      try(t, method, at, body, with("Authorization", "DPoP "+bound, "DPoP", key.Prove(t, strings.ToLower(method), at, bound, noon))),
			"with two proofs":                  try(t, method, at, body, with("Authorization", "DPoP "+bound, "DPoP", key.Prove(t, method, at, bound, noon), "DPoP", key.Prove(t, method, at, bound, noon))),
			"with a proof of another host":     try(t, method, at, body, with("Authorization", "DPoP "+bound, "X-Forwarded-Host", "elsewhere.example", "DPoP", key.Prove(t, method, "https://elsewhere.example"+path, bound, noon))),
			"without a token, as another path": try(t, method, o.url+"/openapi.jso", body, with("X-Original-URL", path, "X-Rewrite-URL", path)),
			"a slash behind it":                try(t, method, at+"/", body, with(bearer...)),
			"another case":                     try(t, method, o.url+strings.ToUpper(path), body, with(bearer...)),
			"a slash within, written":          try(t, method, o.url+strings.ReplaceAll(path, "/v1/", "%2Fv1%2F"), body, with(bearer...)),
			"a parameter of the path":          try(t, method, at+";x=1", body, with(bearer...)),
			"an end of the text":               try(t, method, at+"%00", body, with(bearer...)),
		} {
			refused(story, answer)
		}
		for _, spelling := range []string{"/%61pi" + strings.TrimPrefix(path, "/api"), "/" + path, "/x/.." + path, "/." + path, path + "/.", path + "/x/.."} {
			refused(spelling+" of nobody's", try(t, method, o.url+spelling, body, with()))
		}
		for _, other := range []string{"OPTIONS", "TRACE", "DELETE", "PATCH", "POST", "PUT", "GET", "PROPFIND", strings.ToLower(method)} {
			if _, there := item.Operations()[other]; there {
				continue
			}
			nobodys, mine := try(t, other, at, body, with()), try(t, other, at, body, with(bearer...))
			if nobodys.Code != http.StatusMethodNotAllowed || mine.Code != nobodys.Code || mine.Body.String() != nobodys.Body.String() || mine.Header().Get("Allow") != nobodys.Header().Get("Allow") {
				t.Errorf("%s: %d %s to nobody, %d %s to whom it may concern", other, nobodys.Code, nobodys.Body, mine.Code, mine.Body)
			}
		}
		if method == http.MethodGet {
			refused("HEAD of nobody's", try(t, http.MethodHead, at, "", with()))
			refused("HEAD with a proof of GET", try(t, http.MethodHead, at, "", with("Authorization", "DPoP "+bound, "DPoP", key.Prove(t, method, at, bound, noon))))
		}
		if o.state(t) != before {
			t.Error("something was written")
		}
		subscribers, kept := o.subscribers(t, ""), o.kept(t)
		plain := try(t, method, at, body, with(bearer...))
		if plain.Code != http.StatusOK {
			t.Fatalf("plainly: %d %s", plain.Code, plain.Body)
		}
		if method != http.MethodGet {
			return
		}
		for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"} {
			for _, instead := range []string{"PUT", "POST", "DELETE"} {
				if got := try(t, method, at, `{"url":"https://elsewhere.example/"}`, with(append(bearer, name, instead, "Idempotency-Key", name+instead)...)); got.Code != http.StatusOK {
					t.Errorf("%s %s: %d %s", name, instead, got.Code, got.Body)
				}
			}
		}
		if o.subscribers(t, "") != subscribers || o.kept(t) != kept {
			t.Error("a GET has done what another method does")
		}
	}
	for _, route := range slices.Sorted(maps.Keys(o.cabinet.demands)) {
		method, path, _ := strings.Cut(route, " ")
		t.Run(route, func(t *testing.T) { hold(t, method, path, document.Paths.Value(path)) })
	}
}

// Whatever stands in a query, it is looked for or refused: nothing is too odd to be answered.
func TestAnOddQueryIsAnswered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stock(t)
	w.provider.SignIn(signIn(), "")
	token := w.provider.AccessToken(w.url, signIn())
	b := w.browser(t)
	b.open("/sign-in")
	document := described(t)
	for _, odd := range []string{"%00", "a%00b", "%ff", "%ED%A0%80", "%F4%90%80%80", "%0d%0a", "'%22;--", "%25", strings.Repeat("a", 1000), "9999999999999999999999"} {
		for route := range w.cabinet.demands {
			method, path, _ := strings.Cut(route, " ")
			if method != http.MethodGet {
				continue
			}
			for _, p := range document.Paths.Value(path).Get.Parameters {
				at := strings.ReplaceAll(path, "{code}", "200.8.1") + "?" + p.Value.Name + "=" + odd
				if p.Value.In == openapi3.ParameterInPath {
					at = strings.ReplaceAll(path, "{"+p.Value.Name+"}", odd)
				}
				if answer, body := w.call(t, at, token); answer.StatusCode >= http.StatusInternalServerError {
					t.Errorf("%s: %d %s", at, answer.StatusCode, body)
				}
			}
		}
		for _, at := range []string{
			"/services?q=", "/services?body=", "/services?situation=", "/services?after=", "/services/", "/journal?from=", "/journal?actor=", "/journal?about=", "/journal?since=",
			"/journal/", "/profile/values/", "/profile/values/sex?from=", "/sign-in?return=", "/callback?code=x&state=", "/?lang=", "/static/",
		} {
			if _, status, page := b.open(at + odd); status >= http.StatusInternalServerError {
				t.Errorf("%s: %d %s", at+odd, status, page)
			}
		}
	}
}
