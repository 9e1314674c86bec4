package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/register"
	"asoba.example/login/sms"
	"asoba.example/provider/audit"
	"asoba.example/provider/seal"
)

// Codes sends and checks the code that confirms a phone; code.Codes is one.
type Codes interface {
	Send(ctx context.Context, p code.Purpose, person uuid.UUID, occasion string, phone identity.Phone, language string) (code.Sent, error)
	Check(ctx context.Context, p code.Purpose, person uuid.UUID, occasion, code string) error
}

// Config is what a Desk needs.
type Config struct {
	Pool     *pgxpool.Pool
	Box      *seal.Box
	Registry *identity.Registry
	Codes    Codes
	Outbox   *sms.Outbox
	Policies *policy.Policies
	Now      func() time.Time
}

// A Desk serves people, by its clerks.
type Desk struct {
	pool     *pgxpool.Pool
	box      *seal.Box
	registry *identity.Registry
	codes    Codes
	outbox   *sms.Outbox
	policies *policy.Policies
	now      func() time.Time
}

// New makes a Desk.
func New(cfg Config) (*Desk, error) {
	if cfg.Pool == nil || cfg.Box == nil || cfg.Registry == nil || cfg.Codes == nil || cfg.Outbox == nil || cfg.Now == nil {
		return nil, errors.New("desk: the config is not complete")
	}
	return &Desk{
		pool: cfg.Pool, box: cfg.Box, registry: cfg.Registry, codes: cfg.Codes, outbox: cfg.Outbox, policies: cfg.Policies, now: cfg.Now,
	}, nil
}

// A Visit is what somebody has come with.
type Visit struct {
	Identifier identity.Identifier
	Document   identity.Document // zero where it is not one that is accepted
	Attested   []Attestation
	Basis      identity.Basis
	Language   string // of the messages to the phone
}

// Block blocks the identifier on the person's application (resolution 792 ¶6).
func (d *Desk) Block(ctx context.Context, by By, v Visit) error {
	_, err := d.serve(ctx, by, v, "block", forBlocking(), func(person uuid.UUID, act identity.Act) error {
		return d.registry.Block(ctx, person, identity.Desk, act)
	})
	return err
}

// Unblock lifts a block on the person's application; a new temporary password goes out (¶6, ¶7).
func (d *Desk) Unblock(ctx context.Context, by By, v Visit) (sms.State, error) {
	person, err := d.serve(ctx, by, v, "unblock", forServing(), func(person uuid.UUID, act identity.Act) error {
		return d.registry.Unblock(ctx, person, act)
	})
	return d.sent(ctx, person), err
}

// Reissue sends another temporary password, where the earlier one was lost or is over.
func (d *Desk) Reissue(ctx context.Context, by By, v Visit) (sms.State, error) {
	person, err := d.serve(ctx, by, v, "reissue", forServing(), func(person uuid.UUID, act identity.Act) error {
		return d.registry.Reissue(ctx, person, act)
	})
	return d.sent(ctx, person), err
}

// serve does an act upon somebody's identifier, under guards, and keeps its paper.
func (d *Desk) serve(ctx context.Context, by By, v Visit, kind string, gs guards, do func(uuid.UUID, identity.Act) error) (uuid.UUID, error) {
	at := d.now()
	person, err := register.Find(ctx, d.pool, v.Identifier.Reveal())
	if err != nil {
		return uuid.Nil, err
	}
	act := by.act(at, v.Language)
	act.Within = func(ctx context.Context, tx pgx.Tx) error {
		held, err := register.Hold(ctx, tx, v.Identifier.Reveal())
		if err != nil {
			return err
		}
		if err := gs.check(facts{at: at, by: by, person: held, document: v.Document}); err != nil {
			return err
		}
		return d.keepPaper(ctx, tx, held.ID, kind, by, v, at)
	}
	return person.ID, d.record(ctx, do(person.ID, act), by, person.ID, kind, at)
}

// keepPaper keeps what an act rests on.
func (d *Desk) keepPaper(ctx context.Context, tx pgx.Tx, person uuid.UUID, kind string, by By, v Visit, at time.Time) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	sealed, err := d.seal(place("desk_act", id), presented{Document: document(v.Document)})
	if err != nil {
		return err
	}
	const insert = `
		INSERT INTO desk_act (id, person_id, kind, presented, attested, basis_number, basis_date, clerk_id, office, client_id, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	if _, err := tx.Exec(ctx, insert, id, person, kind, sealed, v.Attested, v.Basis.Number, v.Basis.Date,
		by.Person, by.Office, by.ClientID, at); err != nil {
		return fmt.Errorf("keep the paper of a %s: %w", kind, err)
	}
	return nil
}

// record records a refusal, for its own transaction has taken everything back.
// The error stays what it is.
func (d *Desk) record(ctx context.Context, err error, by By, person uuid.UUID, what string, at time.Time) error {
	var refusal *GuardError
	if !errors.As(err, &refusal) {
		return err
	}
	event := audit.Event{
		Kind: audit.DeskRefused, At: at, Person: person, Clerk: by.Person, Office: by.Office, ClientID: by.ClientID,
		Detail: map[string]string{"code": refusal.Code, "act": what},
	}
	if err := audit.Record(ctx, d.pool, event); err != nil {
		return err
	}
	return err
}

// sent tells how it stands with the temporary password that an act has just sent.
// The act is done whatever comes of the question.
func (d *Desk) sent(ctx context.Context, person uuid.UUID) sms.State {
	state, err := d.outbox.Last(ctx, person, identity.TemporaryPasswordMessage)
	if err != nil {
		return sms.Queued // as it was when the act was committed
	}
	return state
}
