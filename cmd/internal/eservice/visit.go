package eservice

import (
	"net/http"
	"sync"
	"time"

	"golang.org/x/oauth2"
)

// visitFor is how long this e-service takes a browser for signed in without asking the provider again.
const visitFor = 12 * time.Hour

// A visit is a citizen signed in at this e-service.
type visit struct {
	idToken  string         // as it came: the hint at sign-out
	claims   map[string]any // of the ID token
	userinfo map[string]any
	token    *oauth2.Token // the access token: for the cabinet, never for the browser
	at       time.Time
}

// visits remembers who is signed in, by an unguessable cookie. A real e-service keeps them where all its nodes can see them.
type visits struct {
	mu sync.Mutex
	of map[string]visit
}

// begin remembers a visit under a new key, and forgets those whose time is over.
func (v *visits) begin(now visit) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key, old := range v.of {
		if now.at.Sub(old.at) > visitFor {
			delete(v.of, key)
		}
	}
	key := random()
	v.of[key] = now
	return key
}

func (v *visits) find(key string) (visit, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	found, ok := v.of[key]
	return found, ok && time.Since(found.at) <= visitFor
}

func (v *visits) end(key string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.of, key)
}

// endSession ends the visits of a session at the provider: all those of the citizen where it is not named.
func (v *visits) endSession(sid, sub string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for key, visit := range v.of {
		if sid != "" && visit.claims["sid"] == sid || sid == "" && visit.claims["sub"] == sub {
			delete(v.of, key)
		}
	}
}

// visit finds the browser's visit.
func (s *service) visit(r *http.Request) (visit, bool) {
	cookie, err := r.Cookie(s.cookieName("visit"))
	if err != nil {
		return visit{}, false
	}
	return s.visits.find(cookie.Value)
}

// forget ends the browser's visit here.
func (s *service) forget(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(s.cookieName("visit")); err == nil {
		s.visits.end(cookie.Value)
	}
	s.clear(w, "visit")
}
