package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// warn tells the citizen what was done, as notify does, with a link that blocks the identifier. It signs nobody in: who gets used to
// following it loses nothing by it, and who follows a thief's finds no field to fill.
func (r *Registry) warn(ctx context.Context, tx pgx.Tx, person uuid.UUID, phone Phone, word string, act Act) error {
	const tidy = `DELETE FROM not_me WHERE person_id = $1 AND till <= $2`
	const insert = `INSERT INTO not_me (token_hash, person_id, till, taken) VALUES ($1, $2, $3, $4)`
	token := rand.Text() // 128 bits: nobody guesses it, so nobody counts tries (ASVS 5.0 6.5.2)
	if _, err := tx.Exec(ctx, tidy, person, act.At); err != nil {
		return fmt.Errorf("forget old links of %s: %w", person, err)
	}
	if _, err := tx.Exec(ctx, insert, tokenHash(token), person, act.At.Add(r.notMeFor()), takes(word)); err != nil {
		return fmt.Errorf("keep a link of %s: %w", person, err)
	}
	return r.tell(ctx, tx, person, phone, word, r.issuer+"/not-me/"+token, act)
}

// takes tells an act by which whoever did it in the citizen's place has all that lifts a block, and the citizen has it no more.
func takes(word string) bool {
	return word == "sms.password_recovered" || word == "sms.unblocked" || word == "sms.phone_changed"
}

func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// NotMe blocks the identifier of whoever was warned, by the token of a warning (Self). Where there was a warning that the identifier may have been
// taken, no password is left that would lift the block: only the desk does. ErrUnknown says that there is no such token, or that
// it is over or used; ErrState that the identifier is not in use: blocked already, or not activated.
func (r *Registry) NotMe(ctx context.Context, token string, act Act) error {
	const find = `SELECT person_id FROM not_me WHERE token_hash = $1 AND till > $2 AND used_at IS NULL`
	const use = `UPDATE not_me SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL`
	const void = `
		UPDATE identity SET password_hash = NULL
		WHERE person_id = $1 AND EXISTS (SELECT FROM not_me WHERE person_id = $1 AND taken AND till > $2)`
	hash := tokenHash(token)
	var person uuid.UUID
	err := r.pool.QueryRow(ctx, find, hash, act.At).Scan(&person)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("block by a warning: %w", ErrUnknown)
	}
	if err != nil {
		return fmt.Errorf("block by a warning: %w", err)
	}
	act.By = "warning"
	act.Within = func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, use, hash, act.At)
		if err == nil && tag.RowsAffected() == 0 { // by somebody else at the same moment
			err = ErrUnknown
		}
		if err == nil {
			_, err = tx.Exec(ctx, void, person, act.At)
		}
		return err
	}
	return r.Block(ctx, person, Self, act)
}
