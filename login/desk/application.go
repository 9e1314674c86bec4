package desk

import (
	"net/http"

	"asoba.example/login/policy"
	"asoba.example/provider/api"
)

// application handles POST /desk/application-forms: a form to be signed, filled in with what is on the clerk's screen.
func (d *Doors) application(w http.ResponseWriter, r *http.Request) error {
	token, err := d.Gate.Tokens.Require(w, r, Scope)
	if err != nil {
		return err
	}
	body, err := api.Decode[applicationBody](w, r)
	if err != nil {
		return err
	}
	by, err := d.by(w, r, token, body.named)
	if err != nil {
		return err
	}
	a, language, err := body.parse(d.Gate.Now(), policy.BasisFor.In(d.Desk.policies))
	if err != nil {
		return err
	}
	a.Office = by.Office
	return d.Press.Application(w, language, a)
}
