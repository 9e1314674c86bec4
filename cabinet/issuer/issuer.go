package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// ErrAway says that the provider could not be asked, or answered with what is no answer.
var ErrAway = errors.New("the provider does not answer")

const (
	// answerLimit is more than any answer of a provider has.
	answerLimit = 1 << 20
	// pause stands between two tries to reach a provider that was away, and between two fetches of its keys: strangers
	// who send tokens with keys we do not know must not make us knock at the provider's door with each of them.
	pause = 5 * time.Second
)

// Config is what an Issuer needs.
type Config struct {
	URL         string // of the provider, as in iss
	ClientID    string
	Key         Key // the client's, for private_key_jwt
	RedirectURI string
	HTTP        *http.Client
	Now         func() time.Time
}

// An Issuer is the provider, seen from outside.
type Issuer struct {
	cfg    Config
	signer jose.Signer

	keys  keys
	token token

	// mu is held through discovery, so that one request goes out for all who wait; it guards found, tried and missed.
	mu     sync.Mutex
	found  *provider
	tried  time.Time
	missed error
}

// provider is what the discovery document says (OpenID Connect Discovery §3).
type provider struct {
	*oidc.Provider
	endpoints endpoints
}

type endpoints struct {
	JWKS          string `json:"jwks_uri"`
	Token         string `json:"token_endpoint"`
	Introspection string `json:"introspection_endpoint"`
	EndSession    string `json:"end_session_endpoint"`
}

// New makes an Issuer. It asks nothing yet.
func New(cfg Config) (*Issuer, error) {
	signer, err := cfg.Key.signer()
	if err != nil {
		return nil, fmt.Errorf("use the client key: %w", err)
	}
	return &Issuer{cfg: cfg, signer: signer}, nil
}

// provider reads the discovery document once. A provider that was away is tried again after a pause.
func (i *Issuer) provider(ctx context.Context) (*provider, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.found != nil {
		return i.found, nil
	}
	if now := i.cfg.Now(); i.missed == nil || now.Sub(i.tried) >= pause {
		i.tried = now
		i.found, i.missed = i.discover(ctx)
	}
	return i.found, i.missed
}

func (i *Issuer) discover(ctx context.Context) (*provider, error) {
	// The library keeps this context's client for later calls; it must not end with the request that came first.
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), i.cfg.HTTP)
	found, err := oidc.NewProvider(ctx, i.cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("%w: read its discovery document: %w", ErrAway, err)
	}
	p := &provider{Provider: found}
	if err := found.Claims(&p.endpoints); err != nil {
		return nil, fmt.Errorf("%w: read its discovery document: %w", ErrAway, err)
	}
	return p, nil
}

// post sends a form as the client that we are (private_key_jwt, OpenID Connect Core §9) and decodes the JSON answer.
func (i *Issuer) post(ctx context.Context, endpoint string, form url.Values, into any) error {
	proof, err := i.assertion()
	if err != nil {
		return err
	}
	form.Set("client_id", i.cfg.ClientID)
	form.Set("client_assertion_type", assertionType)
	form.Set("client_assertion", proof)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return i.ask(r, into)
}

// ask sends a request and decodes the JSON answer; anything but 200 is ErrAway.
func (i *Issuer) ask(r *http.Request, into any) error {
	r.Header.Set("Accept", "application/json")
	answer, err := i.cfg.HTTP.Do(r)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, answerLimit))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	if answer.StatusCode != http.StatusOK {
		var refusal struct {
			Error string `json:"error"`
		}
		_ = json.Unmarshal(body, &refusal) // a proxy's page has none
		return fmt.Errorf("%w: %s %s: %s %s", ErrAway, r.Method, r.URL.Path, answer.Status, refusal.Error)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%w: %s %s: %w", ErrAway, r.Method, r.URL.Path, err)
	}
	return nil
}
