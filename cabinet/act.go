package cabinet

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/provider/answer"
	"asoba.example/provider/api"
)

// A deed is what an e-service has asked for.
type deed struct {
	asked any
	kind  journal.Kind        // how it is noted
	do    func(b *pgx.Batch)  // queues it, behind the question to the gate
	tell  func() (any, error) // what is answered then; an error undoes the deed

	// What was answered before is told again as amend has it, by what look asked for; nil for as it was.
	look  func(b *pgx.Batch)
	amend func(told json.RawMessage) (json.RawMessage, error)
}

// act does what an e-service has asked for and answers with what comes of it, all in one transaction; once, where the request has an
// Idempotency-Key. What a PUT is answered is what stands there now. Whoever may be told only what was answered before is let in first as well.
func (c *Cabinet) act(w http.ResponseWriter, r *http.Request, token api.Token, d deed) error {
	if err := c.admit(w, r, token, "", d.look); err != nil {
		return err
	}
	caller, err := c.callerOf(token)
	if err != nil {
		return err
	}
	body, err := json.Marshal(d.asked)
	if err != nil {
		return err
	}
	made, again, err := c.cfg.Answers.Do(r, caller, body, func(keep answer.Keep) error {
		q := c.question(token)
		q.Kind = d.kind
		_, raw := api.Credentials(r)
		decision, err := c.gate.Act(r.Context(), q, raw, d.do, func(ctx context.Context, tx pgx.Tx) error {
			said, err := d.tell()
			if err != nil {
				return err
			}
			text, err := json.Marshal(said)
			if err != nil {
				return err
			}
			told := answer.Answer{Status: http.StatusOK, Header: map[string]string{}, Body: text}
			if language := w.Header().Get("Content-Language"); language != "" {
				told.Header["Content-Language"] = language
			}
			if r.Method == http.MethodPut {
				told.Header["Content-Location"] = r.URL.Path // but no ETag: what stands there is not what was sent (RFC 9110 §9.3.4)
			}
			return keep(ctx, tx, told)
		})
		return refuse(w, token, decision, err)
	})
	if err == nil && again && d.amend != nil {
		made.Body, err = d.amend(made.Body)
	}
	if err != nil {
		return err
	}
	return made.Write(w)
}

// callerOf tells apart who may send the same Idempotency-Key: the client, and for whom. A citizen's number is not kept for that.
func (c *Cabinet) callerOf(token api.Token) (string, error) {
	subject, err := c.cfg.Answers.Box.Index("answer:caller", []byte(token.Subject))
	if err != nil {
		return "", err
	}
	return token.ClientID + " " + base64.RawStdEncoding.EncodeToString(subject), nil
}
