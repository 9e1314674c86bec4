package operator

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider/api"
	"asoba.example/provider/pair"
)

// A told proposal.
type told struct {
	ID         uuid.UUID  `json:"id"`
	Reason     Reason     `json:"reason"`
	Basis      basis      `json:"basis"`
	State      pair.State `json:"state"`
	ProposedBy uuid.UUID  `json:"proposed_by"`
	ProposedAt time.Time  `json:"proposed_at"`
	DecidedBy  *uuid.UUID `json:"decided_by,omitempty"`
	DecidedAt  *time.Time `json:"decided_at,omitempty"`
	People     int        `json:"people"`
	Blocked    int        `json:"blocked"`
	Whose      []Named    `json:"whose,omitempty"`
}

type basis struct {
	Number string `json:"number"`
	Date   string `json:"date"`
}

func tell(p Proposal, whose []Named) told {
	return told{p.ID, p.Reason, basis(p.Basis), p.State, p.ProposedBy, p.ProposedAt, p.DecidedBy, p.DecidedAt, p.People, p.Blocked, whose}
}

// listBlocks handles GET /operator/blocks?state=.
func (d *Doors) listBlocks(w http.ResponseWriter, r *http.Request) error {
	if _, err := d.reader(w, r, clerk.Oversee); err != nil {
		return err
	}
	found, err := d.Blocks.List(r.Context(), pair.State(r.URL.Query().Get("state")))
	if err != nil {
		return err
	}
	all := make([]told, len(found))
	for i, p := range found {
		all[i] = tell(p, nil)
	}
	return api.Write(w, http.StatusOK, struct {
		Blocks []told `json:"blocks"`
	}{all})
}

// findBlock handles GET /operator/blocks/{id}.
func (d *Doors) findBlock(w http.ResponseWriter, r *http.Request) error {
	if _, err := d.reader(w, r, clerk.Oversee); err != nil {
		return err
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return refusal(ErrUnknown)
	}
	p, whose, err := d.Blocks.Find(r.Context(), id)
	if err != nil {
		return refusal(err)
	}
	return api.Write(w, http.StatusOK, tell(p, whose))
}

// proposeBlock handles POST /operator/blocks.
func (d *Doors) proposeBlock(w http.ResponseWriter, r *http.Request) error {
	by, err := d.actor(w, r, clerk.Secure)
	if err != nil {
		return err
	}
	body, err := api.DecodeDocumented[struct {
		Identifiers []string `json:"identifiers"`
		Reason      Reason   `json:"reason"`
		Basis       basis    `json:"basis"`
	}](w, r)
	if err != nil {
		return err
	}
	var wrong []api.Field
	rests, err := identity.ParseBasis(body.Basis.Number, body.Basis.Date, d.Gate.Now())
	if err != nil {
		wrong = append(wrong, api.Field{Name: "/basis", Code: "not_a_basis"})
	} else if rests.Older(policy.BasisFor.In(d.Policies), d.Gate.Now()) {
		wrong = append(wrong, api.Field{Name: "/basis", Code: "too_old"})
	}
	whose := make([]identity.Identifier, len(body.Identifiers))
	for i, typed := range body.Identifiers {
		if whose[i], err = identity.ParseIdentifier(typed); err != nil {
			wrong = append(wrong, named(i, "not_an_identifier"))
		}
	}
	if wrong != nil {
		return invalid(wrong)
	}
	p, err := d.Blocks.Propose(r.Context(), by, body.Reason, rests, whose)
	if err != nil {
		return refusal(err)
	}
	w.Header().Set("Location", "/operator/blocks/"+p.ID.String())
	return api.Write(w, http.StatusCreated, tell(p, nil))
}

// decideBlock handles POST /operator/blocks/{id}/approve, /refuse and /withdraw.
func (d *Doors) decideBlock(decide func(context.Context, clerk.Clerk, uuid.UUID) (Proposal, error)) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		by, err := d.actor(w, r, clerk.Secure)
		if err != nil {
			return err
		}
		id, err := uuid.Parse(r.PathValue("id"))
		if err != nil {
			return refusal(ErrUnknown)
		}
		p, err := decide(r.Context(), by, id)
		if err != nil {
			return refusal(err)
		}
		return api.Write(w, http.StatusOK, tell(p, nil))
	}
}

// named is what is wrong with an identifier of a list.
func named(place int, code string) api.Field {
	return api.Field{Name: "/identifiers/" + strconv.Itoa(place), Code: code}
}
