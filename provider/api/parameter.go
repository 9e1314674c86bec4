package api

import (
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

// longestWait is how long news are waited for at most.
const longestWait = 30 * time.Second

// Wait reads how long the caller would have news waited for, in the parameter wait.
func Wait(r *http.Request) time.Duration {
	return min(max(0, time.Duration(Number(r, "wait", 0))), longestWait/time.Second) * time.Second
}

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
