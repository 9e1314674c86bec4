// Package grant is what one sign-in gave one client, and the end of it.
package grant

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"asoba.example/provider/session"
)

// A Grant is what one sign-in gave one client. Its ID is the claim gid of every access token made from it.
type Grant struct {
	ID       uuid.UUID
	Person   uuid.UUID
	ClientID string
	SID      string
	Scopes   []string
	Audience []string
	Nonce    string
	AuthTime time.Time
	ACR      string
	AMR      []string
	At       time.Time // given at
	Till     time.Time // absolute end of its refresh tokens
}

// Why a person's grants or one grant ended.
type Why string

// Reasons.
const (
	Blocked     Why = "blocked"
	Unblocked   Why = "unblocked"
	Deactivated Why = "deactivated"
	Password    Why = "password"   // the password was changed
	SignedOut   Why = "signed_out" // at one browser
	Revoked     Why = "revoked"    // by the client (RFC 7009)
	Reused      Why = "reused"     // a code or a refresh token came twice
	Withdrawn   Why = "withdrawn"  // the person took the agreement back
)

// Jobs inserts background work into the act's transaction; *river.Client[pgx.Tx] is one.
type Jobs interface {
	InsertTx(ctx context.Context, tx pgx.Tx, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error)
}

// End makes all of a person's sign-ins up to at worth nothing: it writes ended(person, at), ends the grants,
// records SessionsEnded and queues a CleanUp, in the caller's transaction. After commit the caller calls Cleaner.Clean.
func End(ctx context.Context, tx pgx.Tx, jobs Jobs, person uuid.UUID, why Why, at time.Time) error {
	panic("unwritten")
}

// EndOne ends one grant, in the caller's transaction, and records it.
func EndOne(ctx context.Context, tx pgx.Tx, jobs Jobs, gid uuid.UUID, why Why, at time.Time) error {
	panic("unwritten")
}

// A CleanUp is the job that cleans Redis after a person's sign-ins were ended.
type CleanUp struct {
	Person uuid.UUID `json:"person"`
}

// Kind names the job.
func (CleanUp) Kind() string { return "grant_clean_up" }

// A Cleaner takes ended sign-ins out of Redis: sessions, and the access tokens of ended grants.
// It is called after the act's commit, by the CleanUp job, and at start for all that ended lately.
type Cleaner struct {
	Pool     *pgxpool.Pool
	Denials  *Denials
	Sessions *session.Store
	Now      func() time.Time
}

// Clean ends the person's sessions and denies the tokens of grants that ended within a token's life.
func (c *Cleaner) Clean(ctx context.Context, person uuid.UUID) error { panic("unwritten") }

// CleanRecent does it for everyone whose sign-ins ended within a token's life; called before the doors open.
func (c *Cleaner) CleanRecent(ctx context.Context) error { panic("unwritten") }

// Denials is the deny list in Redis, by grant, read wherever an access token is shown to us.
type Denials struct{}

// NewDenials keeps entries as long as an access token can live.
func NewDenials(client redis.UniversalClient, keep time.Duration) *Denials { panic("unwritten") }

// Deny refuses the access tokens of grants.
func (d *Denials) Deny(ctx context.Context, gids ...uuid.UUID) error { panic("unwritten") }

// Denied tells whether the grant's access tokens are refused.
func (d *Denials) Denied(ctx context.Context, gid uuid.UUID) (bool, error) { panic("unwritten") }
