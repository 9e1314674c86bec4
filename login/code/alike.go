package code

import (
	"context"
	"crypto/rand"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider/audit"
)

// Alias stands for a number that somebody has typed who may be anybody. Codes are counted and kept by it as by a person, so how things
// stand with them tells nothing of whether the number is anybody's, or whether its person was sent others.
func (c *Codes) Alias(number string) uuid.UUID {
	alias, _ := uuid.Parse(c.mac("number", number)) // sixteen bytes in hexadecimal digits are one
	return alias
}

// SendAlike sends a code that was asked for by a number, whose alias f bears: to whose it is, or to nobody where none may go, which is the
// zero Identity. Either way the work is the same, but only a code that was sent can ever be right. One that goes to nobody is on record unless it is
// one too many. What within does, if there is one, is done as in Send.
func (c *Codes) SendAlike(
	ctx context.Context, f For, to identity.Identity, language string, tooMany bool, within func(context.Context, pgx.Tx) error,
) (Sent, error) {
	code, err := random(policy.CodeDigits.In(c.Policies))
	if err != nil {
		return Sent{}, err
	}
	l := letter{
		message: identity.Message{Person: to.Person, Phone: to.Phone, Text: c.Say(language, words[f.Purpose], map[string]any{"Code": code})},
		event:   audit.Event{Kind: audit.CodeSent, Person: to.Person},
		tooMany: tooMany,
		within:  within,
	}
	if to.Phone == (identity.Phone{}) {
		code = rand.Text() // nobody types that
		l.event.Kind = audit.CodeWithheld
	}
	return c.deliver(ctx, f, code, l)
}

// KeepAlike does something within a transaction and keeps it or takes it back, by the same work.
func KeepAlike(ctx context.Context, tx pgx.Tx, keep bool, do func(pgx.Tx) error) error {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	if err := do(inner); err != nil {
		return err
	}
	if keep {
		return inner.Commit(ctx)
	}
	return inner.Rollback(ctx)
}
