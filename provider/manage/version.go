package manage

import (
	"net/http"
	"strconv"
	"strings"

	"asoba.example/provider/clients"
)

// tag is the strong entity tag of a version (RFC 9110 §8.8.3).
func tag(v clients.Version) string { return `"` + strconv.FormatInt(int64(v), 10) + `"` }

// seen reads which version of a client the caller has seen, from If-Match (RFC 9110 §13.1.1); any where they do not say.
// A tag of another form than ours matches nothing.
func seen(r *http.Request) (clients.Version, error) {
	match := r.Header.Get("If-Match")
	if match == "" || match == "*" {
		return clients.Any, nil
	}
	v, err := strconv.ParseInt(strings.Trim(match, `"`), 10, 64)
	if err != nil || v < 1 || match != tag(clients.Version(v)) {
		return 0, refusal(clients.ErrStale)
	}
	return clients.Version(v), nil
}
