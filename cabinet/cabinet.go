package cabinet

import (
	"embed"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/contact"
	"asoba.example/cabinet/dispute"
	"asoba.example/cabinet/issuer"
	"asoba.example/cabinet/keys"
	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/signal"
	"asoba.example/provider/api"
	"asoba.example/provider/page"
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
	Keys      keys.Ring // what is handed out is signed with
	Contacts  contact.Book
	Sources   profile.Sources
	Disputes  dispute.Book
	Signals   *signal.Feed
	Calls     func(uri string) bool // tells the addresses that e-services may be told at
	// JournalYears is how far back the journal is shown.
	JournalYears int
	// SessionIdle and SessionTotal end a web session that nobody uses, and every one.
	SessionIdle, SessionTotal time.Duration
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
}

// New makes a Cabinet.
func New(cfg Config) (*Cabinet, error) {
	secure := strings.HasPrefix(cfg.URL, "https://")
	sessions := sessions{
		redis: cfg.Redis, secure: secure, idle: cfg.SessionIdle, total: cfg.SessionTotal, now: cfg.Now,
	}
	site, err := page.New(page.Config{Name: "cabinet", Secure: secure, Rooms: []page.Room{Room()}, SignedIn: sessions.had, Start: "/"})
	if err != nil {
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
	return &Cabinet{
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
	}, nil
}

// api has the routes that openapi.json describes.
func (c *Cabinet) api() map[string]api.Handler {
	return map[string]api.Handler{
		"GET /api/v1/journal": c.apiJournal,

		"GET /api/v1/events":       c.apiEvents,
		"GET /api/v1/subscription": c.apiSubscription,
		"PUT /api/v1/subscription": c.apiSubscribe,

		"GET /jwks":         c.jwks,
		"GET /openapi.json": openapi,

		"GET /api/v1/profile":            c.apiProfile,
		"GET /api/v1/profile/changes":    c.apiChanges,
		"POST /api/v1/profile/refreshes": c.apiRefresh,

		"GET /api/v1/services":        c.apiServices,
		"GET /api/v1/services/{code}": c.apiService,
		"GET /api/v1/bodies":          c.apiBodies,
	}
}

// API has the routes that openapi.json describes. They go by no cookie.
func (c *Cabinet) API() http.Handler {
	mux := http.NewServeMux()
	held := c.document.Hold(mux)
	for pattern, handler := range c.api() {
		held.Handle(pattern, handler)
	}
	return api.Refusing(mux)
}

// Handler has every route of the cabinet.
func (c *Cabinet) Handler() http.Handler {
	mux := http.NewServeMux()

	doors := c.API()
	mux.Handle("/api/", doors)
	mux.Handle("/jwks", doors)
	mux.Handle("/openapi.json", doors)

	mux.Handle("GET /{$}", c.site.Handle(c.start))
	mux.Handle("GET /profile", c.site.Handle(c.profile))
	mux.Handle("GET /profile/values/{name}", c.site.Handle(c.showValue))
	mux.Handle("POST /profile/values/{name}", c.site.Handle(c.dispute))
	mux.Handle("GET /profile/contact", c.site.Handle(c.askContact))
	mux.Handle("POST /profile/contact", c.site.Handle(c.giveContact))
	mux.Handle("GET /profile/data", c.site.Handle(c.data))
	mux.Handle("POST /profile/data/export", c.site.Handle(c.exportData))
	mux.Handle("GET /journal", c.site.Handle(c.journal))
	mux.Handle("POST /journal/export", c.site.Handle(c.export))
	mux.Handle("GET /journal/{id}", c.site.Handle(c.entry))
	mux.Handle("POST /journal/{id}/report", c.site.Handle(c.report))
	mux.Handle("GET /services", c.site.Handle(c.services))
	mux.Handle("GET /services/{code}", c.site.Handle(c.service))
	mux.Handle("GET /cases", c.site.Handle(c.empty("cases")))
	mux.Handle("GET /inbox", c.site.Handle(c.empty("inbox")))

	mux.Handle("GET /sign-in", c.site.Handle(c.signIn))
	mux.Handle("GET /callback", c.site.Handle(c.callback))
	mux.Handle("GET /sign-out", c.site.Handle(c.askSignOut))
	mux.Handle("POST /sign-out", c.site.Handle(c.signOut))
	c.site.Mount(mux)

	return c.site.Protect(c.site.Over(mux))
}
