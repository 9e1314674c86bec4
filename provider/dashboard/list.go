package dashboard

import (
	"net/http"

	"github.com/google/uuid"

	"asoba.example/provider/page"
)

// listPage tells somebody their bodies' e-services.
type listPage struct {
	Bodies  []listedBody
	Waiting []listedService // of other bodies, for the operator's staff to decide of
	Removed bool            // one, just now
}

type listedBody struct {
	ID       uuid.UUID
	Name     string
	Services []listedService
}

type listedService struct {
	ID, Name string
	Standing string // draft, live, disabled
	Open     bool   // a proposal waits for a second person
	Warned   bool
}

// list handles GET /e-services.
func (d *Dashboard) list(w http.ResponseWriter, r *http.Request, person uuid.UUID) error {
	ctx, language := r.Context(), d.cfg.Site.Language(r)
	bodies, err := d.cfg.Bodies.Of(ctx, person)
	if err != nil {
		return err
	}
	data, own := listPage{Removed: r.URL.Query().Has("removed")}, map[string]bool{}
	for _, b := range bodies {
		listed := listedBody{ID: b.ID, Name: b.Names.In(language)}
		owned, err := d.cfg.Clients.Owned(ctx, b.ID)
		if err != nil {
			return err
		}
		for _, c := range owned {
			own[c.ID] = true
			open, err := d.open(ctx, c)
			if err != nil {
				return err
			}
			listed.Services = append(listed.Services, listedService{
				ID: c.ID, Name: c.Name(language), Standing: standing(c), Open: open != nil, Warned: len(c.Warnings(d.cfg.Now())) > 0,
			})
		}
		data.Bodies = append(data.Bodies, listed)
	}
	waiting, err := d.cfg.Bodies.Waiting(ctx, d.by(person))
	if err != nil {
		return err
	}
	for _, p := range waiting {
		if own[p.ClientID] {
			continue
		}
		c, err := d.cfg.Clients.Look(ctx, p.ClientID)
		if err != nil {
			return err
		}
		data.Waiting = append(data.Waiting, listedService{ID: c.ID, Name: c.Name(language), Standing: standing(c), Open: true})
	}
	return d.cfg.Site.Show(w, r, page.View{Name: "e-services", Data: data, SignedIn: true, Wide: true})
}
