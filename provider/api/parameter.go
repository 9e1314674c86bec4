package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// Number reads a whole number of the query, whose bounds the document has held; its usual value where it is absent.
func Number(r *http.Request, name string, usual int) int {
	if n, err := strconv.Atoi(r.URL.Query().Get(name)); err == nil {
		return n
	}
	return usual
}

// longestWait is for how many seconds news are waited for at most.
const longestWait = 30

// Wait reads how long the caller would have news waited for, in the parameter wait.
func Wait(r *http.Request) time.Duration {
	return time.Duration(min(max(0, Number(r, "wait", 0)), longestWait)) * time.Second
}

// Waiting gives a context for waiting for news as long as the caller would, or until the program stops: what it has to say is said then.
func Waiting(r *http.Request) (context.Context, context.CancelFunc) {
	over, cancel := context.WithTimeout(r.Context(), Wait(r))
	if stopping, ok := r.Context().Value(stoppingKey{}).(context.Context); ok {
		unheard := context.AfterFunc(stopping, cancel)
		return over, func() { unheard(); cancel() }
	}
	return over, cancel
}

// UntilStop says for the requests of ctx when the program stops, while they are still answered: when stopping ends.
func UntilStop(ctx, stopping context.Context) context.Context {
	return context.WithValue(ctx, stoppingKey{}, stopping)
}

type stoppingKey struct{}

// RefuseParameter refuses a parameter of the query, for what a document cannot say of it.
func RefuseParameter(name string, cause error) error {
	return Refuse(http.StatusBadRequest, "invalid_parameter", cause, Field{Name: "/" + name, Code: "invalid"})
}

// IdempotencyKey reads what the caller calls a request by, to be told the same again where the answer is lost
// (draft-ietf-httpapi-idempotency-key-header); "" where there is none.
func IdempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > 255 {
		return "", Refuse(http.StatusBadRequest, "invalid_idempotency_key", errors.New("too long"))
	}
	return key, nil
}
