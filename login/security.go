package login

import (
	"net/http"

	"asoba.example/provider"
	"asoba.example/provider/page"
)

// securityPage handles GET /security: who is signed in here, how, and what can be done about it.
func (l *Login) securityPage(w http.ResponseWriter, r *http.Request, v visitor) error {
	return l.site.Show(w, r, page.View{
		Name: "security", SignedIn: true,
		Data: securityPage{
			Identifier: v.Identifier.String(), Phone: v.Phone.Hint(), At: v.AuthTime, Code: v.ACR == provider.Substantial,
			Agent: v.Agent, Cabinet: l.cabinet, Changed: r.URL.Query().Has("changed"),
		},
	})
}
