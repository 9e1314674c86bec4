package grant

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrUnknown says that there is no such refresh token.
var ErrUnknown = errors.New("no such refresh token")

// Give queues the giving: the grant, the digest of its first refresh token (nil for none) and the record GrantGiven, which stand
// or fall together in the batch's implicit transaction. The person's identity row is locked FOR SHARE, so that a block comes before
// or after; given is false, and nothing is written, if the identifier is not active or the sign-in at AuthTime was ended.
// A grant that Forestall ended before it was given stays ended and counts as given: its tokens are dead when they arrive.
func Give(b *pgx.Batch, g Grant, refresh []byte, given *bool) { panic("unwritten") }

// Forestall ends a grant because its code came a second time, whether the first has led to the grant's row yet or not:
// where there is none it is written as ended. It records GrantEnded once, in the caller's transaction.
func Forestall(ctx context.Context, tx pgx.Tx, jobs Jobs, g Grant, at time.Time) error {
	panic("unwritten")
}

// A Refresh is a refresh token as it stands.
type Refresh struct {
	Grant Grant
	Ended bool // the grant is over
	Used  bool // another token was given in its place
	Till  time.Time
}

// FindRefresh gives a refresh token by digest, or ErrUnknown. It decides nothing.
func FindRefresh(ctx context.Context, pool *pgxpool.Pool, digest []byte) (Refresh, error) {
	panic("unwritten")
}

// Renew queues the use of a refresh token: what Give asks of the person is asked again, the grant must not be over. With next, the
// digest of the token that takes its place, the old one must be unused and is marked used by compare-and-set (of two at once one has
// renewed false); without, the token stays.
func Renew(b *pgx.Batch, r Refresh, digest, next []byte, at time.Time, renewed *bool) {
	panic("unwritten")
}

// EndSession ends the grants of one browser session when the person signs out there, but for those with offline_access (OpenID
// Connect Core §11), and records SignedOut, in the caller's transaction. After commit the caller denies the grants that come back.
func EndSession(ctx context.Context, tx pgx.Tx, jobs Jobs, sid string, why Why, at time.Time) ([]uuid.UUID, error) {
	panic("unwritten")
}
