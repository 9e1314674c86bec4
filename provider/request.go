package provider

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ory/fosite"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
)

// A request is an authorization request that was checked (RFC 6749 §4.1.1; OpenID Connect Core §3.1.2.1).
type request struct {
	client *clients.Client
	policy policy
	values url.Values // the parameters that count: as they were sent, or as they stand in what they refer to

	pushing bool   // it comes to be kept for later (RFC 9126)
	signed  bool   // it came in a request object (RFC 9101)
	checked bool   // it was let in before, and comes back: from our pages, or by the name under which it was pushed
	pushed  string // digest of the request_uri that it was pushed under; "" for none

	redirectURI string // "" until it may be trusted
	mode        string // how the answer travels: one of responseModes
	state       string
	scopes      []string
	audience    []string
	nonce       string
	challenge   string
	key         string // dpop_jkt
	prompt      Prompt
	maxAge      time.Duration // negative: any
	acr         string
	hint        string       // digest of the subject that id_token_hint or claims names
	claims      grant.Claims // asked for by name

	fosite fosite.AuthorizeRequester
}

// read checks an authorization request. The checks stand in the order in which they count: until the redirect URI is known to be the
// client's, an error is shown to the person and goes nowhere (RFC 6749 §4.1.2.1); from then on it goes to the client.
func (p *Provider) read(ctx context.Context, q *request) error {
	q.mode, q.maxAge = "query", -1
	for _, check := range []func(context.Context, *request) error{
		p.checkClient,
		p.checkReference,
		p.checkObject,
		// From here on the parameters are those that count.
		p.checkRedirectURI,
		// From here on the answer goes to the client.
		p.checkResponseMode,
		p.checkOnce,
		p.checkLength,
		p.checkWay,
		p.checkScope,
		p.checkFlow,
		p.checkChallenge,
		p.checkKey,
		p.checkResource,
		p.checkPrompt,
		p.checkMaxAge,
		p.checkACR,
		p.checkHint,
		p.checkClaims,
	} {
		if err := check(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (p *Provider) checkClient(ctx context.Context, q *request) error {
	if len(q.values["client_id"]) != 1 {
		return refuse("invalid_request", "client_id must be sent, and once.")
	}
	client, err := p.cfg.Clients.Find(ctx, q.values.Get("client_id"))
	switch {
	case errors.Is(err, clients.ErrDisabled):
		return refuse("unauthorized_client", "The client is disabled.").because(err)
	case errors.Is(err, clients.ErrUnknown):
		return refuse("invalid_client", "No client is registered with this client_id.").because(err)
	case err != nil:
		return err
	}
	q.client, q.policy = client, policyOf(client)
	return nil
}

// checkRedirectURI also takes the state, which goes back with every answer. One that cannot go back whole is refused before anything
// goes anywhere.
func (p *Provider) checkRedirectURI(_ context.Context, q *request) error {
	switch uri := q.values["redirect_uri"]; {
	case len(uri) != 1:
		return refuse("invalid_request", "redirect_uri must be sent, and once.")
	case !q.client.RedirectsTo(uri[0]):
		return refuse("invalid_request", "redirect_uri is not one that the client is registered with.")
	}
	switch state := q.values["state"]; {
	case len(state) > 1:
		return refuse("invalid_request", "state was sent more than once.")
	case len(state) == 1 && len(state[0]) > maxState:
		return refuse("invalid_request", "state is longer than "+strconv.Itoa(maxState)+" bytes.")
	}
	q.redirectURI, q.state = q.values.Get("redirect_uri"), q.values.Get("state")
	return nil
}

func (p *Provider) checkResponseMode(_ context.Context, q *request) error {
	switch mode := q.values["response_mode"]; {
	case len(mode) == 0:
	case len(mode) > 1 || !slices.Contains(responseModes, mode[0]):
		return refuse("invalid_request", "response_mode must be one of: "+strings.Join(responseModes, ", ")+".")
	default:
		q.mode = mode[0]
	}
	return nil
}

func (p *Provider) checkOnce(_ context.Context, q *request) error { return once(q.values) }

// checkLength bounds what somebody who waits makes us keep, and what every page of theirs reads again. It takes the nonce, of which
// nothing else is to be checked.
func (p *Provider) checkLength(_ context.Context, q *request) error {
	for _, name := range kept {
		for _, value := range q.values[name] {
			if len(value) > maxState {
				return refuse("invalid_request", name+" is longer than "+strconv.Itoa(maxState)+" bytes.")
			}
		}
	}
	q.nonce = q.values.Get("nonce")
	return nil
}

// checkWay holds the client to the way by which its requests must come.
func (p *Provider) checkWay(_ context.Context, q *request) error {
	switch {
	case q.values.Has("registration"):
		return refuse("registration_not_supported", "Clients are registered beforehand.") // OpenID Connect Core §7.2.1
	case q.checked:
	case q.policy.pushed && !q.pushing:
		return refuse("invalid_request", "The client's authorization requests must be pushed.") // RFC 9126 §6
	case q.policy.signed && !q.signed:
		return refuse("invalid_request", "The client's authorization requests must be signed.") // RFC 9101 §10.5
	}
	return nil
}

// checkScope keeps the scopes that we know: others are ignored (OpenID Connect Core §3.1.2.1). Refresh tokens are not for clients that
// cannot use them (§11).
func (p *Provider) checkScope(_ context.Context, q *request) error {
	known := p.scopes()
	for _, s := range strings.Fields(q.values.Get("scope")) {
		switch {
		case !slices.Contains(known, s) || slices.Contains(q.scopes, s):
		case s == "offline_access" && !allows(q.client, "refresh_token"):
		case !q.client.Allows(s):
			return refuse("invalid_scope", "The client is not registered for the scope "+s+".")
		default:
			q.scopes = append(q.scopes, s)
		}
	}
	if len(q.scopes) == 0 {
		return refuse("invalid_scope", "No scope was asked for that is known here.")
	}
	return nil
}

// checkFlow has fosite look at the request. It is shown only what it judges well; a state it would ask to be long.
func (p *Provider) checkFlow(ctx context.Context, q *request) (err error) {
	switch {
	case !allows(q.client, "authorization_code"):
		return refuse("unauthorized_client", "The client is not registered for the authorization code grant.")
	case !slices.Contains(responseTypes, q.values.Get("response_type")):
		return refuse("unsupported_response_type", "response_type must be one of: "+strings.Join(responseTypes, ", ")+".")
	}
	shown := url.Values{
		"client_id":     {q.client.ID},
		"redirect_uri":  {q.redirectURI},
		"response_type": {q.values.Get("response_type")},
		"scope":         {strings.Join(q.scopes, " ")},
		"state":         {"long enough"},
	}
	q.fosite, err = p.fosite.NewAuthorizeRequest(ctx, &http.Request{Method: http.MethodGet, Header: http.Header{}, Form: shown})
	return err
}

// challenge is the digest of SHA-256 in base64url (RFC 7636 §4.2).
var challenge = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

func (p *Provider) checkChallenge(_ context.Context, q *request) error {
	q.challenge = q.values.Get("code_challenge")
	method := q.values.Get("code_challenge_method")
	switch {
	case q.challenge == "" && method == "" && !q.policy.pkce:
	case q.challenge == "":
		return refuse("invalid_request", "code_challenge is required.")
	case !slices.Contains(challengeMethods, method):
		return refuse("invalid_request", "code_challenge_method must be S256.")
	case !challenge.MatchString(q.challenge):
		return refuse("invalid_request", "code_challenge is not the base64url of a SHA-256 digest.")
	}
	return nil
}

func (p *Provider) checkResource(_ context.Context, q *request) (err error) {
	q.audience, err = p.aim(q.client, q.scopes, q.values["resource"])
	return err
}

func (p *Provider) checkPrompt(_ context.Context, q *request) error {
	prompts := strings.Fields(q.values.Get("prompt"))
	for _, prompt := range prompts {
		switch prompt {
		case "none":
			q.prompt |= PromptNone
		case "login", "select_account": // a browser carries one session: to choose another account is to sign in anew
			q.prompt |= PromptLogin
		case "consent":
			q.prompt |= PromptConsent
		default:
			return refuse("invalid_request", "prompt must be of: "+strings.Join(promptValues, ", ")+".")
		}
	}
	if q.prompt&PromptNone != 0 && len(prompts) > 1 {
		return refuse("invalid_request", "prompt none goes with no other value.")
	}
	return nil
}

func (p *Provider) checkMaxAge(_ context.Context, q *request) error {
	if !q.values.Has("max_age") {
		if age := q.client.Metadata.DefaultMaxAge; age != nil {
			q.maxAge = time.Duration(*age) * time.Second
		}
		return nil
	}
	seconds, err := strconv.ParseUint(q.values.Get("max_age"), 10, 31)
	if err != nil {
		return refuse("invalid_request", "max_age must be a whole number of seconds, and not negative.")
	}
	q.maxAge = time.Duration(seconds) * time.Second
	return nil
}

// checkACR takes the least of the levels asked for: a stronger sign-in satisfies a weaker wish. Values of others are no concern of ours,
// since acr_values is a wish (OpenID Connect Core §3.1.2.1).
func (p *Provider) checkACR(_ context.Context, q *request) error {
	if q.checked {
		return nil
	}
	wished := q.client.Metadata.DefaultACRValues
	if q.values.Has("acr_values") {
		wished = strings.Fields(q.values.Get("acr_values"))
	}
	q.acr = leastLevel(wished)
	return nil
}

// leastLevel gives the weakest of the levels among values, or "".
func leastLevel(values []string) (least string) {
	for _, acr := range values {
		if api.Level(acr) > 0 && (least == "" || api.Level(acr) < api.Level(least)) {
			least = acr
		}
	}
	return least
}

// checkHint reads id_token_hint. Only a digest of whom it names is kept.
func (p *Provider) checkHint(ctx context.Context, q *request) error {
	token := q.values.Get("id_token_hint")
	if token == "" {
		return nil
	}
	hint, err := p.tokens.ReadHint(token)
	if err != nil {
		return refuse("invalid_request", "id_token_hint is not an ID token of this provider.").because(err)
	}
	q.hint = digest(hint.Subject)
	return nil
}

// kept are the parameters that an interaction keeps: what a later look at the request needs, and nothing about the person.
var kept = []string{
	"client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
	"dpop_jkt", "resource", "prompt", "max_age", "acr_values", "ui_locales",
}

// resume goes on with a request that was understood when it came.
func (q *request) resume(i Interaction) {
	q.values, q.acr, q.hint, q.claims, q.pushed, q.checked = i.Request, i.ACR, i.Hint, i.Claims, i.Pushed, true
}

// interaction is the request as somebody who waits.
func (q *request) interaction(asked time.Time) Interaction {
	i := Interaction{
		Request: url.Values{}, ClientID: q.client.ID, ACR: q.acr, Fresh: q.prompt&PromptLogin != 0 || q.maxAge >= 0,
		Locales: q.values.Get("ui_locales"), Hint: q.hint, Claims: q.claims, Pushed: q.pushed, Asked: asked,
	}
	for _, name := range kept {
		if v, ok := q.values[name]; ok {
			i.Request[name] = v
		}
	}
	// Of these only what was understood: the page of consent shows the scopes and the agreement keeps them, and anybody
	// can write into a request that bears a known client's name.
	i.Request.Set("scope", strings.Join(q.scopes, " "))
	if i.Request.Has("resource") {
		i.Request["resource"] = q.audience
	}
	return i
}
