package api

import "net/http"

// A Mux takes doors; *http.ServeMux is one.
type Mux interface {
	Handle(pattern string, handler http.Handler)
}

// Refusing is mux, refusing by a problem what it has no door for: a path that there is not, a method that a path does
// not take (RFC 9110 §15.5.5–6). Allow is mux's own.
func Refusing(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		without := &wordless{ResponseWriter: w}
		handler.ServeHTTP(without, r)
		switch without.status {
		case http.StatusNotFound:
			newProblem(http.StatusNotFound, "no_such_path", nil).write(w)
		case http.StatusMethodNotAllowed:
			newProblem(http.StatusMethodNotAllowed, "method_not_allowed", nil).write(w)
		default: // leads to the clean form of the path
			w.WriteHeader(without.status)
		}
	})
}

// A wordless writer takes the status and the headers of an answer, and none of its words.
type wordless struct {
	http.ResponseWriter
	status int
}

func (w *wordless) WriteHeader(status int)      { w.status = status }
func (w *wordless) Write(p []byte) (int, error) { return len(p), nil }
