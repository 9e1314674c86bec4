package provider_test

import (
	"encoding/json"
	"html"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// A plan is one of the certification plans of the OpenID Foundation: its modules by their names there, each as a story of whoever plays the
// relying party. Where the conformance suite asks for the picture of a page, the page is held to its status and to the word for what is wrong.
//
// Not told are the modules of what is not offered, Session Management, whose frame needs cookies that browsers withhold; and in the plans of
// FAPI those of one country's profile alone: ensure-server-handles-non-matching-intent-id and test-essential-acr-sca-claim (Open Banking UK),
// brazil-… (Open Finance Brasil) and australia-connectid-… (ConnectID).
type plan[P any] map[string]func(P)

// certify plays the stories of a plan one after another in one world; of the players each has its own story.
func certify[P any](w *world, modules plan[P], player func() P) {
	all := w.t
	defer func() { w.t = all }()
	for _, module := range slices.Sorted(maps.Keys(modules)) {
		all.Run(module, func(t *testing.T) {
			w.t = t
			modules[module](player())
		})
	}
}

// A party is a relying party as the conformance suite plays it: a client, a browser in which nobody has signed in, and how it wants its answers.
type party struct {
	w    *world
	b    *browser
	id   string
	mode string // response_mode; "" for what follows from the response type
	pkce bool
}

// request is an authorization request of the party's, with changes.
func (p party) request(changes ...string) url.Values {
	all := []string{"response_mode", p.mode}
	if !p.pkce {
		all = append(all, "code_challenge", "", "code_challenge_method", "")
	}
	return params(p.id, append(all, changes...)...)
}

// asks goes through all pages with an authorization request, and gives the parameters of the answer.
func (p party) asks(changes ...string) url.Values {
	p.w.t.Helper()
	return p.led("/authorize?" + p.request(changes...).Encode())
}

// led goes where it is sent, and gives the parameters of the answer, by whichever way they travel.
func (p party) led(to string) url.Values {
	p.w.t.Helper()
	away, status, body := p.b.walk(to)
	if p.mode == "form_post" {
		if away != "" || status != http.StatusOK || !strings.Contains(body, `method="post" action="`+redirectOf(p.id)+`"`) {
			p.w.t.Fatalf("got %d, leading to %q: %s", status, away, body)
		}
		return fields(body)
	}
	query, ours := strings.CutPrefix(away, redirectOf(p.id)+"?")
	if !ours || strings.Contains(away, "#") {
		p.w.t.Fatalf("got %d, leading to %q: %s", status, away, body)
	}
	return must(url.ParseQuery(query))
}

// fields are those of a page's form.
func fields(body string) url.Values {
	values := url.Values{}
	for _, found := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(body, -1) {
		values.Add(html.UnescapeString(found[1]), html.UnescapeString(found[2]))
	}
	return values
}

// redeem redeems a code as the party asked for it.
func (p party) redeem(code string) answer {
	p.w.t.Helper()
	if p.pkce {
		return p.w.redeem(p.id, code)
	}
	return p.w.redeem(p.id, code, "code_verifier", "")
}

// A visit is what a party has of a sign-in.
type visit struct {
	answer url.Values // of the authorization endpoint
	tokens answer     // of the token endpoint
	id     map[string]any
	info   map[string]any // of UserInfo
}

// signsIn signs the person in, and holds everything on the way to what the plans ask of it.
func (p party) signsIn(changes ...string) visit {
	p.w.t.Helper()
	return p.visited(p.request(changes...), p.asks(changes...))
}

// visited takes up the answer to a request.
func (p party) visited(request, answer url.Values) visit {
	t := p.w.t
	t.Helper()
	want := []string{"code", "iss", "state"}
	if !request.Has("state") {
		want = want[:2]
	}
	if got := slices.Sorted(maps.Keys(answer)); !slices.Equal(got, want) || answer.Get("state") != request.Get("state") || answer.Get("iss") != p.w.issuer {
		t.Fatalf("the answer is %v", answer)
	}
	v := visit{answer: answer, tokens: p.redeem(answer.Get("code"))}
	v.id = p.reads(v.tokens, request)
	info := p.w.userinfo(v.tokens.text("access_token"))
	info.check(t, http.StatusOK, "")
	if v.info = info.body; v.info["sub"] != v.id["sub"] { // OpenID Connect Core §5.3.2
		t.Errorf("UserInfo tells of %v, the ID token of %v", v.info["sub"], v.id["sub"])
	}
	return v
}

// reads checks the tokens of an answer, and gives the claims of the ID token.
func (p party) reads(tokens answer, request url.Values) map[string]any {
	p.w.t.Helper()
	return p.w.reads(tokens, "Bearer", jose.RS256, p.id, request)
}

// reads checks the tokens of an answer of the token endpoint (RFC 6749 §5.1; OpenID Connect Core §3.1.3.7).
func (w *world) reads(tokens answer, scheme string, alg jose.SignatureAlgorithm, client string, request url.Values) (claims map[string]any) {
	w.t.Helper()
	term, _ := tokens.body["expires_in"].(float64)
	if tokens.status != http.StatusOK || tokens.header.Get("Cache-Control") != "no-store" || tokens.text("token_type") != scheme || term <= 0 {
		w.t.Fatalf("the token endpoint gave %d %v", tokens.status, tokens.body)
	}
	parsed := must(jwt.ParseSigned(tokens.text("id_token"), []jose.SignatureAlgorithm{alg}))
	set := w.published()
	keys := set.Key(parsed.Headers[0].KeyID)
	if len(keys) != 1 || parsed.Claims(keys[0].Key, &claims) != nil {
		w.t.Fatalf("no published key verifies %v", parsed.Headers)
	}
	nonce, _ := claims["nonce"].(string)
	if now := w.now().Unix(); claims["iss"] != w.issuer || claims["aud"] != client || claims["sub"] == "" ||
		claims["iat"] != float64(now) || claims["exp"].(float64) <= float64(now) || nonce != request.Get("nonce") {
		w.t.Errorf("the ID token says %v", claims)
	}
	return claims
}

// document is what a public address of the provider's tells.
func (w *world) document(path string, into any) {
	w.t.Helper()
	response := must(http.DefaultClient.Do(must(http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.issuer+path, nil))))
	defer response.Body.Close()
	text := must(io.ReadAll(response.Body))
	if err := json.Unmarshal(text, into); err != nil || response.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: got %d, %v: %s", path, response.StatusCode, err, text)
	}
}

// published are the provider's keys.
func (w *world) published() (set jose.JSONWebKeySet) {
	w.t.Helper()
	w.document("/jwks", &set)
	return set
}

// discovered is the provider's metadata.
func (w *world) discovered() (metadata map[string]any) {
	w.t.Helper()
	w.document("/.well-known/openid-configuration", &metadata)
	return metadata
}

func (w *world) authTime(v visit) time.Time {
	seconds, told := v.id["auth_time"].(float64)
	if !told {
		w.t.Fatal("the ID token has no auth_time")
	}
	return time.Unix(int64(seconds), 0)
}
