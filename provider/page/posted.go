package page

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"asoba.example/provider/api"
	"asoba.example/provider/seal"
)

// What answers a form would be asked for, form and all, by whoever reloads it or comes Back to it. So the browser is led to an address that tells it by GET
// (RFC 9110 §15.4.4).
//
// What refuses a form is said there by the door's own page, in the reader's language and as often as it is asked for: until the form is sent again, or what it
// says to wait for has come. It is a few hundred bytes, which the browser carries, sealed, in a cookie of the address: so nothing is kept of strangers, however
// many forms they send, nothing is lost with Redis, and of whoever must be signed in for the page the door asks that first. An error stands in the form's way,
// so it is told once. What was done no address shows: its page is kept in Redis, and shown once.

const (
	// keptFor is how long an answer is there at the least. The browser asks for it at once, and of what was done its reader while it is read.
	keptFor = 30 * time.Second
	// waitFor is how long a wait is told at the least, which may be over before the page is there. No longer: it would tell of a wait that is over.
	waitFor = 5 * time.Second
	// toldFor is how long it is told what was refused, for who reads it slowly, or in another language.
	toldFor = 5 * time.Minute
	// longest is how long a wait is told. Whoever comes later sends the form and hears of it anew.
	longest = time.Hour
	// cookieSize is what the cookie may take, of which there may be some. What is longer, for what was typed in it, is answered at once.
	cookieSize = 2 << 10
	// answersSize is what all of them may take. Where another comes that has no room, the oldest are told no more: all go with each request, of which no
	// server reads a head of any size.
	answersSize = 4 << 10
)

// An answer to a form.
type answer struct {
	At     int64             `json:"at"`   // when it was given, in milliseconds
	Name   string            `json:"name"` // of the view
	Status int               `json:"status"`
	Errors []FieldError      `json:"errors,omitempty"`
	Typed  map[string]string `json:"typed,omitempty"` // by field; no secrets, for no page gives them back
	Error  errorData         `json:"error,omitzero"`  // of the page of an error
	Done   string            `json:"done,omitempty"`  // what Redis has the page by of what was done
	Own    bool              `json:"own,omitempty"`   // that of who is signed in
}

// refuses tells whether the form is to be sent again, and is there for that.
func (a *answer) refuses() bool { return a.Done == "" && a.Name != errorPage }

// lasts is how long it is there.
func (a *answer) lasts() time.Duration {
	switch wait := waits(a.Errors); {
	case !a.refuses():
		return keptFor
	case wait > 0:
		return min(max(waitFor, wait), longest)
	default:
		return toldFor
	}
}

// A kept page is one of what was done, as it went out.
type keptPage struct {
	Status int
	Header http.Header
	Body   []byte
}

// Keeping is the site that leads the browser to what answers a form. One that keeps nothing answers at once.
func (s *Site) Keeping(in redis.UniversalClient, box *seal.Box, now func() time.Time) (*Site, error) {
	keeps := *s
	var err error
	keeps.redis, keeps.now = in, now
	keeps.pouch, err = box.Pouch("answers to forms")
	return &keeps, err
}

// leads tells whether the browser is led to a page by GET. What is our own fault is told at once: there to send the form once more is what is to be done.
func (s *Site) leads(r *http.Request, v View) bool {
	return s.redis != nil && r.Method == http.MethodPost && v.Status < http.StatusInternalServerError && !v.Now
}

// shownAt is where: the address that the view names, or the page that the form is on, or its door.
func shownAt(r *http.Request, v View) *url.URL {
	if v.At != "" {
		if u, err := url.Parse(v.At); err == nil {
			return u
		}
	}
	if u, err := url.Parse(r.Referer()); err == nil && u.Host == r.Host {
		return u
	}
	return r.URL
}

// lead leads to where an answer is told, unless it is too long. The cookie goes by the address, so tabs do not tell each other's. The page of what was done
// is kept.
func (s *Site) lead(w http.ResponseWriter, r *http.Request, at string, a answer, done keptPage) (bool, error) {
	a.At = s.now().UnixMilli()
	if a.Status < http.StatusBadRequest {
		a.Done = rand.Text()
		page, err := s.sealed(a.Done, done)
		if err == nil {
			err = s.redis.Set(r.Context(), s.answerKey(a.Done), page, keptFor).Err()
		}
		if err != nil {
			return false, fmt.Errorf("keep an answer to a form: %w", err)
		}
	}
	name := s.answerCookie(at)
	value, err := s.sealed(name, a)
	if err != nil || len(value) > cookieSize {
		return false, err
	}
	s.makeRoom(w, r, name, answersSize-len(value))
	s.setCookie(w, name, value, int(a.lasts()/time.Second))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", at)
	w.WriteHeader(http.StatusSeeOther)
	return true, nil
}

// told tells the browser the answer that it has come for; false if there is none, or it is for the page that the address shows to the request which is given:
// what was refused of its form, and what is somebody's own, of whom the door knows whether they are signed in still.
func (s *Site) told(w http.ResponseWriter, r *http.Request) (*http.Request, bool) {
	if s.redis == nil || r.Method != http.MethodGet {
		return r, false
	}
	cookie, err := r.Cookie(s.answerCookie(here(r.URL)))
	if err != nil {
		return r, false
	}
	var a answer
	err = s.opened(cookie.Name, cookie.Value, &a)
	since := max(0, s.now().Sub(time.UnixMilli(a.At)))
	if err != nil || since >= a.lasts() { // an older one, or none of ours
		s.setCookie(w, cookie.Name, "", -1)
		return r, false
	}
	for i, e := range a.Errors {
		for name, arg := range e.Args {
			e.Args[name] = fmt.Sprint(arg)
		}
		if e.Wait > 0 {
			a.Errors[i].Wait = max(time.Second, e.Wait-since)
		}
	}
	if a.refuses() || a.Done != "" && a.Own {
		return r.WithContext(context.WithValue(r.Context(), answerKey{}, &a)), false
	}
	return r, s.once(w, r, &a)
}

// once tells what is told once; false if it is lost, or was told before.
func (s *Site) once(w http.ResponseWriter, r *http.Request, a *answer) bool {
	s.setCookie(w, s.answerCookie(here(r.URL)), "", -1)
	if a.Name == errorPage {
		err := s.showError(w, r, a.Status, a.Error, true)
		api.Note(r, err)
		return err == nil
	}
	var kept keptPage
	sealed, err := s.redis.GetDel(r.Context(), s.answerKey(a.Done)).Result()
	if errors.Is(err, redis.Nil) {
		return false
	}
	if err == nil {
		err = s.opened(a.Done, sealed, &kept)
	}
	if err != nil {
		api.Note(r, fmt.Errorf("find the answer to a form: %w", err))
		return false
	}
	maps.Copy(w.Header(), kept.Header)
	w.WriteHeader(kept.Status)
	_, _ = w.Write(kept.Body) // the reader has gone; there is nobody to tell
	return true
}

type answerKey struct{}

// answering is the answer that a page is asked for with; of none the zero one.
func answering(r *http.Request) *answer {
	if a, ok := r.Context().Value(answerKey{}).(*answer); ok {
		return a
	}
	return new(answer)
}

// Answers gives the name of the view of the page that is asked for where it answers a form, and "" elsewhere: whoever was let to send it is to be let to
// see that.
func Answers(r *http.Request) string { return answering(r).Name }

// sealed seals for one place, as text.
func (s *Site) sealed(place string, what any) (string, error) {
	plain, err := json.Marshal(what)
	if err != nil {
		return "", err
	}
	sealed, err := s.pouch.Seal(place, plain)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// opened reads what was sealed for a place. Numbers stay as they were written.
func (s *Site) opened(place, text string, what any) error {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	plain, err := s.pouch.Open(place, sealed)
	if err != nil {
		return err
	}
	in := json.NewDecoder(bytes.NewReader(plain))
	in.UseNumber()
	return in.Decode(what)
}

// drop has the browser forget what was refused of a form, once it is sent again.
func (s *Site) drop(w http.ResponseWriter, r *http.Request) {
	if s.redis == nil || r.Method != http.MethodPost {
		return
	}
	if cookie, err := r.Cookie(s.answerCookie(here(shownAt(r, View{})))); err == nil {
		s.setCookie(w, cookie.Name, "", -1)
	}
}

// makeRoom has the browser forget the oldest of what has no room, beside the one that it is given.
func (s *Site) makeRoom(w http.ResponseWriter, r *http.Request, given string, room int) {
	type one struct {
		at   int64
		name string
		size int
	}
	var all []one
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(cookie.Name, s.cookie("answer_")) && cookie.Name != given {
			var a answer // none of ours is as old as can be
			_ = s.opened(cookie.Name, cookie.Value, &a)
			all = append(all, one{a.At, cookie.Name, len(cookie.Value)})
		}
	}
	slices.SortFunc(all, func(a, b one) int { return cmp.Compare(b.at, a.at) })
	for _, kept := range all {
		if room -= kept.size; room < 0 {
			s.setCookie(w, kept.name, "", -1)
		}
	}
}

// Forget has the browser forget what it was answered, where somebody leaves it to the next.
func (s *Site) Forget(w http.ResponseWriter, r *http.Request) {
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(cookie.Name, s.cookie("answer_")) {
			s.setCookie(w, cookie.Name, "", -1)
		}
	}
}

// answerKey is what Redis has the page of what was done under.
func (s *Site) answerKey(by string) string { return s.name + ":answer:{" + by + "}" }

// answerCookie is the name of the cookie of an address.
func (s *Site) answerCookie(at string) string {
	digest := sha256.Sum256([]byte(at))
	return s.cookie("answer_" + hex.EncodeToString(digest[:8]))
}

// setCookie sets a cookie in place of what was set before in the same answer (RFC 6265 §4.1.1).
func (s *Site) setCookie(w http.ResponseWriter, name, value string, maxAge int) {
	w.Header()["Set-Cookie"] = slices.DeleteFunc(w.Header()["Set-Cookie"], func(set string) bool { return strings.HasPrefix(set, name+"=") })
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value,
		Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
}
