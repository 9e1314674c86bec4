package operator

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/register"
	"asoba.example/provider/api"
	"asoba.example/provider/pair"
)

// A toldRestoration is one as the API tells it.
type toldRestoration struct {
	ID         uuid.UUID  `json:"id"`
	Number     string     `json:"identification_number"`
	Undoes     *uuid.UUID `json:"undoes,omitempty"`
	Basis      basis      `json:"basis"`
	State      pair.State `json:"state"`
	ProposedBy uuid.UUID  `json:"proposed_by"`
	ProposedAt time.Time  `json:"proposed_at"`
	DecidedBy  *uuid.UUID `json:"decided_by,omitempty"`
	DecidedAt  *time.Time `json:"decided_at,omitempty"`
	UndoneAt   *time.Time `json:"undone_at,omitempty"`
}

func tellRestoration(p Restoration) toldRestoration {
	return toldRestoration{p.ID, p.Number, p.Undoes, basis(p.Basis), p.State, p.ProposedBy, p.ProposedAt, p.DecidedBy, p.DecidedAt, p.UndoneAt}
}

// listRestorations handles GET /register/restorations?state=.
func (d *Editions) listRestorations(w http.ResponseWriter, r *http.Request) error {
	if _, err := d.Gate.Enter(w, r, RegisterScope, clerk.Import, 0); err != nil {
		return err
	}
	found, err := d.Restorations.List(r.Context(), pair.State(r.URL.Query().Get("state")))
	if err != nil {
		return err
	}
	all := make([]toldRestoration, len(found))
	for i, p := range found {
		all[i] = tellRestoration(p)
	}
	return api.Write(w, http.StatusOK, struct {
		Restorations []toldRestoration `json:"restorations"`
	}{all})
}

// proposeRestoration handles POST /register/restorations.
func (d *Editions) proposeRestoration(w http.ResponseWriter, r *http.Request) error {
	by, err := d.Gate.Enter(w, r, RegisterScope, clerk.Import, 2*policy.FreshFor.In(d.Policies))
	if err != nil {
		return err
	}
	body, err := api.DecodeDocumented[struct {
		Number string `json:"identification_number"`
		Basis  basis  `json:"basis"`
	}](w, r)
	if err != nil {
		return err
	}
	rests, err := identity.ParseBasis(body.Basis.Number, body.Basis.Date, d.Gate.Now())
	if err != nil {
		return invalid([]api.Field{{Name: "/basis", Code: "not_a_basis"}})
	}
	p, err := d.Restorations.Propose(r.Context(), by, register.FoldNumber(body.Number), rests)
	if err != nil {
		return restorationRefusal(err)
	}
	return api.Write(w, http.StatusCreated, tellRestoration(p))
}

// proposeUndo handles POST /register/restorations/{id}/undo.
func (d *Editions) proposeUndo(w http.ResponseWriter, r *http.Request) error {
	by, err := d.Gate.Enter(w, r, RegisterScope, clerk.Import, 2*policy.FreshFor.In(d.Policies))
	if err != nil {
		return err
	}
	body, err := api.DecodeDocumented[struct {
		Basis basis `json:"basis"`
	}](w, r)
	if err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return refusal(ErrUnknown)
	}
	rests, err := identity.ParseBasis(body.Basis.Number, body.Basis.Date, d.Gate.Now())
	if err != nil {
		return invalid([]api.Field{{Name: "/basis", Code: "not_a_basis"}})
	}
	p, err := d.Restorations.ProposeUndo(r.Context(), by, id, rests)
	if err != nil {
		return restorationRefusal(err)
	}
	return api.Write(w, http.StatusCreated, tellRestoration(p))
}

// decideRestoration handles POST /register/restorations/{id}/approve, /refuse and /withdraw.
func (d *Editions) decideRestoration(decide func(context.Context, clerk.Clerk, uuid.UUID) (Restoration, error)) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		by, err := d.Gate.Enter(w, r, RegisterScope, clerk.Import, 2*policy.FreshFor.In(d.Policies))
		if err != nil {
			return err
		}
		id, err := uuid.Parse(r.PathValue("id"))
		if err != nil {
			return refusal(ErrUnknown)
		}
		p, err := decide(r.Context(), by, id)
		if errors.Is(err, register.ErrEarlier) { // it was not when it was proposed
			return api.Refuse(http.StatusConflict, "act_too_old", err)
		}
		if err != nil {
			return restorationRefusal(err)
		}
		return api.Write(w, http.StatusOK, tellRestoration(p))
	}
}

// restorationRefusal is the whole vocabulary of refusals of a restoration.
func restorationRefusal(err error) error {
	switch {
	case errors.Is(err, register.ErrUnknown):
		return api.Refuse(http.StatusNotFound, "unknown_person", err)
	case errors.Is(err, register.ErrAlive):
		return api.Refuse(http.StatusConflict, "alive", err)
	case errors.Is(err, register.ErrEarlier):
		return invalid([]api.Field{{Name: "/basis", Code: "too_old"}})
	case errors.Is(err, ErrNotRestored), errors.Is(err, register.ErrUndone):
		return api.Refuse(http.StatusConflict, "not_restored", err)
	case errors.Is(err, ErrRestoring):
		return api.Refuse(http.StatusConflict, "open_proposal", err)
	case errors.Is(err, register.ErrBusy):
		return api.Refuse(http.StatusConflict, "import_under_way", err)
	}
	return refusal(err)
}
