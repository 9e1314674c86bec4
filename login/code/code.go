// Package code is the one-time codes sent by SMS.
package code

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"asoba.example/login/identity"
)

// Meanings.
var (
	ErrWrong = errors.New("wrong code")
	ErrOver  = errors.New("the code is over: too late, or tried too often")
	ErrWait  = errors.New("too early or too many to send another") // wrapped by *WaitError, which says until when
)

// A Purpose binds a code to what it was asked for: sign_in, confirm_phone, …
type Purpose string

// Codes sends and checks one-time codes; they live in Redis, by person, purpose and bound (an interaction, an issuance).
type Codes struct {
	Redis  redis.UniversalClient
	Key    []byte // keys the digests
	Outbox identity.Outbox
	Pool   interface {
		Begin(ctx context.Context) (pgx.Tx, error)
	}
	Text func(language, code string) string
	Now  func() time.Time
}

// Sent tells what the page shows: until when the code is good, from when another may be asked.
type Sent struct {
	Till  time.Time
	Again time.Time
}

// Send makes a code, keeps its digest, and puts it into the outbox. The newest is the only one good.
func (c *Codes) Send(ctx context.Context, p Purpose, person uuid.UUID, bound string, phone identity.Phone, language string) (Sent, error) {
	panic("unwritten")
}

// Check takes a try: nil once for the right code; ErrWrong; ErrOver after five tries or five minutes.
func (c *Codes) Check(ctx context.Context, p Purpose, person uuid.UUID, bound, code string) error {
	panic("unwritten")
}
