package identity

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/place"
	"asoba.example/provider/audit"
)

// warn tells the citizen what was done, as notify does, with a link that blocks the identifier. It signs nobody in: who gets used to
// following it loses nothing by it, and who follows a thief's finds no field to fill.
func (r *Registry) warn(ctx context.Context, tx pgx.Tx, person uuid.UUID, phone Phone, word string, act Act) error {
	link, err := r.link(ctx, tx, person, word, act)
	if err != nil {
		return err
	}
	return r.tell(ctx, tx, person, phone, word, link, act)
}

// link makes the link of a warning.
func (r *Registry) link(ctx context.Context, tx pgx.Tx, person uuid.UUID, word string, act Act) (string, error) {
	const tidy = `DELETE FROM not_me WHERE person_id = $1 AND till <= $2`
	const insert = `
		INSERT INTO not_me (token_hash, person_id, till, taken, word, warned_at, agent, place)
		VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8::jsonb, '{}'))`
	token := rand.Text() // 128 bits: nobody guesses it, so nobody counts tries (ASVS 5.0 6.5.2)
	if _, err := tx.Exec(ctx, tidy, person, act.At); err != nil {
		return "", fmt.Errorf("forget old links of %s: %w", person, err)
	}
	if _, err := tx.Exec(ctx, insert, tokenHash(token), person, act.At.Add(r.notMeFor()), takes(word), word, act.At, act.Agent, act.Where); err != nil {
		return "", fmt.Errorf("keep a link of %s: %w", person, err)
	}
	return r.notMe(token), nil
}

// notMe is the link that has a token.
func (r *Registry) notMe(token string) string { return r.issuer + "/not-me/" + token }

// OfferBlock tells whoever has a person's phone of a link that blocks, once a day at most, in the transaction that sends the last code to block: strangers
// have asked for too many. The work is the same where it is told already, and for the zero Identity: then the message goes nowhere.
func (r *Registry) OfferBlock(ctx context.Context, tx pgx.Tx, to Identity, act Act) error {
	const word = "sms.block_offered"
	const insert = `
		INSERT INTO not_me (token_hash, person_id, till, taken, word, warned_at, agent, place)
		SELECT $1, person_id, $3, false, $4, $5, $6, coalesce($7::jsonb, '{}')
		FROM identity
		WHERE person_id = $2 AND NOT EXISTS (
			SELECT FROM not_me n WHERE n.person_id = $2 AND n.word = $4 AND n.warned_at > $8)`
	token, aDayAgo := rand.Text(), act.At.Add(-24*time.Hour)
	tag, err := tx.Exec(ctx, insert, tokenHash(token), to.Person, act.At.Add(r.notMeFor()), word, act.At, act.Agent, act.Where, aDayAgo)
	if err != nil {
		return fmt.Errorf("keep a link of %s: %w", to.Person, err)
	}
	if tag.RowsAffected() == 0 {
		to.Phone = Phone{}
	}
	return r.tell(ctx, tx, to.Person, to.Phone, word, r.notMe(token), act)
}

// Proofs of a block by which whoever asks need not know the password.
const (
	ByCode    = "code"
	byWarning = "warning"
)

// mayBeTaken tells of an identity whether a warning of such an act stands at a moment, which a parameter of the statement gives.
func mayBeTaken(at string) string {
	return `EXISTS (SELECT FROM not_me n WHERE n.person_id = identity.person_id AND n.taken AND n.till > ` + at + `)`
}

// takes tells an act by which whoever did it in the citizen's place has all that lifts a block, and the citizen has it no more.
func takes(word string) bool {
	return word == "sms.password_recovered" || word == "sms.unblocked" || word == "sms.phone_changed"
}

func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// A Warning is what somebody was warned of.
type Warning struct {
	Word  string // of the message
	At    time.Time
	Agent string      // of who did it: "Firefox, Linux"
	Place place.Place // approximately
}

// Warned tells, by the token of a warning, what it was of, and nothing of whom. ErrUnknown is as in NotMe.
func (r *Registry) Warned(ctx context.Context, token string, now time.Time) (Warning, error) {
	const read = `SELECT word, warned_at, agent, place FROM not_me WHERE token_hash = $1 AND till > $2 AND used_at IS NULL`
	var found Warning
	err := r.pool.QueryRow(ctx, read, tokenHash(token), now).Scan(&found.Word, &found.At, &found.Agent, &found.Place)
	if errors.Is(err, pgx.ErrNoRows) {
		err = ErrUnknown
	}
	if err != nil {
		return Warning{}, fmt.Errorf("read a warning: %w", err)
	}
	return found, nil
}

// pressTwice is how soon after a press that blocks another is taken for the same.
const pressTwice = time.Minute

// BlockedBefore tells, by the token of a warning that does not block, whether what is asked for is so: it has blocked just now, or it was never used
// and the identifier is blocked by something else. Of one that was used it tells nothing of what has become of the identifier since.
func (r *Registry) BlockedBefore(ctx context.Context, token string, now time.Time) (before bool, err error) {
	const read = `
		SELECT EXISTS (
			SELECT FROM not_me JOIN identity USING (person_id)
			WHERE token_hash = $1 AND till > $2 AND (used_at > $3 OR used_at IS NULL AND state = 'blocked'))`
	if err := r.pool.QueryRow(ctx, read, tokenHash(token), now, now.Add(-pressTwice)).Scan(&before); err != nil {
		return false, fmt.Errorf("read whether a warning has led to a block: %w", err)
	}
	return before, nil
}

// NotMe blocks the identifier of whoever was warned, by the token of a warning (Self). Where there was a warning that the identifier may have been
// taken, no password is left that would lift the block: only the desk does. ErrUnknown says that there is no such token, or that
// it is over or used; ErrState that the identifier is not in use: blocked already, or not activated.
func (r *Registry) NotMe(ctx context.Context, token string, act Act) error {
	const find = `SELECT person_id FROM not_me WHERE token_hash = $1 AND till > $2 AND used_at IS NULL`
	const use = `UPDATE not_me SET used_at = $2 WHERE token_hash = $1 AND used_at IS NULL`
	hash := tokenHash(token)
	var person uuid.UUID
	err := r.pool.QueryRow(ctx, find, hash, act.At).Scan(&person)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("block by a warning: %w", ErrUnknown)
	}
	if err != nil {
		return fmt.Errorf("block by a warning: %w", err)
	}
	act.By = byWarning
	act.Within = func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, use, hash, act.At)
		if err == nil && tag.RowsAffected() == 0 { // by somebody else at the same moment
			err = ErrUnknown
		}
		return err
	}
	err = r.Block(ctx, person, Self, act)
	if errors.Is(err, ErrState) {
		err = r.voidBlocked(ctx, person, act)
	}
	return err
}

// voidBlocked leaves no password to an identifier that its citizen has blocked already, by a warning that it may have been taken.
func (r *Registry) voidBlocked(ctx context.Context, person uuid.UUID, act Act) error {
	void := `
		UPDATE identity SET password_hash = NULL, changed_at = $2
		WHERE person_id = $1 AND state = 'blocked' AND block_reason = 'self' AND password_hash IS NOT NULL AND ` + mayBeTaken("$2")
	err := pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		if err := act.Within(ctx, tx); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, void, person, act.At)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrState
		}
		event := act.event(audit.IdentifierBlocked, person)
		event.Detail = map[string]string{"reason": string(Self), "by": act.By}
		return audit.Record(ctx, tx, event)
	})
	if err != nil {
		return fmt.Errorf("leave no password to %s: %w", person, err)
	}
	return nil
}
