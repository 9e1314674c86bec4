package dashboard

import (
	"embed"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/body"
	"asoba.example/provider/clients"
	"asoba.example/provider/page"
	"asoba.example/provider/pair"
	"asoba.example/provider/session"
)

//go:embed pages parts words
var files embed.FS

// Room is what the dashboard brings to the site.
func Room() page.Room { return page.Room{FS: files} }

// Config is what a Dashboard needs. All of it.
type Config struct {
	Issuer       string
	Site         *page.Site
	Interactions *provider.Interactions
	Accounts     provider.Accounts
	Sessions     *session.Store
	Clients      *clients.Registry
	Bodies       *body.Bodies
	Feed         *audit.Feed
	Pool         *pgxpool.Pool
	Now          func() time.Time
}

// A Dashboard is the doors of this package.
type Dashboard struct{ cfg Config }

// New makes a Dashboard.
func New(cfg Config) (*Dashboard, error) {
	if cfg.Issuer == "" || cfg.Site == nil || cfg.Interactions == nil || cfg.Accounts == nil || cfg.Sessions == nil || cfg.Clients == nil ||
		cfg.Bodies == nil || cfg.Feed == nil || cfg.Pool == nil || cfg.Now == nil {
		return nil, errors.New("dashboard: a part is missing")
	}
	return &Dashboard{cfg}, nil
}

// Mount opens the doors.
func (d *Dashboard) Mount(mux api.Mux) {
	mux.Handle("GET /e-services", d.door(today, d.list))
	mux.Handle("GET /e-services/new", d.door(today, d.newForm))
	mux.Handle("POST /e-services/new", d.door(today, d.register))
	mux.Handle("GET /e-services/{client_id}", d.door(today, d.show))
	mux.Handle("GET /e-services/{client_id}/change", d.door(today, d.changeForm))
	mux.Handle("POST /e-services/{client_id}/change", d.door(atOnce, d.change))
	mux.Handle("POST /e-services/{client_id}/live", d.door(atOnce, d.propose))
	mux.Handle("POST /e-services/{client_id}/proposals/{id}", d.door(atOnce, d.decide))
	mux.Handle("POST /e-services/{client_id}/secret", d.door(atOnce, d.rotate))
	mux.Handle("POST /e-services/{client_id}/remove", d.door(today, d.remove))
}

// How lately somebody must have signed in: within a day's work; or at once, before what another person or a running service relies on.
const (
	today  = 12 * time.Hour
	atOnce = 20 * time.Minute
)

// door makes a door for whoever has signed in so lately, by more than a password; others do that first, and come back to the page.
func (d *Dashboard) door(within time.Duration, door func(http.ResponseWriter, *http.Request, uuid.UUID) error) http.Handler {
	return d.cfg.Site.Handle(func(w http.ResponseWriter, r *http.Request) error {
		person, err := d.person(r, within)
		if err != nil {
			return err
		}
		if person != uuid.Nil {
			return refusal(door(w, r, person))
		}
		i := provider.Interaction{Page: r.URL.RequestURI(), ACR: api.Substantial}
		switch id := r.PathValue("client_id"); {
		case r.Method == http.MethodGet:
		case clients.WellFormed(id): // what was sent is lost, and is to be seen again before it is sent again
			i.Page = "/e-services/" + id
		default:
			i.Page = "/e-services"
		}
		if i, err = d.cfg.Interactions.Begin(r.Context(), w, r, i); err != nil {
			return err
		}
		http.Redirect(w, r, i.At("/sign-in"), http.StatusSeeOther)
		return nil
	})
}

// person is who has signed in at this browser so lately, by more than a password; uuid.Nil, if nobody has.
func (d *Dashboard) person(r *http.Request, within time.Duration) (uuid.UUID, error) {
	s, err := d.cfg.Sessions.Find(r.Context(), r)
	if err != nil || s.IsZero() || api.Level(s.ACR) < api.Level(api.Substantial) || d.cfg.Now().Sub(s.AuthTime) > within {
		return uuid.Nil, err
	}
	var (
		b        pgx.Batch
		standing provider.Standing
	)
	d.cfg.Accounts.Standing(&b, s.Person, &standing)
	if err := d.cfg.Pool.SendBatch(r.Context(), &b).Close(); err != nil {
		return uuid.Nil, err
	}
	if !standing.Holds(s.AuthTime) {
		return uuid.Nil, nil
	}
	return s.Person, nil
}

// refusal says what the rooms refuse; what a form can mend is said beside its field, by readForm.
func refusal(err error) error {
	switch {
	case errors.Is(err, clients.ErrUnknown), errors.Is(err, body.ErrUnknown), errors.Is(err, body.ErrNoProposal):
		return page.Refuse(http.StatusNotFound, "error.not_found", err)
	case errors.Is(err, clients.ErrStale):
		return page.Refuse(http.StatusConflict, "e-service.stale", err)
	case errors.Is(err, clients.ErrDrafts):
		return page.Refuse(http.StatusConflict, "e-service.drafts", err)
	case errors.Is(err, clients.ErrLive):
		return page.Refuse(http.StatusConflict, "e-service.live_alone", err)
	case errors.Is(err, body.ErrOpen):
		return page.Refuse(http.StatusConflict, "e-service.open", err)
	case errors.Is(err, pair.ErrDecided):
		return page.Refuse(http.StatusConflict, "e-service.decided", err)
	case errors.Is(err, pair.ErrOwn):
		return page.Refuse(http.StatusForbidden, "e-service.own", err)
	case errors.Is(err, body.ErrReason):
		return page.Refuse(http.StatusUnprocessableEntity, "e-service.reason", err)
	case errors.Is(err, clients.ErrMetadata):
		return page.Refuse(http.StatusUnprocessableEntity, "e-service.wrong", err)
	case errors.Is(err, clients.ErrNoSecret):
		return page.Refuse(http.StatusConflict, "e-service.no_secret", err)
	}
	return err
}

// seen reads which version of an e-service the person had before them; one that is not said is none that there is.
func seen(r *http.Request) clients.Version {
	v, err := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	if err != nil || v < 1 {
		return -1
	}
	return clients.Version(v)
}

// by is the person who acts, on a page of our own.
func (d *Dashboard) by(person uuid.UUID) clients.By { return d.cfg.Bodies.By(person, "", d.cfg.Now()) }
