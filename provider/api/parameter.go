package api

import (
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
