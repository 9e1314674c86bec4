package issuer

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"asoba.example/provider/api"
)

var _ api.KeySource = (*Issuer)(nil)

// keys are the provider's public keys, as fetched last.
type keys struct {
	// fetching is held through a fetch, so that one goes out for all who wait. It guards tried and missed.
	fetching sync.Mutex
	tried    time.Time
	missed   error // why the last try brought nothing

	mu   sync.RWMutex // guards what follows; set is written with both held
	set  *jose.JSONWebKeySet
	gone map[string]bool // kids that are good no longer, whatever set says
}

func (k *keys) find(kid string) (jose.JSONWebKey, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.set != nil && !k.gone[kid] {
		if found := k.set.Key(kid); len(found) == 1 && found[0].IsPublic() {
			return found[0], true
		}
	}
	return jose.JSONWebKey{}, false
}

// Key finds the public key by its kid. One not seen before makes us fetch the provider's keys again, after a pause.
func (i *Issuer) Key(ctx context.Context, kid string) (jose.JSONWebKey, error) {
	if key, ok := i.keys.find(kid); ok {
		return key, nil
	}
	i.keys.fetching.Lock()
	defer i.keys.fetching.Unlock()
	if key, ok := i.keys.find(kid); ok { // another request fetched it while we waited
		return key, nil
	}
	if i.cfg.Now().Sub(i.keys.tried) >= pause {
		if err := i.fetchKeys(ctx); err != nil {
			return jose.JSONWebKey{}, err
		}
	}
	if key, ok := i.keys.find(kid); ok {
		return key, nil
	}
	if i.keys.missed != nil { // it may be one that we should know by now
		return jose.JSONWebKey{}, i.keys.missed
	}
	return jose.JSONWebKey{}, api.ErrUnknownKey
}

// fetchKeys fetches the keys for all who wait: whoever came first may leave. keys.fetching is held.
func (i *Issuer) fetchKeys(ctx context.Context) error {
	i.keys.tried = i.cfg.Now()
	i.keys.missed = i.readKeys(context.WithoutCancel(ctx))
	return i.keys.missed
}

// readKeys reads the provider's JWKS (OpenID Connect Core §10.1.1).
func (i *Issuer) readKeys(ctx context.Context) error {
	p, err := i.provider(ctx)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.endpoints.JWKS, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	var set jose.JSONWebKeySet
	if err := i.ask(r, &set); err != nil {
		return fmt.Errorf("read the provider's keys: %w", err)
	}
	i.keys.mu.Lock()
	defer i.keys.mu.Unlock()
	i.keys.set = &set
	return nil
}

// Forget believes no more in keys of these kids, and fetches the others: a node of the provider may publish for a moment yet what is gone.
func (i *Issuer) Forget(ctx context.Context, kids []string) error {
	i.keys.mu.Lock()
	if i.keys.gone == nil {
		i.keys.gone = map[string]bool{}
	}
	for _, kid := range kids {
		i.keys.gone[kid] = true
	}
	i.keys.mu.Unlock()
	return i.Refresh(ctx)
}

// Refresh fetches the keys now; called every minute, so that no request waits for them and a key that was
// withdrawn is forgotten. While the provider is away the last ones stay.
func (i *Issuer) Refresh(ctx context.Context) error {
	i.keys.fetching.Lock()
	defer i.keys.fetching.Unlock()
	return i.fetchKeys(ctx)
}
