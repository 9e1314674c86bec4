package eservice

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// A service is the e-service at work.
type service struct {
	cfg      Config
	provider *provider
	visits   *visits
	http     *http.Client // towards the provider and the cabinet
	secure   bool         // https: cookies are Secure and bound to this host
	log      *slog.Logger
}

// Serve runs the e-service until ctx ends. The provider may come up later: a citizen who is earlier is told so.
func Serve(ctx context.Context, cfg Config, log *slog.Logger) error {
	server := &http.Server{
		Addr:              cfg.Listen,
		Handler:           newService(cfg, log).routes(),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}

	drained := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		drained <- server.Shutdown(grace)
	})
	err := server.ListenAndServe()
	if !errors.Is(err, http.ErrServerClosed) {
		stop()
		return fmt.Errorf("serve the e-service: %w", err)
	}
	return <-drained
}

func newService(cfg Config, log *slog.Logger) *service {
	cfg.URL = strings.TrimSuffix(cfg.URL, "/")
	outgoing := &http.Client{Timeout: 5 * time.Second}
	return &service{
		cfg:      cfg,
		provider: &provider{cfg: cfg, http: outgoing},
		visits:   &visits{of: map[string]visit{}},
		http:     outgoing,
		secure:   strings.HasPrefix(cfg.URL, "https://"),
		log:      log,
	}
}

// routes is every address of the e-service.
func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", s.handle(s.home))
	mux.Handle("GET /sign-in", s.handle(s.signIn))
	mux.Handle("GET /callback", s.handle(s.callback))
	mux.Handle("POST /sign-out", s.handle(s.signOut))
	mux.HandleFunc("POST /back-channel-logout", s.backChannel)
	mux.Handle("GET /api/me", s.handle(s.me))
	mux.HandleFunc("GET /style.css", style)
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	return s.headers(http.NewCrossOriginProtection().Handler(mux))
}

// ready says whether a citizen could sign in now.
func (s *service) ready(w http.ResponseWriter, r *http.Request) {
	if _, err := s.provider.discover(r.Context()); err != nil {
		http.Error(w, "the provider does not answer", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// headers are what every answer carries. A sign-out ends at the provider, so forms may lead there.
func (s *service) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+s.cfg.Issuer)
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		next.ServeHTTP(w, r)
	})
}

// cookie makes a cookie of ours. Lax, because the way back from the provider is a navigation from another site.
func (s *service) cookie(name, value string, lasts time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: int(lasts.Seconds()),
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	}
}

// cookieName binds the cookie to this host where it can be (RFC 6265bis §4.1.3.2).
func (s *service) cookieName(name string) string {
	if s.secure {
		return "__Host-eservice_" + name
	}
	return "eservice_" + name
}

// clear makes the browser forget a cookie.
func (s *service) clear(w http.ResponseWriter, name string) {
	http.SetCookie(w, s.cookie(name, "", -time.Second))
}

// random is an unguessable string of 130 bits.
func random() string { return rand.Text() }
