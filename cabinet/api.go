package cabinet

import (
	_ "embed"
	"errors"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/issuer"
	"asoba.example/cabinet/journal"
	"asoba.example/provider/api"
)

//go:embed openapi.json
var document []byte

// openapi handles GET /openapi.json.
func openapi(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Access-Control-Allow-Origin", "*") // for whoever renders it
	_, err := w.Write(document)
	return err
}

// retryAfter is how long a caller should wait for what is on its way to us.
const retryAfter = "5"

// enter checks the token against what openapi.json demands at this door, lets the e-service in, and asks what it came for, all
// in one round trip. kind is how the visit is noted in the citizen's journal; "" where what is read is everybody's.
func (c *Cabinet) enter(
	w http.ResponseWriter, r *http.Request, kind journal.Kind, ask func(b *pgx.Batch, subject string),
) error {
	token, err := c.identify(w, r)
	if err != nil {
		return err
	}
	return c.admit(w, r, token, kind, func(b *pgx.Batch) { ask(b, token.Subject) })
}

// identify checks the token alone: of a door that reads a body first, so that what is wrong with that stands in no journal.
func (c *Cabinet) identify(w http.ResponseWriter, r *http.Request) (api.Token, error) {
	token, err := c.tokens.Verify(w, r)
	if err != nil {
		return token, err
	}
	return token, c.demands[r.Pattern].check(w, token, c.cfg.Now())
}

// admit puts the question to the gate, and says why not. kind is how the visit is noted.
func (c *Cabinet) admit(w http.ResponseWriter, r *http.Request, token api.Token, kind journal.Kind, ask func(b *pgx.Batch)) error {
	q := c.question(token)
	q.Kind = kind
	_, raw := api.Credentials(r)
	decision, err := c.gate.Admit(r.Context(), q, raw, ask)
	return refuse(w, token, decision, err)
}

// refuse says why the gate has not let a token in; nil where it has.
func refuse(w http.ResponseWriter, token api.Token, decision access.Decision, err error) error {
	switch {
	case errors.Is(err, issuer.ErrAway):
		w.Header().Set("Retry-After", retryAfter)
		return api.Refuse(http.StatusServiceUnavailable, "provider_away", err)
	case err != nil:
		return err
	}
	switch decision {
	case access.RefuseUnknown:
		w.Header().Set("Retry-After", retryAfter)
		return api.Refuse(http.StatusServiceUnavailable, "no_cabinet_yet", nil)
	case access.RefuseDeactivated:
		return api.Refuse(http.StatusForbidden, "cabinet_deactivated", nil)
	case access.Admit:
		return nil
	default:
		api.Challenge(w, token.Scheme, "invalid_token")
		return api.Refuse(http.StatusUnauthorized, "invalid_token", errors.New("the sign-in has ended"))
	}
}

// question is what a good token asks of the gate.
func (c *Cabinet) question(token api.Token) access.Question {
	grant, _ := uuid.Parse(token.GID) // a token without one rests on no grant
	q := access.Question{
		Grant: grant, AuthTime: token.AuthTime, ACR: token.ACR, ClientID: token.ClientID, Via: token.Via, At: c.cfg.Now(),
		Till: token.Expiry,
	}
	if !token.AuthTime.IsZero() {
		q.Subject = token.Subject
	}
	return q
}
