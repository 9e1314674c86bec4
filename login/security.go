package login

import (
	"net/http"

	"asoba.example/login/factor"
	"asoba.example/provider/page"
	"asoba.example/provider/session"
)

// securityPage handles GET /security: who is signed in here, how, and what can be done about it.
func (l *Login) securityPage(w http.ResponseWriter, r *http.Request, v visitor) error {
	return l.showOwn(w, r, v, page.View{
		Name: "security",
		Data: securityPage{
			Identifier: v.Identifier.String(), Phone: v.Phone.Hint(), At: v.AuthTime, How: how(v.Session),
			Agent: v.Agent, Cabinet: l.cfg.CabinetURL, Changed: r.URL.Query().Has("changed"),
		},
	})
}

// how is the word of how somebody signed in.
func how(s session.Session) string {
	switch factor.Of(s.AMR) {
	case factor.Unphishable:
		return "security.how.passkey"
	case factor.Owned:
		return "security.how.owned"
	case factor.Message:
		return "security.how.code"
	case factor.Password:
	}
	return "security.how.password"
}
