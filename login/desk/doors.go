package desk

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/desk/printed"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/sms"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/clients"
)

// Doors are the desk's part of the management API.
type Doors struct {
	Desk    *Desk
	Press   *printed.Press
	Gate    clerk.Gate
	Clients *clients.Registry
	Feed    *audit.Feed
}

// Scope is what a token needs here.
const Scope = "desk:act"

// Mount opens the doors.
func (d *Doors) Mount(mux api.Mux) {
	mux.Handle("POST /desk/issuances", d.open(Issuance))
	mux.Handle("GET /desk/pending-issuances", api.Handler(d.pending))
	mux.Handle("POST /desk/issuances/{id}/resume", api.Handler(d.resume))
	mux.Handle("POST /desk/issuances/{id}/withdraw", api.Handler(d.withdraw))
	mux.Handle("POST /desk/phone-changes", d.open(PhoneChange))
	mux.Handle("POST /desk/blocks", api.Handler(d.block))
	mux.Handle("POST /desk/unblocks", d.serve(Unblock, d.Desk.Unblock))
	mux.Handle("POST /desk/reissues", d.serve(Reissue, d.Desk.Reissue))
	for at, e := range map[string]Errand{
		"/desk/issuances": Issuance, "/desk/phone-changes": PhoneChange, "/desk/unblocks": Unblock, "/desk/reissues": Reissue,
	} {
		mux.Handle("GET "+at+"/{id}", d.stage(e))
		mux.Handle("POST "+at+"/{id}/code", d.resend(e))
		mux.Handle("POST "+at+"/{id}/phone", d.confirm(e))
		mux.Handle("POST "+at+"/{id}/assign", d.assign(e))
	}
	mux.Handle("POST /desk/lookups", api.Handler(d.lookUp))
	mux.Handle("GET /desk/report", api.Handler(d.report))
	mux.Handle("GET /desk/alerts", api.Handler(d.alerts))
	mux.Handle("POST /desk/application-forms", api.Handler(d.application))
	mux.Handle("GET /desk/refusals/{id}/slip", api.Handler(d.slip))
	mux.Handle("PUT /desk/acts/{id}/paper", api.Handler(d.keepPaper))
	mux.Handle("GET /desk/acts/{id}/paper", api.Handler(d.readPaper))
	mux.Handle("GET /desk/people/{person}/events", api.Handler(d.readTrail))
}

// open handles POST /desk/issuances and the same of phone changes.
func (d *Doors) open(e Errand) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		o, by, err := d.asked(w, r, e)
		if err != nil {
			return err
		}
		return d.visit(w, r, by, e, o)
	}
}

// visit opens a visit.
func (d *Doors) visit(w http.ResponseWriter, r *http.Request, by By, e Errand, o Opening) error {
	id, stage, err := d.Desk.Open(r.Context(), by, e, o)
	if err != nil {
		return d.refusal(w, err)
	}
	w.Header().Set("Location", r.URL.Path+"/"+id.String())
	if stage == Pending {
		return api.Write(w, http.StatusAccepted, reached{ID: id, Stage: stage})
	}
	return api.Write(w, http.StatusCreated, struct {
		ID uuid.UUID `json:"id"`
	}{id})
}

// What a visit has reached.
type reached struct {
	ID    uuid.UUID `json:"id"`
	Stage Stage     `json:"stage"`
	SMS   sms.State `json:"sms,omitempty"`
}

// stage handles GET /desk/issuances/{id} and the same of the other errands.
func (d *Doors) stage(e Errand) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, _, by, err := d.step(w, r, e)
		if err != nil {
			return err
		}
		stage, sent, err := d.Desk.Stage(r.Context(), by, e, id)
		if err != nil {
			return d.refusal(w, err)
		}
		return api.Write(w, http.StatusOK, reached{id, stage, sent})
	}
}

// resend handles POST /desk/issuances/{id}/code and the same of the other errands.
func (d *Doors) resend(e Errand) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, _, by, err := d.step(w, r, e)
		if err != nil {
			return err
		}
		sent, err := d.Desk.Resend(r.Context(), by, e, id)
		if err != nil {
			return d.refusal(w, err)
		}
		return api.Write(w, http.StatusOK, struct {
			Till  time.Time `json:"till"`
			Again time.Time `json:"again"`
		}{sent.Till, sent.Again})
	}
}

// confirm handles POST /desk/issuances/{id}/phone and the same of the other errands.
func (d *Doors) confirm(e Errand) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, body, by, err := d.step(w, r, e)
		if err != nil {
			return err
		}
		if err := d.Desk.ConfirmPhone(r.Context(), by, e, id, body.Code); err != nil {
			return d.refusal(w, err)
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

// assign handles POST /desk/issuances/{id}/assign and the same of the other errands.
func (d *Doors) assign(e Errand) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, _, by, err := d.step(w, r, e)
		if err != nil {
			return err
		}
		o, err := d.Desk.Assign(r.Context(), by, e, id)
		if err != nil {
			return d.refusal(w, err)
		}
		return outcome(w, o)
	}
}

// block handles POST /desk/blocks.
func (d *Doors) block(w http.ResponseWriter, r *http.Request) error {
	asked, by, err := d.asked(w, r, Block)
	if err != nil {
		return err
	}
	o, err := d.Desk.Block(r.Context(), by, asked.Papers)
	if err != nil {
		return d.refusal(w, err)
	}
	return outcome(w, o)
}

// serve handles POST /desk/unblocks and POST /desk/reissues: done at once with the
// phone that is there; with another one, a visit that is opened.
func (d *Doors) serve(e Errand, do func(context.Context, By, Papers) (Outcome, error)) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		asked, by, err := d.asked(w, r, e)
		if err != nil {
			return err
		}
		if asked.Phone != (identity.Phone{}) {
			return d.visit(w, r, by, e, asked)
		}
		o, err := do(r.Context(), by, asked.Papers)
		if err != nil {
			return d.refusal(w, err)
		}
		return outcome(w, o)
	}
}

// lookUp handles POST /desk/lookups.
func (d *Doors) lookUp(w http.ResponseWriter, r *http.Request) error {
	token, err := d.Gate.Tokens.Require(w, r, Scope)
	if err != nil {
		return err
	}
	body, err := api.Decode[struct {
		Identifier string `json:"identifier"`
		Document   shown  `json:"document"` // by its number alone
		Purpose    string `json:"purpose"`
		named
	}](w, r)
	if err != nil {
		return err
	}
	by, err := d.by(w, r, token, body.named)
	if err != nil {
		return err
	}
	id, err := identity.ParseIdentifier(body.Identifier)
	if err != nil {
		return invalid([]api.Field{{Name: "/identifier", Code: "not_an_identifier"}})
	}
	purpose, err := ParsePurpose(body.Purpose)
	if err != nil {
		return invalid([]api.Field{{Name: "/purpose", Code: "unknown"}})
	}
	found, err := d.Desk.LookUp(r.Context(), by, id, body.Document.Number, purpose)
	if err != nil {
		err = d.refusal(w, err)
		if problem, told := errors.AsType[*api.Problem](err); told && problem.Code == "unknown_identifier" && id.Doubtful() {
			problem.Fields = []api.Field{{Name: "/identifier", Code: "doubtful"}} // most probably a slip
		}
		return err
	}
	return api.Write(w, http.StatusOK, struct {
		State        identity.State       `json:"state"`
		BlockReason  identity.BlockReason `json:"block_reason,omitempty"`
		Phone        string               `json:"phone"` // masked
		IssuedAt     time.Time            `json:"issued_at"`
		PasswordTill time.Time            `json:"password_till,omitzero"`
		Doubtful     bool                 `json:"doubtful,omitempty"`
	}{found.State, found.BlockReason, found.Phone.String(), found.IssuedAt.UTC(), found.PasswordTill.UTC(), id.Doubtful()})
}

// outcome answers with all that a desk learns of an act.
func outcome(w http.ResponseWriter, o Outcome) error {
	return api.Write(w, http.StatusOK, struct {
		Act   uuid.UUID      `json:"act"`
		State identity.State `json:"state"`
		SMS   sms.State      `json:"sms,omitempty"`
	}{o.Act, o.State, o.SMS})
}

// asked understands who acts in an errand, and upon which papers.
func (d *Doors) asked(w http.ResponseWriter, r *http.Request, e Errand) (Opening, By, error) {
	token, err := d.Gate.Tokens.Require(w, r, Scope)
	if err != nil {
		return Opening{}, By{}, err
	}
	body, err := api.Decode[actBody](w, r)
	if err != nil {
		return Opening{}, By{}, err
	}
	by, err := d.by(w, r, token, body.named)
	if err != nil {
		return Opening{}, By{}, err
	}
	o, err := body.parse(e, d.Gate.Now(), policy.BasisFor.In(d.Desk.policies))
	return o, by, err
}

// step understands a step of a visit: of which, with what, and who acts. A
// desk's system need not name again the clerk it named at the opening.
func (d *Doors) step(w http.ResponseWriter, r *http.Request, e Errand) (id uuid.UUID, body stepBody, by By, err error) {
	token, err := d.Gate.Tokens.Require(w, r, Scope)
	if err != nil {
		return id, body, by, err
	}
	if r.ContentLength != 0 {
		if body, err = api.Decode[stepBody](w, r); err != nil {
			return id, body, by, err
		}
	}
	if id, err = uuid.Parse(r.PathValue("id")); err != nil {
		return id, body, by, d.refusal(w, ErrNoVisit)
	}
	if token.ByClient() && body.Clerk == "" {
		who, err := d.Desk.OpenedBy(r.Context(), e, id, token.ClientID)
		if err != nil {
			return id, body, by, d.refusal(w, err)
		}
		body.Clerk = who.Reveal()
	}
	by, err = d.by(w, r, token, body.named)
	return id, body, by, err
}
