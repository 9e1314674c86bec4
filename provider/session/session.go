package session

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// A Session is a sign-in that a browser carries. The zero Session is nobody's.
type Session struct {
	SID      string    `json:"sid"`       // public id, in ID tokens and logout tokens; not the cookie's value
	Person   uuid.UUID `json:"person"`    // who
	AuthTime time.Time `json:"auth_time"` // when the person last proved who they are
	ACR      string    `json:"acr"`       // low, substantial
	AMR      []string  `json:"amr"`       // RFC 8176: pwd, sms, swk, mfa
	Agent    string    `json:"agent"`     // "Firefox, Linux"
	Browser  []byte    `json:"browser"`   // which of the known ones it is at, by the digest that login keeps
}

// IsZero tells a browser nobody is signed in at.
func (s Session) IsZero() bool { return s.SID == "" }

// Config is what a Store needs.
type Config struct {
	Redis  redis.UniversalClient
	Secure bool                 // https: __Host- cookie
	Idle   func() time.Duration // how long a session may lie unused: 15 min
	Total  func() time.Duration // how long after AuthTime it ends in any case: 12 h
	Now    func() time.Time
}

// A Store keeps sessions in Redis under the digest of the cookie.
type Store struct {
	redis       redis.UniversalClient
	secure      bool
	idle, total func() time.Duration
	now         func() time.Time
}

// New makes a Store.
func New(cfg Config) *Store {
	return &Store{redis: cfg.Redis, secure: cfg.Secure, idle: cfg.Idle, total: cfg.Total, now: cfg.Now}
}

// NewSID makes the public id of a session that is about to begin, for the record of it, which comes first.
func NewSID() string { return rand.Text() }

// Begin starts a session with a new cookie, and a new SID where it has none yet, ending the
// browser's previous one, so that a cookie planted before a sign-in is of no use after it
// (RFC 9700 §4.7). AuthTime is kept to the microsecond, as PostgreSQL keeps times.
func (s *Store) Begin(ctx context.Context, w http.ResponseWriter, r *http.Request, session Session) (Session, error) {
	if session.SID == "" {
		session.SID = NewSID()
	}
	session.AuthTime = session.AuthTime.UTC().Truncate(time.Microsecond)
	value, err := json.Marshal(session)
	if err != nil {
		return Session{}, fmt.Errorf("begin session: %w", err)
	}
	token := newToken()
	mine, theirs := digest([]byte(token)), personKey(digest(session.Person[:]))
	dead := s.now().Add(-s.total())
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		if previous := s.key(r); previous != "" {
			p.Del(ctx, previous)
		}
		p.Set(ctx, sessionKey(mine), value, s.idle())
		p.ZRemRangeByScore(ctx, theirs, "-inf", score(dead))
		p.ZAdd(ctx, theirs, redis.Z{Score: float64(session.AuthTime.UnixMicro()), Member: mine})
		p.Expire(ctx, theirs, s.total())
		return nil
	})
	if err != nil {
		return Session{}, fmt.Errorf("begin session: %w", err)
	}
	s.setCookie(w, token)
	return session, nil
}

// Find gives the browser's live session and lengthens its idle time, in one
// round trip; the zero Session if there is none.
func (s *Store) Find(ctx context.Context, r *http.Request) (Session, error) {
	key := s.key(r)
	if key == "" {
		return Session{}, nil
	}
	value, err := s.redis.GetEx(ctx, key, s.idle()).Bytes()
	if errors.Is(err, redis.Nil) {
		return Session{}, nil
	}
	if err != nil {
		return Session{}, fmt.Errorf("find session: %w", err)
	}
	var session Session
	if err := json.Unmarshal(value, &session); err != nil {
		return Session{}, fmt.Errorf("find session: %w", err)
	}
	if !s.now().Before(session.AuthTime.Add(s.total())) {
		return Session{}, nil
	}
	return session, nil
}

// Had tells, without asking Redis, whether the browser was given a session, which may be over by now.
func (s *Store) Had(r *http.Request) bool { return s.key(r) != "" }

// Till is when a session that was found just now ends, if nothing more comes of it.
func (s *Store) Till(session Session) time.Time {
	idle, total := s.now().Add(s.idle()), session.AuthTime.Add(s.total())
	if total.Before(idle) {
		return total
	}
	return idle
}

// End ends the browser's session and clears the cookie.
func (s *Store) End(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	s.clearCookie(w)
	key := s.key(r)
	if key == "" {
		return nil
	}
	if err := s.redis.Del(ctx, key).Err(); err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	return nil
}

// EndAll ends every session of a person that was begun by a sign-in not later
// than upTo. A later one stays: it may be the one in which the password was changed.
func (s *Store) EndAll(ctx context.Context, person uuid.UUID, upTo time.Time) error {
	theirs := personKey(digest(person[:]))
	digests, err := s.redis.ZRangeByScore(ctx, theirs, &redis.ZRangeBy{Min: "-inf", Max: score(upTo)}).Result()
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	if len(digests) == 0 {
		return nil
	}
	// The index goes last: whoever fails midway finds the rest again.
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, d := range digests {
			p.Del(ctx, sessionKey(d))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	if err := s.redis.ZRemRangeByScore(ctx, theirs, "-inf", score(upTo)).Err(); err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	return nil
}

// An Open session is one of a person's, as they see it from another.
type Open struct {
	Session
	UsedAt time.Time // the last request that it came with

	digest string
}

// List gives a person's sessions that have not ended, the latest first. To be listed is not to be used.
func (s *Store) List(ctx context.Context, person uuid.UUID) ([]Open, error) {
	digests, err := s.redis.ZRevRange(ctx, personKey(digest(person[:])), 0, -1).Result()
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	values, left := make([]*redis.StringCmd, len(digests)), make([]*redis.DurationCmd, len(digests))
	_, err = s.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, d := range digests {
			values[i], left[i] = p.Get(ctx, sessionKey(d)), p.PTTL(ctx, sessionKey(d))
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var open []Open
	for i, d := range digests {
		value, err := values[i].Bytes()
		if err != nil { // over since it was entered here
			continue
		}
		o := Open{digest: d}
		if err := json.Unmarshal(value, &o.Session); err != nil {
			return nil, fmt.Errorf("list sessions: %w", err)
		}
		if !s.now().Before(o.AuthTime.Add(s.total())) {
			continue
		}
		o.UsedAt = s.now().Add(left[i].Val() - s.idle()) // every use begins the idle time anew
		open = append(open, o)
	}
	return open, nil
}

// EndThese ends sessions of a person by their SIDs, at whichever browsers.
func (s *Store) EndThese(ctx context.Context, person uuid.UUID, sids ...string) error {
	open, err := s.List(ctx, person)
	if err != nil {
		return err
	}
	for _, o := range open {
		if !slices.Contains(sids, o.SID) {
			continue
		}
		if err := s.redis.Del(ctx, sessionKey(o.digest)).Err(); err != nil {
			return fmt.Errorf("end session: %w", err)
		}
	}
	return nil
}

// score is a moment in the person's index: microseconds are exact in a float64 until the year 2255.
func score(t time.Time) string { return strconv.FormatInt(t.UnixMicro(), 10) }
