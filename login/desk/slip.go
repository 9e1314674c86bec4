package desk

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"asoba.example/login/desk/printed"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
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
		return api.Refuse(http.StatusNotFound, "unknown_refusal", err)
	}
	refusal, err := audit.Find(r.Context(), d.Desk.pool, audit.DeskRefused, id)
	if errors.Is(err, audit.ErrUnknown) {
		return api.Refuse(http.StatusNotFound, "unknown_refusal", err)
	}
	if err != nil {
		return err
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
		return api.Refuse(http.StatusNotFound, "unknown_refusal", nil)
	}
	return d.Desk.press.Slip(w, language, printed.Slip{
		Number: id.String(), At: refusal.At, Office: refusal.Office, Operation: refusal.Detail["act"], Code: refusal.Detail["code"],
	})
}
