package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// SignIn counts a sign-in in the transaction that begins it, and gives the time
// that it bears as auth_time. ErrState says that the identifier is not Active, or
// was acted upon since changed, its ChangedAt when the person was proved: a
// password takes its time to be checked, and who changes it meanwhile has shut the
// door before the session begins, not behind it.
//
// Tokens tell that time in whole seconds (OpenID Connect Core §2), and whatever is
// not later than the end of the sign-ins before is worth nothing: so within the
// second of that end it is the next one. It never goes back, whatever the clock of
// the node. first tells that there was none before.
func SignIn(ctx context.Context, tx pgx.Tx, person uuid.UUID, changed, at time.Time) (authTime time.Time, first bool, err error) {
	const count = `
		WITH before AS (SELECT signed_in_at FROM identity WHERE person_id = $1)
		UPDATE identity SET signed_in_at = greatest($2, identity.signed_in_at,
			(SELECT date_trunc('second', ended.at) + interval '1 second' FROM ended WHERE ended.person_id = $1))
		FROM before
		WHERE person_id = $1
		RETURNING identity.signed_in_at, before.signed_in_at IS NULL`

	state, now, err := Hold(ctx, tx, person)
	if err != nil {
		return time.Time{}, false, err
	}
	if state != Active || !now.Equal(changed) {
		return time.Time{}, false, fmt.Errorf("sign in %s: %w", person, ErrState)
	}
	if err := tx.QueryRow(ctx, count, person, at).Scan(&authTime, &first); err != nil {
		return time.Time{}, false, fmt.Errorf("sign in %s: %w", person, err)
	}
	return authTime, first, nil
}
