package api

import (
	"errors"
	"net/http"
	"strconv"
)

// Number reads a whole number of the query, whose bounds the document has held; its usual value where it is absent.
func Number(r *http.Request, name string, usual int) int {
	if n, err := strconv.Atoi(r.URL.Query().Get(name)); err == nil {
		return n
	}
	return usual
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
