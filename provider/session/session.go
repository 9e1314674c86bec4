// Package session is the browser's session with the provider: who signed in here, when and how strongly.
package session

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// A Session is a sign-in that a browser carries. The zero Session is nobody's.
type Session struct {
	SID      string    // public id, in ID tokens and logout tokens; not the cookie's value
	Person   uuid.UUID // who
	AuthTime time.Time // when the person last proved who they are
	ACR      string    // low, substantial
	AMR      []string  // RFC 8176: pwd, sms, otp, mfa
	Agent    string    // "Firefox, Linux"
}

// IsZero tells a browser nobody is signed in at.
func (s Session) IsZero() bool { return s.SID == "" }

// Config is what a Store needs.
type Config struct {
	Redis  redis.UniversalClient
	Secure bool          // https: __Host- cookie
	Idle   time.Duration // 15 min
	Total  time.Duration // 12 h
	Now    func() time.Time
}

// A Store keeps sessions in Redis under the digest of the cookie.
type Store struct{}

// New makes a Store.
func New(cfg Config) *Store { panic("unwritten") }

// Begin starts a session with a new cookie and a new SID, ending the browser's previous one (RFC 9700 §4.7).
func (s *Store) Begin(ctx context.Context, w http.ResponseWriter, r *http.Request, session Session) (Session, error) {
	panic("unwritten")
}

// Find gives the browser's live session and lengthens its idle time, in one round trip; the zero Session if there is none.
func (s *Store) Find(ctx context.Context, r *http.Request) (Session, error) { panic("unwritten") }

// End ends the browser's session and clears the cookie.
func (s *Store) End(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
	panic("unwritten")
}

// EndAll ends every session of a person.
func (s *Store) EndAll(ctx context.Context, person uuid.UUID) error { panic("unwritten") }
