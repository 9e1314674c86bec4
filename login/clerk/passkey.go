package clerk

import (
	"fmt"
	"net/http"

	"github.com/google/uuid"

	"asoba.example/login/factor"
	"asoba.example/provider/api"
)

// RequirePasskey demands of a member of the staff who has a passkey that the sign-in which gave the token was by one: a password and a code
// can be coaxed out of people, a passkey cannot. The answer asks for another sign-in, however strong this one was (RFC 9470 §3).
func (c *Clerks) RequirePasskey(w http.ResponseWriter, r *http.Request, token api.Token, person uuid.UUID) error {
	if factor.Used(token.AMR) {
		return nil
	}
	const has = `SELECT EXISTS (SELECT FROM passkey WHERE person_id = $1)`
	var bound bool
	if err := c.Pool.QueryRow(r.Context(), has, person).Scan(&bound); err != nil {
		return fmt.Errorf("look for a passkey of clerk %s: %w", person, err)
	}
	if !bound {
		return nil
	}
	api.Challenge(w, token.Scheme, "insufficient_user_authentication", `acr_values="`+api.Substantial+`"`, `max_age="0"`)
	return api.Refuse(http.StatusUnauthorized, "insufficient_user_authentication", nil)
}
