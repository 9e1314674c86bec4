package cabinet

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"asoba.example/cabinet/issuer"
)

const (
	// requestFor is how long a citizen may take to sign in at the provider.
	requestFor = time.Hour
	// requestsAtOnce is how many sign-ins one browser may have on their way. Where another begins, the oldest is given up.
	requestsAtOnce = 5
)

// request is a sign-in on its way: begun in one browser, to come back to it once. That browser has it, sealed, and nobody else: in a cookie by its
// state, so that each tab has its own, and nothing is kept of strangers, however often they begin.
type request struct {
	issuer.Request
	Return  string // the page that was asked for
	BeganAt time.Time
}

// requestCookie is how the name of each of those cookies begins.
const requestCookie = "request_"

var errNoRequest = errors.New("no such sign-in on its way in this browser")

// send leaves a sign-in on its way with the browser.
func (s sessions) send(w http.ResponseWriter, r *http.Request, sent request) error {
	sent.BeganAt = s.now()
	plain, err := json.Marshal(sent)
	if err != nil {
		return err
	}
	sealed, err := s.requests.Seal(requestPlace(sent.State), plain)
	if err != nil {
		return err
	}
	s.dropRequests(w, r)
	http.SetCookie(w, s.made(requestCookie+sent.State, base64.RawURLEncoding.EncodeToString(sealed), int(requestFor/time.Second)))
	return nil
}

// receive takes a sign-in that came back, which the browser has no more then, and only from the browser that began it.
func (s sessions) receive(w http.ResponseWriter, r *http.Request, state string) (request, error) {
	value := s.cookie(r, requestCookie+state)
	if value == "" {
		return request{}, errNoRequest
	}
	http.SetCookie(w, s.made(requestCookie+state, "", -1))
	return s.openRequest(state, value)
}

// openRequest reads what the browser has of a sign-in on its way.
func (s sessions) openRequest(state, value string) (request, error) {
	var sent request
	sealed, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return request{}, errNoRequest
	}
	plain, err := s.requests.Open(requestPlace(state), sealed)
	if err != nil || json.Unmarshal(plain, &sent) != nil || s.now().Sub(sent.BeganAt) >= requestFor {
		return request{}, errNoRequest
	}
	return sent, nil
}

// dropRequests has the browser forget what it has too much of, and what is good for nothing.
func (s sessions) dropRequests(w http.ResponseWriter, r *http.Request) {
	var waiting []request
	prefix := s.cookieName(requestCookie)
	for _, c := range r.Cookies() {
		state, ours := strings.CutPrefix(c.Name, prefix)
		if !ours {
			continue
		}
		sent, err := s.openRequest(state, c.Value)
		if err != nil {
			http.SetCookie(w, s.made(requestCookie+state, "", -1))
			continue
		}
		waiting = append(waiting, sent)
	}
	slices.SortFunc(waiting, func(a, b request) int { return b.BeganAt.Compare(a.BeganAt) })
	for _, sent := range waiting[min(len(waiting), requestsAtOnce-1):] {
		http.SetCookie(w, s.made(requestCookie+sent.State, "", -1))
	}
}

// requestPlace binds what is sealed to its state.
func requestPlace(state string) string { return "cookie:request:" + state }
