package page

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"asoba.example/provider/api"
)

// Where a form has led may never be heard: of two presses of its button the browser gives up the answer to the first, and a line may die after the act, and
// with it the cookies of the session that began. So that is kept for a moment, sealed, and told to the same form when it comes again.
//
// Whoever has captured a whole request, its cookies and the form, may send it as well, and has the session that it began. So those cookies are forgotten as
// soon as the browser asks for anything further, for by that it has them; only where the answer was never heard do they last for as long as it is led on, and no
// longer. From then on the request is worth what it was before it came: an act that is done once.

const (
	// ledFor is how long a form is led on that comes again: a second press comes at once, and who sees a line die tries once more.
	ledFor = 30 * time.Second
	// actFor is how long a form waits for the same one that is under way, for its node may have died.
	actFor = 10 * time.Second
	// lookEvery is how often it looks meanwhile.
	lookEvery = 50 * time.Millisecond
	// underWay stands in place of where one leads.
	underWay = ""
)

// An outcome is where a form has led.
type outcome struct {
	Form []byte `json:"form"` // its digest
	To   string `json:"to"`
	By   string `json:"by"` // what Redis has the cookies by that it led there with, until they were heard
}

// Idempotent makes a door of one whose form is acted on once, though it comes more than once (RFC 9110 §9.2.2): the same form at the same address is led on to
// where it was led the first time, with the same cookies. It waits for one that is under way, and that goes on to its end though its browser has gone. To open
// the address is to begin anew, so the door of GET is one too. browser is the digest of what a browser is known by, before the act and after it; nil for one
// that is not.
func (s *Site) Idempotent(browser func(*http.Request) []byte, door http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whose := browser(r)
		if s.redis == nil || whose == nil {
			door.ServeHTTP(w, r)
			return
		}
		at := sha256.Sum256(slices.Concat(whose, []byte(here(r.URL))))
		key := s.name + ":outcome:{" + hex.EncodeToString(at[:16]) + "}"
		if r.Method == http.MethodPost {
			s.actOnce(w, r, key, door)
			return
		}
		api.Note(r, s.redis.Del(r.Context(), key).Err())
		door.ServeHTTP(w, r)
	})
}

func (s *Site) actOnce(w http.ResponseWriter, r *http.Request, key string, door http.Handler) {
	form, err := io.ReadAll(io.LimitReader(r.Body, formSize+1))
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(form), r.Body)) // of what could not be read, or is too long, the door is told by it
	if err != nil {
		door.ServeHTTP(w, r)
		return
	}
	digest := sha256.Sum256(form)
	before, led, err := s.outcomeOf(r.Context(), key, digest[:])
	switch {
	case err != nil: // nobody is to be stuck by it
		api.Note(r, err)
		door.ServeHTTP(w, r)
		return
	case led:
		s.heard(w, r)
		api.Note(r, s.cookiesOf(r.Context(), w, before))
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Location", before.To)
		w.WriteHeader(http.StatusSeeOther)
		return
	}
	ctx, cancel := outliving(r.Context())
	defer cancel()
	kept := false
	defer func() {
		if !kept {
			api.Note(r, s.redis.Del(ctx, key).Err())
		}
	}()
	door.ServeHTTP(&leading{w, func() {
		to := w.Header().Get("Location")
		if to == here(r.URL) { // it is to be sent again
			return
		}
		err := s.keepOutcome(ctx, w, key, outcome{digest[:], to, rand.Text()})
		api.Note(r, err)
		kept = err == nil
	}}, r.WithContext(ctx))
}

// keepOutcome keeps where a form has led, and apart from that the cookies, with one by which it is known that they were heard.
func (s *Site) keepOutcome(ctx context.Context, w http.ResponseWriter, key string, led outcome) error {
	s.setCookie(w, s.cookie(heardCookie), led.By, int(ledFor/time.Second))
	cookies, err := s.sealed(led.By, w.Header()["Set-Cookie"])
	if err != nil {
		return err
	}
	value, err := s.sealed(key, led)
	if err != nil {
		return err
	}
	if err := s.redis.Set(ctx, s.outcomeCookies(led.By), []byte(cookies), ledFor).Err(); err != nil { // first, for who finds the other looks for them
		return err
	}
	return s.redis.Set(ctx, key, []byte(value), ledFor).Err()
}

// cookiesOf gives the browser the cookies that a form has led on with, unless they were heard.
func (s *Site) cookiesOf(ctx context.Context, w http.ResponseWriter, led outcome) error {
	kept, err := s.redis.Get(ctx, s.outcomeCookies(led.By)).Result()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err != nil {
		return err
	}
	var cookies []string
	if err := s.opened(led.By, kept, &cookies); err != nil {
		return err
	}
	w.Header()["Set-Cookie"] = cookies
	return nil
}

// heardCookie comes with the others where a form has led, and comes back with them.
const heardCookie = "heard"

// heard forgets the cookies that a form has led on with, once the browser has brought them.
func (s *Site) heard(w http.ResponseWriter, r *http.Request) {
	if s.redis == nil {
		return
	}
	if cookie, err := r.Cookie(s.cookie(heardCookie)); err == nil {
		s.setCookie(w, cookie.Name, "", -1)
		if err := s.redis.Del(r.Context(), s.outcomeCookies(cookie.Value)).Err(); err != nil {
			api.Note(r, fmt.Errorf("forget what a form has led on with: %w", err))
		}
	}
}

// outcomeCookies is what Redis has the cookies of an outcome under.
func (s *Site) outcomeCookies(by string) string { return s.name + ":outcome_cookies:{" + by + "}" }

// outliving is a context that has as long as another, and does not end with its browser's patience.
func outliving(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	ctx = context.WithoutCancel(ctx)
	if !ok {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, deadline)
}

// outcomeOf gives where a form has led that came before, once it has; or else it is under way from now on.
func (s *Site) outcomeOf(ctx context.Context, key string, form []byte) (before outcome, led bool, err error) {
	for {
		kept, err := s.redis.SetArgs(ctx, key, underWay, redis.SetArgs{Mode: "NX", Get: true, TTL: actFor}).Result()
		switch {
		case errors.Is(err, redis.Nil): // there was none
			return before, false, nil
		case err != nil:
			return before, false, err
		case kept != underWay:
			if s.opened(key, kept, &before) == nil && bytes.Equal(before.Form, form) {
				return before, true, nil
			}
			return before, false, s.redis.Set(ctx, key, underWay, actFor).Err() // another form
		}
		select {
		case <-ctx.Done():
			return before, false, ctx.Err()
		case <-time.After(lookEvery):
		}
	}
}

// leading tells, before the browser hears of it, that a form leads on.
type leading struct {
	http.ResponseWriter
	on func()
}

func (l *leading) WriteHeader(status int) {
	if status == http.StatusSeeOther {
		l.on()
	}
	l.ResponseWriter.WriteHeader(status)
}
