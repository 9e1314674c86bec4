package issuer

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// ahead is how far the provider's clock may be before ours.
const ahead = 10 * time.Second

// A Logout is what a Logout Token says is over: a session at the provider, or, where SID is "", every one of Subject's.
type Logout struct {
	SID     string
	Subject string // "" where it is not told
	ID      string // jti: good once
	Till    time.Time
}

// CheckLogout checks a Logout Token, all but that it comes for the first time (OpenID Connect Back-Channel Logout §2.6).
func (i *Issuer) CheckLogout(ctx context.Context, raw string) (Logout, error) {
	token, err := i.verifier().VerifyLogout(ctx, raw) // signature, iss, aud, exp, jti, events, no nonce, sub or sid
	if err != nil {
		return Logout{}, fmt.Errorf("check a Logout Token: %w", err)
	}
	// The type keeps every other token of the provider from being taken for one of these (§2.4).
	signed, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil {
		return Logout{}, fmt.Errorf("check a Logout Token: %w", err)
	}
	typ, _ := signed.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string)
	var claims struct {
		Events map[string]map[string]any `json:"events"` // each an object
	}
	switch {
	case strings.TrimPrefix(strings.ToLower(typ), "application/") != "logout+jwt":
		err = errors.New("typ")
	case token.Claims(&claims) != nil || claims.Events[logoutEvent] == nil:
		err = errors.New("events")
	case token.IssuedAt.IsZero() || token.IssuedAt.After(i.cfg.Now().Add(ahead)):
		err = errors.New("iat")
	}
	if err != nil {
		return Logout{}, fmt.Errorf("check a Logout Token: %w", err)
	}
	return Logout{SID: token.SessionID, Subject: token.Subject, ID: token.TokenID, Till: token.Expiry}, nil
}

// logoutEvent is the one that a Logout Token tells of.
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// verifier checks what the provider says to us as its client.
func (i *Issuer) verifier() *oidc.IDTokenVerifier {
	return oidc.NewVerifier(i.cfg.URL, keySet{i}, &oidc.Config{
		ClientID: i.cfg.ClientID, SupportedSigningAlgs: names(algorithms), Now: i.cfg.Now,
	})
}
