package desk

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/login/register"
	"asoba.example/login/sms"
	"asoba.example/provider/api"
)

// Doors are the desk's part of the management API.
type Doors struct {
	Desk   *Desk
	Clerks *clerk.Clerks
	Tokens interface {
		Require(w http.ResponseWriter, r *http.Request, scope string) (api.Token, error)
	}
	Now func() time.Time
}

// Scope is what a token needs here.
const Scope = "desk:act"

// Mount opens the doors.
func (d *Doors) Mount(mux api.Mux) {
	mux.Handle("POST /desk/issuances", api.Handler(d.open))
	mux.Handle("GET /desk/issuances/{id}", api.Handler(d.stage))
	mux.Handle("POST /desk/issuances/{id}/code", api.Handler(d.resend))
	mux.Handle("POST /desk/issuances/{id}/phone", api.Handler(d.confirm))
	mux.Handle("POST /desk/issuances/{id}/assign", api.Handler(d.assign))
	mux.Handle("POST /desk/blocks", api.Handler(d.block))
	mux.Handle("POST /desk/unblocks", api.Handler(d.unblock))
	mux.Handle("POST /desk/reissues", api.Handler(d.reissue))
}

// open handles POST /desk/issuances.
func (d *Doors) open(w http.ResponseWriter, r *http.Request) error {
	body, by, err := d.visit(w, r)
	if err != nil {
		return err
	}
	o, err := body.opening(d.Now())
	if err != nil {
		return err
	}
	id, err := d.Desk.Open(r.Context(), by, o)
	if err != nil {
		return d.refusal(w, err)
	}
	w.Header().Set("Location", "/desk/issuances/"+id.String())
	return api.Write(w, http.StatusCreated, struct {
		ID uuid.UUID `json:"id"`
	}{id})
}

// stage handles GET /desk/issuances/{id}.
func (d *Doors) stage(w http.ResponseWriter, r *http.Request) error {
	id, _, by, err := d.issuance(w, r)
	if err != nil {
		return err
	}
	stage, sent, err := d.Desk.Stage(r.Context(), by, id)
	if err != nil {
		return d.refusal(w, err)
	}
	return api.Write(w, http.StatusOK, struct {
		ID    uuid.UUID `json:"id"`
		Stage Stage     `json:"stage"`
		SMS   sms.State `json:"sms,omitempty"`
	}{id, stage, sent})
}

// resend handles POST /desk/issuances/{id}/code.
func (d *Doors) resend(w http.ResponseWriter, r *http.Request) error {
	id, _, by, err := d.issuance(w, r)
	if err != nil {
		return err
	}
	sent, err := d.Desk.Resend(r.Context(), by, id)
	if err != nil {
		return d.refusal(w, err)
	}
	return api.Write(w, http.StatusOK, struct {
		Till  time.Time `json:"till"`
		Again time.Time `json:"again"`
	}{sent.Till, sent.Again})
}

// confirm handles POST /desk/issuances/{id}/phone.
func (d *Doors) confirm(w http.ResponseWriter, r *http.Request) error {
	id, body, by, err := d.issuance(w, r)
	if err != nil {
		return err
	}
	if err := d.Desk.ConfirmPhone(r.Context(), by, id, body.Code); err != nil {
		return d.refusal(w, err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// assign handles POST /desk/issuances/{id}/assign.
func (d *Doors) assign(w http.ResponseWriter, r *http.Request) error {
	id, _, by, err := d.issuance(w, r)
	if err != nil {
		return err
	}
	sent, err := d.Desk.Assign(r.Context(), by, id)
	if err != nil {
		return d.refusal(w, err)
	}
	return outcome(w, identity.Temporary, sent)
}

// block handles POST /desk/blocks.
func (d *Doors) block(w http.ResponseWriter, r *http.Request) error {
	by, v, err := d.act(w, r)
	if err != nil {
		return err
	}
	if err := d.Desk.Block(r.Context(), by, v); err != nil {
		return d.refusal(w, err)
	}
	return outcome(w, identity.Blocked, "")
}

// unblock handles POST /desk/unblocks.
func (d *Doors) unblock(w http.ResponseWriter, r *http.Request) error {
	by, v, err := d.act(w, r)
	if err != nil {
		return err
	}
	sent, err := d.Desk.Unblock(r.Context(), by, v)
	if err != nil {
		return d.refusal(w, err)
	}
	return outcome(w, identity.Temporary, sent)
}

// reissue handles POST /desk/reissues.
func (d *Doors) reissue(w http.ResponseWriter, r *http.Request) error {
	by, v, err := d.act(w, r)
	if err != nil {
		return err
	}
	sent, err := d.Desk.Reissue(r.Context(), by, v)
	if err != nil {
		return d.refusal(w, err)
	}
	return outcome(w, identity.Temporary, sent)
}

// outcome answers with all that a desk learns of an act.
func outcome(w http.ResponseWriter, state identity.State, sent sms.State) error {
	return api.Write(w, http.StatusOK, struct {
		State identity.State `json:"state"`
		SMS   sms.State      `json:"sms,omitempty"`
	}{state, sent})
}

// refusal is the whole vocabulary of refusals of what the desk's rules say.
func (d *Doors) refusal(w http.ResponseWriter, err error) error {
	var (
		guard *GuardError
		wait  *code.WaitError
	)
	switch {
	case errors.As(err, &guard):
		return api.Refuse(http.StatusConflict, guard.Code, err)
	case errors.Is(err, register.ErrUnknown), errors.Is(err, identity.ErrUnknown):
		return api.Refuse(http.StatusNotFound, "unknown_identifier", err)
	case errors.Is(err, identity.ErrState):
		return api.Refuse(http.StatusConflict, "wrong_state", err)
	case errors.Is(err, ErrNoIssuance):
		return api.Refuse(http.StatusNotFound, "unknown_issuance", err)
	case errors.Is(err, ErrOver):
		return api.Refuse(http.StatusGone, "issuance_over", err)
	case errors.Is(err, code.ErrWrong):
		return api.Refuse(http.StatusUnprocessableEntity, "wrong_code", err, api.Field{Name: "/code", Code: "wrong"})
	case errors.Is(err, code.ErrOver):
		return api.Refuse(http.StatusUnprocessableEntity, "code_over", err, api.Field{Name: "/code", Code: "over"})
	case errors.As(err, &wait):
		seconds := int(wait.Till.Sub(d.Now()).Seconds()) + 1
		w.Header().Set("Retry-After", strconv.Itoa(max(seconds, 1)))
		return api.Refuse(http.StatusTooManyRequests, "wait", err)
	case errors.Is(err, identity.ErrBusy):
		w.Header().Set("Retry-After", "10")
		return api.Refuse(http.StatusServiceUnavailable, "busy", err)
	}
	return err
}

// A visitBody is what the acts of the desk are asked with; a body of an issuance
// has more than the others.
type visitBody struct {
	Identifier string   `json:"identifier"`
	Document   document `json:"document"`
	Names      *struct {
		Family string `json:"family"`
		Given  string `json:"given"`
		Middle string `json:"middle"`
	} `json:"names"`
	Phone    string   `json:"phone"`
	Attested []string `json:"attested"`
	Basis    struct {
		Number string `json:"number"`
		Date   string `json:"date"`
	} `json:"basis"`
	Language string `json:"language"`
	named
}

// named is whom a desk's system speaks for.
type named struct {
	Clerk  string `json:"clerk"`
	Office string `json:"office"`
}

// A document that is none is left to the guard that tells of it; everything else
// must be well written.
func (b visitBody) parse(at time.Time) (v Visit, wrong []api.Field) {
	var err error
	say := func(name, code string) {
		if err != nil {
			wrong = append(wrong, api.Field{Name: name, Code: code})
		}
	}
	v.Identifier, err = identity.ParseIdentifier(b.Identifier)
	say("/identifier", "not_an_identifier")
	v.Basis, err = identity.ParseBasis(b.Basis.Number, b.Basis.Date, at)
	say("/basis", "not_a_paper")
	v.Attested, err = ParseAttestations(b.Attested)
	say("/attested", "unknown")
	v.Language, err = parseLanguage(b.Language)
	say("/language", "unknown")
	v.Document, _ = identity.ParseDocument(b.Document.Kind, b.Document.Number, b.Document.ValidTill)
	return v, wrong
}

// opening parses the body of an issuance.
func (b visitBody) opening(at time.Time) (Opening, error) {
	v, wrong := b.parse(at)
	o := Opening{Visit: v}
	var err error
	if b.Names == nil {
		wrong = append(wrong, api.Field{Name: "/names", Code: "missing"})
	} else if o.Names, err = identity.ParseNames(b.Names.Family, b.Names.Given, b.Names.Middle); err != nil {
		wrong = append(wrong, api.Field{Name: "/names", Code: "not_names"})
	}
	if o.Phone, err = identity.ParsePhone(b.Phone); err != nil {
		wrong = append(wrong, api.Field{Name: "/phone", Code: "not_mobile"})
	}
	return o, invalid(wrong)
}

func invalid(wrong []api.Field) error {
	if len(wrong) == 0 {
		return nil
	}
	return api.Refuse(http.StatusUnprocessableEntity, "invalid", nil, wrong...)
}

func parseLanguage(s string) (string, error) {
	switch s {
	case "":
		return "ru", nil
	case "be", "ru", "en":
		return s, nil
	}
	return "", errors.New("no such language")
}

// visit understands who acts and what with.
func (d *Doors) visit(w http.ResponseWriter, r *http.Request) (visitBody, By, error) {
	token, err := d.Tokens.Require(w, r, Scope)
	if err != nil {
		return visitBody{}, By{}, err
	}
	body, err := api.Decode[visitBody](w, r)
	if err != nil {
		return visitBody{}, By{}, err
	}
	by, err := d.by(r.Context(), token, body.named)
	return body, by, err
}

// act is visit for the acts that are one request.
func (d *Doors) act(w http.ResponseWriter, r *http.Request) (By, Visit, error) {
	body, by, err := d.visit(w, r)
	if err != nil {
		return By{}, Visit{}, err
	}
	v, wrong := body.parse(d.Now())
	return by, v, invalid(wrong)
}

// A stepBody is what the later steps of an issuance are asked with.
type stepBody struct {
	Code string `json:"code"`
	named
}

// issuance understands a step of an issuance: which, with what, and who acts. A
// desk's system need not name again the clerk it named at the opening.
func (d *Doors) issuance(w http.ResponseWriter, r *http.Request) (id uuid.UUID, body stepBody, by By, err error) {
	token, err := d.Tokens.Require(w, r, Scope)
	if err != nil {
		return id, body, by, err
	}
	if r.ContentLength != 0 {
		if body, err = api.Decode[stepBody](w, r); err != nil {
			return id, body, by, err
		}
	}
	if id, err = uuid.Parse(r.PathValue("id")); err != nil {
		return id, body, by, d.refusal(w, ErrNoIssuance)
	}
	if system(token) && body.Clerk == "" {
		who, office, err := d.Desk.OpenedBy(r.Context(), id, token.ClientID)
		if err != nil {
			return id, body, by, d.refusal(w, err)
		}
		body.Clerk, body.Office = who.Reveal(), office
	}
	by, err = d.by(r.Context(), token, body.named)
	return id, body, by, err
}

// system tells a token that a client got for itself from one that a person's sign-in gave it.
func system(token api.Token) bool { return token.GID == "" }

// by finds the clerk who acts: the token's own, or the one whom a desk's system names.
func (d *Doors) by(ctx context.Context, token api.Token, n named) (By, error) {
	office, err := parseOffice(n.Office)
	if err != nil {
		return By{}, invalid([]api.Field{{Name: "/office", Code: "not_an_office"}})
	}
	if system(token) {
		if n.Clerk == "" {
			return By{}, api.Refuse(http.StatusForbidden, "clerk_required", nil)
		}
		c, err := d.clerk(ctx, n.Clerk, time.Time{})
		if office != "" {
			c.Office = office // the system knows where it stands
		}
		return By{Clerk: c, ClientID: token.ClientID}, err
	}
	if n.Clerk != "" && register.FoldNumber(n.Clerk) != token.Subject {
		return By{}, api.Refuse(http.StatusForbidden, "not_this_clerk", nil)
	}
	c, err := d.clerk(ctx, token.Subject, token.AuthTime)
	return By{Clerk: c, ClientID: token.ClientID}, err
}

// clerk finds a clerk who may serve now.
func (d *Doors) clerk(ctx context.Context, typed string, signedIn time.Time) (clerk.Clerk, error) {
	id, err := identity.ParseIdentifier(typed)
	if err != nil {
		return clerk.Clerk{}, api.Refuse(http.StatusForbidden, "not_a_clerk", err)
	}
	c, err := d.Clerks.OnDuty(ctx, id, signedIn)
	if errors.Is(err, clerk.ErrUnknown) || err == nil && !c.Serves() {
		return clerk.Clerk{}, api.Refuse(http.StatusForbidden, "not_a_clerk", err)
	}
	return c, err
}

// parseOffice takes the name of an office as a desk's system writes it.
func parseOffice(s string) (string, error) {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > 64 || strings.ContainsFunc(s, unicode.IsControl) {
		return "", errors.New("not the name of an office")
	}
	return s, nil
}
