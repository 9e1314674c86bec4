package clients

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// warnAhead is how long before something ends it is warned of: long enough to order a certificate and to have it signed by hand.
const warnAhead = 30 * 24 * time.Hour

// What may end.
const (
	previousSecret = "previous_client_secret"
	certificate    = "certificate"
	initialToken   = "initial_access_token"
)

// A Warning tells of something of a client's that ends soon, or has ended.
type Warning struct {
	What  string `json:"what"`
	KeyID string `json:"kid,omitempty"`
	Till  int64  `json:"expires_at"`
}

// Warnings tells what of the client's ends soon: the secret before, and the certificates of the keys that lie with us (x5c). After those at a
// jwks_uri Expiry looks, since they have to be fetched.
func (c *Client) Warnings(now time.Time) (all []Warning) {
	if c.PreviousSecretTill != nil && now.Before(*c.PreviousSecretTill) {
		all = append(all, Warning{What: previousSecret, Till: c.PreviousSecretTill.Unix()})
	}
	if c.Metadata.JWKS != nil {
		all = append(all, ending(c.Metadata.JWKS.Keys, now)...)
	}
	return all
}

// ending tells which certificates of keys end soon.
func ending(keys []jose.JSONWebKey, now time.Time) (all []Warning) {
	for _, key := range keys {
		for _, cert := range key.Certificates {
			if cert.NotAfter.Before(now.Add(warnAhead)) {
				all = append(all, Warning{What: certificate, KeyID: key.KeyID, Till: cert.NotAfter.Unix()})
			}
		}
	}
	return all
}

// Expiry tells operators each day what ends soon: in the log by client, in a metric by kind.
type Expiry struct {
	registry *Registry
	log      *slog.Logger
	soon     *prometheus.GaugeVec
}

// NewExpiry makes an Expiry and registers its metric.
func NewExpiry(registry *Registry, log *slog.Logger, metrics prometheus.Registerer) (*Expiry, error) {
	soon := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "idp_ends_soon", Help: "Secrets, certificates and initial access tokens that end within thirty days, or have ended, by what they are.",
	}, []string{"what"})
	if err := metrics.Register(soon); err != nil {
		return nil, fmt.Errorf("register the metric of what ends soon: %w", err)
	}
	return &Expiry{registry, log, soon}, nil
}

// Look looks once; it is to be called every day. Clients lie in memory, so it costs one question, about tokens, and a call to each jwks_uri.
func (e *Expiry) Look(ctx context.Context) error {
	const tokens = `SELECT count(*) FROM initial_access_token WHERE uses_left > 0 AND till > $1 AND till < $2`

	now := e.registry.now()
	var initial int
	if err := e.registry.back.QueryRow(ctx, tokens, now, now.Add(warnAhead)).Scan(&initial); err != nil {
		return fmt.Errorf("count initial access tokens: %w", err)
	}
	counts := map[string]int{previousSecret: 0, certificate: 0, initialToken: initial}
	for id, c := range *e.registry.all.Load() {
		warnings := c.Warnings(now)
		if c.Metadata.JWKSURI != "" && c.DisabledAt == nil {
			published, err := e.registry.Keys(ctx, c, "")
			if err != nil {
				e.log.WarnContext(ctx, "keys cannot be read", "client", id, "err", err)
			}
			warnings = append(warnings, ending(published, now)...)
		}
		for _, w := range warnings {
			counts[w.What]++
			e.log.WarnContext(ctx, "ends soon", "client", id, "what", w.What, "till", time.Unix(w.Till, 0).UTC())
		}
	}
	for what, n := range counts {
		e.soon.WithLabelValues(what).Set(float64(n))
	}
	return nil
}
