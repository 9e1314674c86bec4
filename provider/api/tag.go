package api

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// WriteTagged answers with JSON that a caller may keep for itself and ask about again: whoever names its ETag in
// If-None-Match is told that it is still the same (RFC 9110 §13.1.2).
func WriteTagged(w http.ResponseWriter, r *http.Request, v any) error {
	text, tag, err := tagged(v)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "private, no-cache")
	if named(r.Header.Values("If-None-Match"), tag, "W/"+tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(append(text, '\n'))
	return err
}

// RequireUnchanged holds what is about to be changed to what the caller has seen of it, where If-Match names that by its ETag. The error is a 412
// problem (RFC 9110 §13.1.1).
func RequireUnchanged(r *http.Request, v any) error {
	seen := r.Header.Values("If-Match")
	if len(seen) == 0 {
		return nil
	}
	_, tag, err := tagged(v)
	if err == nil && !named(seen, tag) {
		err = Refuse(http.StatusPreconditionFailed, "stale", nil)
	}
	return err
}

// tagged gives JSON and its strong entity tag (RFC 9110 §8.8.3).
func tagged(v any) (text []byte, tag string, err error) {
	text, err = json.Marshal(v)
	digest := sha256.Sum256(text)
	return text, `"` + base64.RawURLEncoding.EncodeToString(digest[:16]) + `"`, err
}

// named tells whether lists of tags have one of these, or the star that stands for all. Ours hold no comma.
func named(lists []string, tags ...string) bool {
	for _, list := range lists {
		for one := range strings.SplitSeq(list, ",") {
			if one = strings.TrimSpace(one); one == "*" || slices.Contains(tags, one) {
				return true
			}
		}
	}
	return false
}
