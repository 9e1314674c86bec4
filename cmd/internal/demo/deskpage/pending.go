package deskpage

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"asoba.example/cmd/internal/demo/management"
	"asoba.example/provider/page"
)

// A waiting is an issuance of the office that waits for a register, known by its paper alone (resolution 792 ¶4).
type waiting struct {
	ID    string
	Basis struct{ Number, Date string }
	At    time.Time
	Till  time.Time // afterwards it is forgotten
}

// Date is that of the paper.
func (w waiting) Date() time.Time {
	at, _ := time.Parse(time.DateOnly, w.Basis.Date)
	return at
}

// waiting asks for the issuances that wait, those that came first first, as many as the API gives at once.
func (v *visit) waiting(r *http.Request) ([]waiting, *management.Refusal, error) {
	var answer struct{ Issuances []waiting }
	refused, err := refusal(v.api.Call(r.Context(), http.MethodGet, "/desk/pending-issuances?limit=200", nil, &answer))
	return answer.Issuances, refused, err
}

// pending handles GET /desk/pending: what waits in the clerk's office, whoever began it.
func (d *Page) pending(w http.ResponseWriter, r *http.Request, v *visit) error {
	all, refused, err := v.waiting(r)
	switch {
	case err != nil:
		return err
	case refused != nil:
		return denied(refused)
	}
	return d.show(w, r, page.View{Name: "pending", Data: all, Back: "/desk"})
}

// resumed is a door of one issuance that waits.
func (d *Page) resumed(h func(http.ResponseWriter, *http.Request, *visit, task) error) func(http.ResponseWriter, *http.Request, *visit) error {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		id := url.PathEscape(r.PathValue("id"))
		t := task{Operation: operations[0], Address: "/desk/pending/" + id, Back: "/desk/pending"}
		on, begun := d.read(v, t)
		if !begun {
			all, _, err := v.waiting(r)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(all, func(w waiting) bool { return w.ID == id })
			if i < 0 {
				return page.Refuse(http.StatusNotFound, "pending.gone", errors.New("not of those that wait here"))
			}
			on = work{
				Visit: "/desk/issuances/" + id, Done: outcome{Stage: "pending"},
				Form: form{BasisNumber: all[i].Basis.Number, BasisDate: all[i].Basis.Date},
			}
			d.put(v, t, on)
		}
		t.Caption = d.Site.Say(d.Site.Language(r), "pending.caption", map[string]any{"Number": on.Form.BasisNumber})
		return h(w, r, v, t)
	}
}
