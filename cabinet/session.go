package cabinet

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"asoba.example/cabinet/issuer"
	"asoba.example/provider/api"
	"asoba.example/provider/seal"
)

// session is a citizen signed in to the web cabinet. Tokens stay here; the browser holds a random word.
type session struct {
	Token       api.Token // what the access token says, checked when it came
	AccessToken string
	Name        string // "" where the provider knows none
	BeganAt     time.Time
}

// sessions keeps them in Redis, sealed and under digests, so that who reads it can use none of them and learns of nobody. They may be lost:
// then the citizen signs in again. That a session is there lets nobody in; the gate is asked each time.
//
//	cabinet:session:{digest of the session's word}
//	cabinet:sessions:{keyed digest of the provider's sid, or of the subject}   which sessions came of it
//	cabinet:logout:{digest of jti}
type sessions struct {
	redis       redis.UniversalClient
	box         *seal.Box
	requests    *seal.Pouch // on their way
	begun       *seal.Pouch // what Redis keeps
	secure      bool
	idle, total time.Duration
	unreadable  prometheus.Counter
	now         func() time.Time
}

var (
	errNoSession  = errors.New("no session")
	errToldBefore = errors.New("a Logout Token that came before")
)

// over stands in the place of a session that was said to be over, for as long as it would have lived. It may stand there before the session does,
// which then has no place.
const over = "over"

// begin keeps a session under a new word and ends the one that the browser had. Where it was over meanwhile, the browser is left as by its end.
func (s sessions) begin(ctx context.Context, w http.ResponseWriter, r *http.Request, begun session) error {
	if err := s.end(ctx, w, r); err != nil {
		return err
	}
	begun.BeganAt = s.now()
	word := rand.Text()
	key := sessionKey(word)
	if err := s.note(ctx, key, begun.Token); err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}
	plain, err := json.Marshal(begun)
	if err != nil {
		return err
	}
	sealed, err := s.begun.Seal(key, plain)
	if err == nil {
		err = s.redis.SetNX(ctx, key, sealed, s.idle).Err()
	}
	if err != nil {
		return fmt.Errorf("begin a session: %w", err)
	}
	s.setCookie(w, "session", word)
	return nil
}

// note notes what a session comes of, by which the provider will say that it is over.
func (s sessions) note(ctx context.Context, key string, token api.Token) error {
	places, err := s.places(token.SID, token.Subject)
	if err != nil {
		return err
	}
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, place := range places {
			p.SAdd(ctx, place, key)
			p.Expire(ctx, place, s.total)
		}
		return nil
	})
	return err
}

// places are where it is noted which sessions came of one session at the provider, and which of one subject; "" for neither.
func (s sessions) places(sid, subject string) (all []string, err error) {
	for _, of := range [][2]string{{"sid", sid}, {"sub", subject}} {
		if of[1] == "" {
			continue
		}
		name, err := s.box.Index("session:"+of[0], []byte(of[1])) // there are few numbers of citizens: a digest without a key would tell them
		if err != nil {
			return nil, err
		}
		all = append(all, "cabinet:sessions:{"+base64.RawURLEncoding.EncodeToString(name)+"}")
	}
	return all, nil
}

// logOut ends the sessions that a Logout Token says are over, which is good once: when they are, so that one whose call failed may come again. To
// end an ended one is a success too.
func (s sessions) logOut(ctx context.Context, token issuer.Logout) error {
	told := "cabinet:logout:{" + digest(token.ID) + "}"
	before, err := s.redis.Exists(ctx, told).Result()
	if err != nil {
		return fmt.Errorf("look for a Logout Token: %w", err)
	}
	if before > 0 {
		return errToldBefore
	}
	if token.SID != "" { // it says which of the subject's
		token.Subject = ""
	}
	places, err := s.places(token.SID, token.Subject)
	if err != nil {
		return err
	}
	for _, place := range places {
		keys, err := s.redis.SMembers(ctx, place).Result()
		if err == nil && len(keys) > 0 {
			_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
				for _, key := range keys {
					p.Set(ctx, key, over, s.idle)
					p.SRem(ctx, place, key)
				}
				return nil
			})
		}
		if err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
	}
	if err := s.redis.Set(ctx, told, "", token.Till.Sub(s.now())+time.Minute).Err(); err != nil {
		return fmt.Errorf("remember a Logout Token: %w", err)
	}
	return nil
}

// find gives the browser's session, which counts as its use.
func (s sessions) find(ctx context.Context, r *http.Request) (session, error) {
	var found session
	word := s.cookie(r, "session")
	if word == "" {
		return found, errNoSession
	}
	key := sessionKey(word)
	kept, err := s.redis.GetEx(ctx, key, s.idle).Result()
	switch {
	case errors.Is(err, redis.Nil) || kept == over:
		return found, errNoSession
	case err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE"):
		return found, fmt.Errorf("find a session: %w", err)
	}
	if found, err = s.read(key, kept); err != nil {
		s.unreadable.Inc()
		return session{}, errNoSession
	}
	if s.now().Sub(found.BeganAt) >= s.total {
		return session{}, errNoSession
	}
	return found, nil
}

// read reads a session as begin has kept it.
func (s sessions) read(key, kept string) (found session, err error) {
	plain, err := s.begun.Open(key, []byte(kept))
	if err != nil {
		return session{}, err
	}
	if err := json.Unmarshal(plain, &found); err != nil {
		return session{}, err
	}
	if found.Token.Subject == "" || found.Token.AuthTime.IsZero() {
		return session{}, errors.New("a session of nobody")
	}
	return found, nil
}

// till tells when a session will be over if it is used no more.
func (s sessions) till(found session) time.Time {
	idle, total := s.now().Add(s.idle), found.BeganAt.Add(s.total)
	if idle.Before(total) {
		return idle
	}
	return total
}

// had tells, without asking Redis, whether the browser was given a session, which may be over by now.
func (s sessions) had(r *http.Request) bool { return s.cookie(r, "session") != "" }

// end ends the browser's session, if it has one.
func (s sessions) end(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	word := s.cookie(r, "session")
	if word == "" {
		return nil
	}
	if err := s.redis.Del(ctx, sessionKey(word)).Err(); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	http.SetCookie(w, s.made("session", "", -1))
	return nil
}

func sessionKey(word string) string { return "cabinet:session:{" + digest(word) + "}" }

func digest(word string) string {
	sum := sha256.Sum256([]byte(word))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (s sessions) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(s.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

func (s sessions) setCookie(w http.ResponseWriter, name, word string) {
	http.SetCookie(w, s.made(name, word, 0))
}

// made is one of our cookies. Lax, not Strict: the citizen comes back from the provider with them.
func (s sessions) made(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	}
}

func (s sessions) cookieName(name string) string {
	if s.secure {
		return "__Host-cabinet_" + name
	}
	return "cabinet_" + name
}
