package cabinet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"asoba.example/cabinet"
	"asoba.example/cabinet/contact"
	"asoba.example/cabinet/dispute"
	"asoba.example/cabinet/follow"
	"asoba.example/cabinet/issuer"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/keys"
	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/signal"
	"asoba.example/cabinet/wall"
	"asoba.example/cmd/internal/run"
	"asoba.example/cmd/internal/stores"
	"asoba.example/migrations"
	"asoba.example/provider/answer"
	"asoba.example/provider/api"
	"asoba.example/provider/fetch"
	"asoba.example/provider/seal"
)

// patience is for one answer of the provider.
const patience = 5 * time.Second

// backConnections are for following the feed, apart, so that a crowd of requests cannot keep a block from being heard.
const backConnections = 4

// Serve runs the cabinet until ctx ends. When a setting, a port or a store is wrong it says so and has served nobody.
func Serve(ctx context.Context, cfg Config, log *slog.Logger) error {
	secure, err := run.Certificate(cfg.TLSCertFile, cfg.TLSKeyFile)
	if err != nil {
		return fmt.Errorf("CABINET_TLS_CERT_FILE and CABINET_TLS_KEY_FILE: %w", err)
	}
	if cfg.MTLSURL != "" && secure == nil {
		return errors.New("CABINET_MTLS_URL needs CABINET_TLS_CERT_FILE and CABINET_TLS_KEY_FILE")
	}
	key, err := clientKey(cfg)
	if err != nil {
		return err
	}
	if cfg.JournalYears < 1 {
		return errors.New("CABINET_JOURNAL_YEARS is not a number of years")
	}
	named, err := sources(cfg)
	if err != nil {
		return err
	}
	neighbours, err := neighbours(cfg)
	if err != nil {
		return err
	}
	master, err := seal.ReadMasterKey("CABINET_MASTER_KEY_FILE", cfg.MasterKeyFile)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("CABINET_LISTEN: %w", err)
	}
	defer listener.Close()
	if err := stores.Redis(ctx, "CABINET_REDIS_URL", cfg.RedisURL); err != nil {
		return err
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	kept, err := stores.Open(ctx, stores.Config{
		Program: "CABINET", Schema: migrations.Cabinet, DatabaseURL: cfg.DatabaseURL, RedisURL: cfg.RedisURL,
		Connections: cfg.DatabaseConnections, Background: backConnections, Settings: wall.Settings(), Metrics: metrics,
	})
	if err != nil {
		return err
	}
	defer kept.Close()
	box, err := seal.Open(ctx, kept.Pool, master, time.Now())
	if err != nil {
		return err
	}
	ring := keys.Ring{Pool: kept.Pool, Box: box, Now: time.Now}
	roots := journal.Roots{Pool: kept.Back, Issuer: cfg.URL, Sign: ring.Sign, Now: time.Now}

	provider, err := issuer.New(issuer.Config{
		URL: cfg.Issuer, ClientID: cfg.ClientID, Key: key, RedirectURI: cfg.URL + "/callback",
		HTTP: &http.Client{Timeout: patience}, Now: time.Now,
	})
	if err != nil {
		return err
	}
	sources := &profile.Watch{Sources: profile.NewSources(box), Pool: kept.Back, Named: named, Log: log}
	if err := sources.Read(ctx); err != nil {
		return err
	}
	caller := fetch.New(fetch.Config{AllowLoopback: cfg.AllowLoopbackFetch})
	answers := &answer.Book{Pool: kept.Pool, Box: box, Now: time.Now}
	signals := &signal.Feed{Pool: kept.Back, Now: time.Now, Log: log}
	deliverer := signal.Deliverer{Pool: kept.Back, Caller: caller, Sign: ring.Sign, URL: cfg.URL, Issuer: cfg.Issuer, Now: time.Now, Log: log}
	doors, err := cabinet.New(cabinet.Config{
		URL: cfg.URL, MTLSURL: cfg.MTLSURL, ClientID: cfg.ClientID, IssuerURL: cfg.Issuer, Issuer: provider,
		Pool: kept.Pool, Redis: kept.Redis, Box: box, Keys: ring, Contacts: contact.Book{Pool: kept.Pool, Box: box}, Sources: sources.Sources,
		Disputes: dispute.Book{Pool: kept.Pool, Box: box}, Answers: answers, Signals: signals, Calls: caller.Calls,
		JournalYears: cfg.JournalYears, SessionIdle: cfg.SessionIdle, SessionTotal: cfg.SessionTotal,
		Metrics: metrics, Now: time.Now,
	})
	if err != nil {
		return err
	}
	follower := follow.New(follow.Config{
		Pool: kept.Back,
		Feed: follow.Feed{URL: cfg.ManagementURL, HTTP: &http.Client{}, Token: provider.FeedToken},
		Keep: cfg.SessionTotal + time.Hour, ForgetKeys: provider.Forget, Now: time.Now, Log: log,
	})
	metrics.MustRegister(follow.Lag{Pool: kept.Back, Now: time.Now}, journal.Watch{Pool: kept.Back, Now: time.Now}, signal.Watch{Pool: kept.Back}, sources)
	observer, err := api.NewObserver(api.ObserverConfig{Log: log, Metrics: metrics, Now: time.Now})
	if err != nil {
		return err
	}
	parts := []run.Part{
		run.Server{Listener: listener, Handler: observer.Observe(doors.Handler()), TLS: secure, Log: log, Notice: cfg.StopNotice, Ready: kept.Ready, Streams: cabinet.Streams, Waits: cabinet.Waits}.Run,
		follower.Run,
		follower.RunEditions,
		run.Every(time.Minute, log, "refresh the provider's keys", provider.Refresh),
		run.Every(time.Second, log, "give entries their places", journal.Sealer{Pool: kept.Back}.Seal),
		run.Every(time.Minute, log, "forget old answers", answers.Forget),
		run.Every(10*time.Second, log, "read which sources there are", sources.Read),
		run.Every(time.Minute, log, "sign the root of the journal", roots.SignToday),
		run.Every(time.Hour, log, "open the keys", ring.Check),
		run.Every(time.Hour, log, "make the journal's months", func(ctx context.Context) error { return journal.MakeMonths(ctx, kept.Back, time.Now()) }),
	}
	asker := profile.Asker{Sources: sources.Sources, Pool: kept.Back, Caller: neighbours, Now: time.Now}
	for _, source := range named { // each by itself, so that one that is slow holds up no other
		parts = append(parts, run.Every(time.Second, log, "ask "+source.Name, func(ctx context.Context) error { return asker.Refresh(ctx, source) }))
	}
	parts = append(parts,
		run.Every(time.Second, log, "give signals their places", signals.Seal),
		run.Every(24*time.Hour, log, "drop signals", signals.Wipe))
	for range signal.Workers {
		parts = append(parts, run.Every(time.Second, log, "tell e-services", deliverer.Deliver))
	}
	if cfg.MTLSURL != "" {
		listener, err := net.Listen("tcp", cfg.MTLSListen)
		if err != nil {
			return fmt.Errorf("CABINET_MTLS_LISTEN: %w", err)
		}
		defer listener.Close()
		certified := secure.Clone()
		certified.ClientAuth = tls.RequestClientCert // whose it is the token tells (RFC 8705 §3): some have no authority
		parts = append(parts, run.Server{Listener: listener, Handler: observer.Observe(doors.API()), TLS: certified, Log: log, Notice: cfg.StopNotice, Ready: kept.Ready, Waits: cabinet.Waits}.Run)
	}
	if cfg.MetricsListen != "" {
		listener, err := net.Listen("tcp", cfg.MetricsListen)
		if err != nil {
			return fmt.Errorf("CABINET_METRICS_LISTEN: %w", err)
		}
		defer listener.Close()
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
		parts = append(parts, run.Server{Listener: listener, Handler: mux, Log: log}.Run)
	}
	log.Info("serving", "cabinet", cfg.URL, "issuer", cfg.Issuer)
	return run.All(ctx, parts...)
}

// sources are the other systems that the environment names. What citizens' numbers are sent to is called by https.
func sources(cfg Config) ([]profile.Source, error) {
	all, err := profile.ParseSources(cfg.Sources)
	if err != nil {
		return nil, fmt.Errorf("CABINET_SOURCES: %w", err)
	}
	for _, s := range all {
		if !strings.HasPrefix(s.URL, "https:") && !cfg.AllowLoopbackFetch {
			return nil, fmt.Errorf("CABINET_SOURCES: %v is not by https", s)
		}
	}
	return all, nil
}

// neighbours calls other systems of the state, which may be in a private network.
func neighbours(cfg Config) (*fetch.Caller, error) {
	calls := fetch.Config{AllowLoopback: cfg.AllowLoopbackFetch, AllowPrivate: true}
	certified, err := run.Certificate(cfg.SourcesCertFile, cfg.SourcesKeyFile)
	if err != nil {
		return nil, fmt.Errorf("CABINET_SOURCES_CERT_FILE and CABINET_SOURCES_KEY_FILE: %w", err)
	}
	if certified != nil {
		calls.Certificates = certified.Certificates
	}
	return fetch.New(calls), nil
}

func clientKey(cfg Config) (issuer.Key, error) {
	text, err := os.ReadFile(cfg.ClientKeyFile)
	if err != nil {
		return issuer.Key{}, fmt.Errorf("CABINET_CLIENT_KEY_FILE: %w", err)
	}
	key, err := issuer.ParseKey(text)
	if err != nil {
		return issuer.Key{}, fmt.Errorf("CABINET_CLIENT_KEY_FILE: %w", err)
	}
	return key, nil
}
