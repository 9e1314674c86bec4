package cabinet

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"asoba.example/provider/api"
)

// A demand is what openapi.json says that a token must have at a door.
type demand struct {
	scopes []string      // one of them; the narrowest stands first
	acr    string        // a person has signed in at this level or a higher one; "" where a client's own token will do
	within time.Duration // so long ago at most; 0 for any time
	own    bool          // it is the client's own: what a person's sign-in gave may be in that person's hands
}

// open are the doors that take no token: by what they tell, everybody finds the others and checks what those hand out.
var open = []string{"GET /jwks", "GET /openapi.json"}

// demandsOf reads what a document demands, by route, of each door that is not open.
func demandsOf(document *api.Document) (map[string]demand, error) {
	all := map[string]demand{}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			if slices.Contains(open, method+" "+path) {
				continue
			}
			d, err := demandOf(operation)
			if err != nil {
				return nil, fmt.Errorf("read what %s %s demands: %w", method, path, err)
			}
			all[method+" "+path] = d
		}
	}
	return all, nil
}

func demandOf(operation *openapi3.Operation) (demand, error) {
	if operation.Security == nil {
		return demand{}, errors.New("no security")
	}
	var d demand
	for _, either := range *operation.Security {
		d.scopes = append(d.scopes, either["bearer"]...)
	}
	var said struct {
		ACR    string `json:"x-acr"`
		MaxAge int    `json:"x-max-age"`
		Own    bool   `json:"x-own"`
	}
	text, err := json.Marshal(operation.Extensions)
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	d.acr, d.within, d.own = said.ACR, time.Duration(said.MaxAge)*time.Second, said.Own
	switch {
	case err != nil:
		return demand{}, err
	case len(d.scopes) == 0:
		return demand{}, errors.New("no scope")
	case (d.acr != "" || d.within != 0) && api.Level(d.acr) == 0:
		return demand{}, errors.New("no level of a sign-in")
	case d.own && d.acr != "":
		return demand{}, errors.New("a sign-in, and a client's own token")
	}
	return d, nil
}

// check demands it of a token. The error is a problem, and the answer says what is needed (RFC 6750 §3.1; RFC 9470 §3).
func (d demand) check(w http.ResponseWriter, token api.Token, now time.Time) error {
	switch {
	case !slices.ContainsFunc(d.scopes, token.Has):
		api.Challenge(w, token.Scheme, "insufficient_scope", `scope="`+d.scopes[0]+`"`)
		return api.Refuse(http.StatusForbidden, "insufficient_scope", nil)
	case d.own && (!token.ByClient() || !token.AuthTime.IsZero()):
		return api.Refuse(http.StatusForbidden, "client_required", errors.New("a person's token"))
	case d.acr == "":
		return nil
	case token.AuthTime.IsZero():
		return api.Refuse(http.StatusForbidden, "person_required", errors.New("a client's own token"))
	}
	return token.RequireSignIn(w, d.acr, d.within, now)
}
