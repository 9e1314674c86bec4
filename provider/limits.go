package provider

import (
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/limit"
)

// The limits of the endpoints that clients call. They are far above what an honest e-service needs, and each node counts for itself.
//
//	wrong_proofs     of one client_id at one network: secrets, assertions, certificates and tokens that are not its own (RFC 6749 §2.3.1);
//	                 and of one network alone, initial access tokens that nobody has
//	client           of one client that has proved itself, wherever it calls from
//	public_client    of one public client at one network, for everybody may say that they are it
//
// A network is never limited as a whole, and what succeeds is not counted against it: it may be that of a ministry, with many clients behind
// one address, or of a mobile operator, with a city behind one. So whoever guesses at one client's secret is held back at that client alone,
// as it is seen from the network that he guesses from: other clients there go on, and so does that client anywhere else. Only a guesser
// who has the very address of the client that he names holds it up too, as long as he goes on; to let the right secret through would be
// to let him go on guessing. A client_id that nobody has is counted like any other.
//
// Not counted as wrong are codes and refresh tokens that are not good (invalid_grant), for people behind one operator come with stale ones
// every day, and made-up ones fail at their tags, unread; nor access tokens that are not good, which fail at their signatures. The metadata
// and the keys are bytes in memory for whoever asks.
var (
	ofWrongProofs  = limit.Limit{Burst: 100, Every: time.Second}
	ofClient       = limit.Limit{Burst: 5000, Every: time.Millisecond}
	ofPublicClient = limit.Limit{Burst: 1000, Every: 10 * time.Millisecond}
)

// limits hold clients to their limits, and count whom they turned away.
type limits struct {
	wrongProofs, client, publicClient *limit.Buckets

	relaxed bool
	refused *prometheus.CounterVec
	now     func() time.Time
}

func newLimits(cfg Config) (*limits, error) {
	l := &limits{
		wrongProofs: limit.New(ofWrongProofs), client: limit.New(ofClient), publicClient: limit.New(ofPublicClient),
		relaxed: cfg.Relaxed, now: cfg.Now,
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "idp_limited_requests_total",
			Help: "Requests of clients that were refused because there were too many, by the limit.",
		}, []string{"route", "limit"}),
	}
	return l, cfg.Metrics.Register(l.refused)
}

// prove runs a check of who a caller is, unless too many of them went wrong. The check that is under way counts when it has failed: many at
// once may be that many too many, but no client that is busy and right uses anything up.
func (l *limits) prove(r *http.Request, id string, check func() error) error {
	by := api.Network(r) + " " + id
	if wait := l.wrongProofs.Wait(by, l.now()); wait > 0 && !l.relaxed {
		return l.refuse(r, "wrong_proofs", wait)
	}
	err := check()
	if e, ok := errors.AsType[*refusal](err); ok && (e.code == "invalid_client" || e.code == "invalid_token") {
		l.wrongProofs.Take(by, l.now())
	}
	return err
}

// take counts a request of a client that has proved itself, or says that it is one too many.
func (l *limits) take(r *http.Request, client *clients.Client) error {
	buckets, name, by := l.client, "client", client.ID
	if client.Public() {
		buckets, name, by = l.publicClient, "public_client", api.Network(r)+" "+client.ID
	}
	if wait := buckets.Take(by, l.now()); wait > 0 && !l.relaxed {
		return l.refuse(r, name, wait)
	}
	return nil
}

// refuse answers 429 (RFC 6585 §4) with the one error of OAuth that says to try again later (RFC 6749 §4.1.2.1). slow_down would be nearer by
// its name, but tells a device to poll less often (RFC 8628 §3.5).
func (l *limits) refuse(r *http.Request, name string, wait time.Duration) error {
	l.refused.WithLabelValues(r.Pattern, name).Inc()
	e := refuse("temporarily_unavailable", "There were too many requests. Try again later.")
	e.wait = wait
	return e
}
