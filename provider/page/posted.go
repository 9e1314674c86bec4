package page

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"asoba.example/provider/api"
)

// What answers a form would be asked for, form and all, by whoever reloads it or comes Back to it. So a page that a POST has made is kept, and the
// browser is led to an address that it is shown at by GET (RFC 9110 §15.4.4). It is shown there once: after that the address shows what it always does,
// so no page says what has ceased to be so. But a form of nobody signed in that says what is wrong with it is shown as often as it is asked for, until it is sent again, or
// what it says to wait for has come. Where Redis has lost it, nothing is said; the form is there anew.

// keptFor is how long an answer is kept. The browser asks for it at once, and its reader again while it is read.
const keptFor = 30 * time.Second

// An answer to a form is its page, as it went out. What is wrong with the form can be said in another language too, on the page that it is on.
type answer struct {
	Status int
	Header http.Header
	Body   []byte
	Page   string // the name of the view
	Errors []FieldError
	Own    bool // of who is signed in
}

// refuses tells whether the form is to be sent again, and stands there for that. A page of an error stands in the form's way; and what is somebody's
// own must not outlive their session, of which nothing is known here.
func (a *answer) refuses() bool { return len(a.Errors) > 0 && !a.Own }

// Keeping is the site that keeps in Redis what answers a form until the browser has come for it. One that keeps nothing answers at once.
func (s *Site) Keeping(in redis.UniversalClient) *Site {
	keeps := *s
	keeps.redis = in
	return &keeps
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

// lead keeps an answer and leads to it. The cookie that it is found by goes by its address, so tabs do not show each other's; and Redis has it sealed
// with what only the cookie tells.
func (s *Site) lead(w http.ResponseWriter, r *http.Request, at string, kept answer) error {
	// Beside a redirect it would say how long to wait with following it (RFC 9110 §10.2.3).
	if wait := w.Header().Get("Retry-After"); wait != "" {
		kept.Header.Set("Retry-After", wait)
	}
	var wire bytes.Buffer
	if err := gob.NewEncoder(&wire).Encode(kept); err != nil {
		return fmt.Errorf("keep an answer to a form: %w", err)
	}
	secret := rand.Text()
	key, box, err := s.sealing(secret, at)
	if err != nil {
		return err
	}
	sealed := box.Seal(nil, nil, wire.Bytes(), nil) //nolint:gosec // the nonce is the box's own, and random
	if err := s.redis.Set(r.Context(), key, sealed, keptFor).Err(); err != nil {
		return fmt.Errorf("keep an answer to a form: %w", err)
	}
	s.setCookie(w, s.answerCookie(at), secret, int(keptFor/time.Second))
	w.Header().Del("Retry-After")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", at)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// told gives the browser the answer that it has come for; false if there is none. Who has chosen another language since is told of a refusal by the
// page that the address shows to the request which is given.
func (s *Site) told(w http.ResponseWriter, r *http.Request) (*http.Request, bool) {
	if s.redis == nil || r.Method != http.MethodGet {
		return r, false
	}
	at := here(r.URL)
	cookie, err := r.Cookie(s.answerCookie(at))
	if err != nil {
		return r, false
	}
	kept, err := s.take(r.Context(), cookie.Value, at)
	api.Note(r, err)
	if kept == nil || !kept.refuses() {
		s.setCookie(w, s.answerCookie(at), "", -1)
	}
	if kept == nil {
		return r, false
	}
	if chosen, choseFor := s.chosen(r); kept.refuses() && choseFor == waiting(r.URL) && chosen != kept.Header.Get("Content-Language") {
		return r.WithContext(context.WithValue(r.Context(), refusedKey{}, kept)), false
	}
	maps.Copy(w.Header(), kept.Header)
	w.WriteHeader(kept.Status)
	_, _ = w.Write(kept.Body) // the reader has gone; there is nobody to tell
	return r, true
}

type refusedKey struct{}

// anew is the view that also says what was refused of its form, if anything was.
func anew(w http.ResponseWriter, r *http.Request, v View) View {
	if refused, ok := r.Context().Value(refusedKey{}).(*answer); ok && refused.Page == v.Name {
		v.Status, v.Errors = refused.Status, refused.Errors
		if wait := refused.Header.Get("Retry-After"); wait != "" {
			w.Header().Set("Retry-After", wait)
		}
	}
	return v
}

// take takes out an answer, and leaves a refusal where it is; nil where it is lost, or was taken before.
func (s *Site) take(ctx context.Context, secret, at string) (*answer, error) {
	key, box, err := s.sealing(secret, at)
	if err != nil {
		return nil, err
	}
	sealed, err := s.redis.Get(ctx, key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	var kept answer
	if err == nil {
		var wire []byte
		if wire, err = box.Open(nil, nil, sealed, nil); err == nil {
			err = gob.NewDecoder(bytes.NewReader(wire)).Decode(&kept) //nolint:gosec // we have sealed it ourselves
		}
	}
	if err == nil {
		if !kept.refuses() {
			err = s.redis.Del(ctx, key).Err()
		} else if wait, none := strconv.Atoi(kept.Header.Get("Retry-After")); none == nil {
			err = s.redis.ExpireLT(ctx, key, time.Duration(wait)*time.Second).Err()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("find the answer to a form: %w", err)
	}
	return &kept, nil
}

// drop drops what was refused of a form, once it is sent again.
func (s *Site) drop(r *http.Request) {
	if s.redis == nil || r.Method != http.MethodPost {
		return
	}
	at := here(shownAt(r, View{}))
	cookie, err := r.Cookie(s.answerCookie(at))
	if err != nil {
		return
	}
	key, _, err := s.sealing(cookie.Value, at)
	if err == nil {
		err = s.redis.Del(r.Context(), key).Err()
	}
	api.Note(r, err)
}

// sealing gives the key that Redis has an answer under, and what it is sealed with: both follow from the cookie, and no other address opens it.
func (s *Site) sealing(secret, at string) (key string, box cipher.AEAD, err error) {
	derived, err := hkdf.Key(sha256.New, []byte(secret), nil, at, 48)
	if err != nil {
		return "", nil, err
	}
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return "", nil, err
	}
	box, err = cipher.NewGCMWithRandomNonce(block)
	return s.name + ":answer:{" + hex.EncodeToString(derived[32:]) + "}", box, err
}

// Forget has the browser forget what is kept for it, where somebody leaves it to the next.
func (s *Site) Forget(w http.ResponseWriter, r *http.Request) {
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(cookie.Name, s.cookie("answer_")) {
			s.setCookie(w, cookie.Name, "", -1)
		}
	}
}

// answerCookie is the name of the cookie of an address.
func (s *Site) answerCookie(at string) string {
	digest := sha256.Sum256([]byte(at))
	return s.cookie("answer_" + hex.EncodeToString(digest[:8]))
}

func (s *Site) setCookie(w http.ResponseWriter, name, secret string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: secret,
		Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
}
