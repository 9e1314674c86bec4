package cabinet

import (
	"embed"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/catalogue"
	"asoba.example/cabinet/contact"
	"asoba.example/cabinet/dispute"
	"asoba.example/cabinet/issuer"
	"asoba.example/cabinet/keys"
	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/signal"
	"asoba.example/provider/answer"
	"asoba.example/provider/api"
	"asoba.example/provider/page"
	"asoba.example/provider/seal"
)

//go:embed pages parts words
var files embed.FS

// Room is what the cabinet brings to its site.
func Room() page.Room { return page.Room{FS: files} }

// Config is what a Cabinet needs.
type Config struct {
	URL       string // its own, the audience of tokens
	MTLSURL   string // where the API asks e-services for certificates; "" for nowhere
	ClientID  string // its own, at the provider
	IssuerURL string
	Issuer    *issuer.Issuer
	Pool      *pgxpool.Pool
	Redis     redis.UniversalClient
	Box       *seal.Box // names in Redis whom nobody is to read there
	Keys      keys.Ring // what is handed out is signed with
	Contacts  contact.Book
	Sources   *profile.Sources
	Disputes  dispute.Book
	Signals   *signal.Feed
	Answers   *answer.Book          // to acts by the API
	Calls     func(uri string) bool // tells the addresses that e-services may be told at
	// JournalYears is how far back the journal is shown.
	JournalYears int
	// SessionIdle and SessionTotal end a web session that nobody uses, and every one.
	SessionIdle, SessionTotal time.Duration
	Metrics                   prometheus.Registerer
	Now                       func() time.Time
}

// A Cabinet answers e-services and citizens.
type Cabinet struct {
	cfg      Config
	document *api.Document
	demands  map[string]demand // by route
	site     *page.Site
	minsk    *time.Location
	tokens   api.Verifier
	gate     access.Gate
	sessions sessions
	index    *catalogue.Index

	toAPI, toAll *http.ServeMux // lead to the doors
}

// New makes a Cabinet.
func New(cfg Config) (*Cabinet, error) {
	secure := strings.HasPrefix(cfg.URL, "https://")
	requests, err := cfg.Box.Pouch("sign-ins on their way")
	if err != nil {
		return nil, err
	}
	begun, err := cfg.Box.Pouch("sessions")
	if err != nil {
		return nil, err
	}
	sessions := sessions{
		redis: cfg.Redis, box: cfg.Box, requests: requests, begun: begun, secure: secure, idle: cfg.SessionIdle, total: cfg.SessionTotal, now: cfg.Now,
		unreadable: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "cabinet_unreadable_sessions_total",
			Help: "How often a web session in Redis was not one that a node of this kind keeps there: it is none, and its citizen signs in anew.",
		}),
	}
	if err := cfg.Metrics.Register(sessions.unreadable); err != nil {
		return nil, err
	}
	site, err := page.New(page.Config{Name: "cabinet", Secure: secure, Rooms: []page.Room{Room()}, SignedIn: sessions.had, Start: "/"})
	if err != nil {
		return nil, err
	}
	if site, err = site.Keeping(cfg.Redis, cfg.Box, cfg.Now); err != nil {
		return nil, err
	}
	minsk, err := time.LoadLocation("Europe/Minsk")
	if err != nil {
		return nil, err
	}
	read, err := api.ReadDocument(document)
	if err != nil {
		return nil, err
	}
	demands, err := demandsOf(read)
	if err != nil {
		return nil, err
	}
	c := &Cabinet{
		cfg:      cfg,
		document: read,
		demands:  demands,
		site:     site,
		minsk:    minsk,
		tokens: api.Verifier{
			Keys: cfg.Issuer, Issuer: cfg.IssuerURL, Audience: cfg.URL, Verified: new(api.Verified), Now: cfg.Now,
			Proofs: &api.Proofs{URLs: []string{cfg.URL, cfg.MTLSURL}, Redis: cfg.Redis, Now: cfg.Now},
		},
		gate:     access.Gate{Pool: cfg.Pool, Provider: cfg.Issuer},
		sessions: sessions,
		index:    &catalogue.Index{Pool: cfg.Pool},
	}
	c.route()
	return c, nil
}
