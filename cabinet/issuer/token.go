package issuer

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"
)

// early is how long before its end a token is replaced.
const early = 30 * time.Second

// token is our own access token, by which the feed is read.
type token struct {
	mu    sync.Mutex // held through the request; guards the rest
	value string
	till  time.Time
}

// FeedToken gives an access token for the change feed (RFC 6749 §4.4). refused is one that the feed would not take,
// "" if none: it is not given again.
func (i *Issuer) FeedToken(ctx context.Context, refused string) (string, error) {
	t := &i.token
	t.mu.Lock()
	defer t.mu.Unlock()
	now := i.cfg.Now()
	if t.value != "" && t.value != refused && now.Before(t.till) {
		return t.value, nil
	}
	p, err := i.provider(ctx)
	if err != nil {
		return "", err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"changes:read"}}
	if err := i.post(ctx, p.endpoints.Token, form, &answer); err != nil {
		return "", fmt.Errorf("get a token for the feed: %w", err)
	}
	if answer.AccessToken == "" {
		return "", fmt.Errorf("get a token for the feed: %w: no token in the answer", ErrAway)
	}
	t.value, t.till = answer.AccessToken, now.Add(time.Duration(answer.ExpiresIn)*time.Second-early)
	return t.value, nil
}

// Active asks the provider whether an access token is still good (RFC 7662), or, of one of ours that is over at a time, whether the sign-in that gave it
// is. A provider that tells nothing of the latter is away.
func (i *Issuer) Active(ctx context.Context, accessToken string, till time.Time) (bool, error) {
	p, err := i.provider(ctx)
	if err != nil {
		return false, err
	}
	var answer struct {
		Active   bool  `json:"active"`
		SignedIn *bool `json:"signed_in"`
	}
	form := url.Values{"token": {accessToken}, "token_type_hint": {"access_token"}}
	if err := i.post(ctx, p.endpoints.Introspection, form, &answer); err != nil {
		return false, fmt.Errorf("introspect a token: %w", err)
	}
	switch {
	case answer.SignedIn != nil:
		return *answer.SignedIn, nil
	case !answer.Active && !i.cfg.Now().Before(till):
		return false, fmt.Errorf("introspect a token: %w: nothing is told of one that is over", ErrAway)
	}
	return answer.Active, nil
}
