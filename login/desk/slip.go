package desk

import (
	"net/http"

	"github.com/google/uuid"

	"asoba.example/login/desk/printed"
	"asoba.example/provider/api"
)

// slip handles GET /desk/refusals/{id}/slip: what was refused, why, and how to appeal, for the person to take along.
// It is given in the office that refused, and to the system that was refused.
func (d *Doors) slip(w http.ResponseWriter, r *http.Request) error {
	token, err := d.Gate.Tokens.Require(w, r, Scope)
	if err != nil {
		return err
	}
	language, err := printed.ParseLanguage(r.URL.Query().Get("language"))
	if err != nil {
		return api.RefuseParameter("language", err)
	}
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return d.refusal(w, ErrNoRefusal)
	}
	refusal, err := d.Desk.Refusal(r.Context(), id)
	if err != nil {
		return d.refusal(w, err)
	}
	theirs := refusal.ClientID == token.ClientID
	if !token.ByClient() {
		by, err := d.by(w, r, token, named{})
		if err != nil {
			return err
		}
		theirs = refusal.Office == by.Office
	}
	if !theirs {
		return d.refusal(w, ErrNoRefusal)
	}
	return d.Press.Slip(w, language, printed.Slip{
		Number: id.String(), At: refusal.At, Office: refusal.Office, Errand: refusal.Errand, Code: refusal.Code,
	})
}
