package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// TellOfBrowser puts the warning that somebody signed in at a browser that was not known into the transaction of that sign-in. One goes at once;
// all that come within a while of it are told by one more at its end: whoever signs in at many shall not bury the person in messages, nor hide
// behind the first.
func (r *Registry) TellOfBrowser(ctx context.Context, tx pgx.Tx, person uuid.UUID, while time.Duration, act Act) error {
	const take = `
		UPDATE identity SET browser_told_at = CASE WHEN browser_told_at > $3 THEN browser_told_at + $4 ELSE $2 END
		WHERE person_id = $1 AND coalesce(browser_told_at <= $2, true)
		RETURNING phone, browser_told_at`
	var (
		sealed []byte
		told   time.Time
	)
	err := tx.QueryRow(ctx, take, person, act.At, act.At.Add(-while), while).Scan(&sealed, &told)
	if errors.Is(err, pgx.ErrNoRows) { // it is told by one that waits
		return nil
	}
	if err != nil {
		return fmt.Errorf("tell %s of a browser: %w", person, err)
	}
	phone, err := OpenPhone(r.box, person, sealed)
	if err != nil {
		return err
	}
	if !told.After(act.At) {
		return r.warn(ctx, tx, person, phone, "sms.new_browser", act)
	}
	const word = "sms.new_browsers"
	link, err := r.link(ctx, tx, person, word, act)
	if err != nil {
		return err
	}
	return r.tell(ctx, tx, person, phone, word, link, Act{At: told, Due: told.Add(-while), Language: act.Language})
}

// Tell puts a warning for a person's phone into the transaction of another room's act.
func (r *Registry) Tell(ctx context.Context, tx pgx.Tx, person uuid.UUID, word string, act Act) error {
	const read = `SELECT phone FROM identity WHERE person_id = $1`
	var sealed []byte
	if err := tx.QueryRow(ctx, read, person).Scan(&sealed); err != nil {
		return fmt.Errorf("tell %s: %w", person, err)
	}
	phone, err := OpenPhone(r.box, person, sealed)
	if err != nil {
		return err
	}
	return r.warn(ctx, tx, person, phone, word, act)
}
