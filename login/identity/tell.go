package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// TellOfBrowser puts the warning that somebody signed in at a browser that was not known into the transaction of that sign-in. One goes in a
// while: whoever signs in at many has told the person by the first, and shall not bury them in messages.
func (r *Registry) TellOfBrowser(ctx context.Context, tx pgx.Tx, person uuid.UUID, while time.Duration, act Act) error {
	const take = `
		UPDATE identity SET browser_told_at = $2
		WHERE person_id = $1 AND (browser_told_at IS NULL OR browser_told_at <= $3)
		RETURNING phone`
	var sealed []byte
	err := tx.QueryRow(ctx, take, person, act.At, act.At.Add(-while)).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("tell %s of a browser: %w", person, err)
	}
	phone, err := OpenPhone(r.box, person, sealed)
	if err != nil {
		return err
	}
	return r.warn(ctx, tx, person, phone, "sms.new_browser", act)
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
