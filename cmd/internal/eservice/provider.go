package eservice

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// A provider is what we know of the OpenID Provider. It is asked when first needed, and kept.
type provider struct {
	cfg  Config
	http *http.Client

	mu    sync.Mutex // held while asking, so that a crowd asks once
	known *discovered
}

// discovered is what the discovery document says (OpenID Connect Discovery §4).
type discovered struct {
	oauth2   oauth2.Config
	oidc     *oidc.Provider
	verifier *oidc.IDTokenVerifier
	more     struct {
		EndSession string `json:"end_session_endpoint"`
		SaysIss    bool   `json:"authorization_response_iss_parameter_supported"`
	}
}

func (p *provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return p.known, nil
	}
	op, err := oidc.NewProvider(p.client(ctx), p.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discover the provider: %w", err)
	}
	d := &discovered{
		oidc:     op,
		verifier: op.Verifier(&oidc.Config{ClientID: p.cfg.ClientID}),
		oauth2: oauth2.Config{
			ClientID:     p.cfg.ClientID,
			ClientSecret: p.cfg.ClientSecret,
			Endpoint:     op.Endpoint(),
			RedirectURL:  p.cfg.URL + "/callback",
			Scopes:       strings.Fields(p.cfg.Scope),
		},
	}
	if err := op.Claims(&d.more); err != nil {
		return nil, fmt.Errorf("read the discovery document: %w", err)
	}
	if d.more.EndSession == "" {
		return nil, errors.New("discover the provider: it has no end_session_endpoint")
	}
	p.known = d
	return d, nil
}

// client hands our HTTP client, which has a time-out, to the libraries.
func (p *provider) client(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.http)
}
