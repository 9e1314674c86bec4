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

// act does what an e-service has asked for and answers with what tell gives then, all in one transaction; once, where the request has an
// Idempotency-Key. What a PUT is answered is what stands there now. do queues it, behind the question to the gate, and kind is
// how it is noted; an error of tell undoes it. Whoever may be told only what was answered before is let in first as well.
func (c *Cabinet) act(
	w http.ResponseWriter, r *http.Request, token api.Token, kind journal.Kind, asked any, do func(b *pgx.Batch), tell func() (any, error),
) error {
	if err := c.admit(w, r, token, "", nil); err != nil {
		return err
	}
	caller, err := c.callerOf(token)
	if err != nil {
		return err
	}
	body, err := json.Marshal(asked)
	if err != nil {
		return err
	}
	return c.cfg.Answers.Once(w, r, caller, body, func(keep answer.Keep) error {
		q := c.question(token)
		q.Kind = kind
		_, raw := api.Credentials(r)
		decision, err := c.gate.Act(r.Context(), q, raw, do, func(ctx context.Context, tx pgx.Tx) error {
			said, err := tell()
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
}

// callerOf tells apart who may send the same Idempotency-Key: the client, and for whom. A citizen's number is not kept for that.
func (c *Cabinet) callerOf(token api.Token) (string, error) {
	subject, err := c.cfg.Answers.Box.Index("answer:caller", []byte(token.Subject))
	if err != nil {
		return "", err
	}
	return token.ClientID + " " + base64.RawStdEncoding.EncodeToString(subject), nil
}
