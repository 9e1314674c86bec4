package provider

import "net/http"

// anyOrigin lets the pages of any origin read the answer (Fetch §3.3). No credentials of the browser go with it, so there is nothing in
// the answer that its reader did not have the right to.
func anyOrigin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, DPoP-Nonce, Retry-After")
		next.ServeHTTP(w, r)
	})
}

// preflight answers a browser that asks before it sends.
func preflight(methods string) endpoint {
	return func(w http.ResponseWriter, _ *http.Request) error {
		h := w.Header()
		h.Set("Access-Control-Allow-Methods", methods)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
		h.Set("Access-Control-Max-Age", "3600")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}
