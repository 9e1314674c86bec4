package agreement

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider"
	"asoba.example/provider/audit"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/session"
)

// ErrEnded says that the sign-in is worth nothing any more, so nothing can be agreed to by it; or that the person is incapable.
var ErrEnded = errors.New("the sign-in was ended")

// An Agreement is what a person has agreed to release to one client, or was informed of.
type Agreement struct {
	ClientID string
	Scopes   []string
	Basis    string // clients.BasisConsent or clients.BasisOfficial
	GivenAt  time.Time
	Till     time.Time
}

// Config is what Agreements need.
type Config struct {
	Pool    *pgxpool.Pool
	Jobs    grant.Jobs
	Denials *grant.Denials
	For     func() time.Duration // how long an agreement is good
}

// Agreements keeps agreements. It is the provider's Consents.
type Agreements struct {
	cfg Config
}

var _ provider.Consents = (*Agreements)(nil)

// New makes Agreements.
func New(cfg Config) (*Agreements, error) {
	if cfg.Pool == nil || cfg.Jobs == nil || cfg.Denials == nil || cfg.For == nil {
		return nil, errors.New("agreement: a part is missing")
	}
	return &Agreements{cfg}, nil
}

// Term is when an agreement that is given now would end.
func (a *Agreements) Term(at time.Time) time.Time { return at.Add(a.cfg.For()) }

// Covers asks whether what the person agreed to, or was informed of, covers the scopes.
func (a *Agreements) Covers(b *pgx.Batch, person uuid.UUID, client *clients.Client, scopes []string, at time.Time, to *bool) {
	const covers = `
		SELECT NOT EXISTS (
			SELECT FROM unnest($3::text[]) AS asked (scope)
			WHERE NOT EXISTS (
				SELECT FROM agreement
				WHERE person_id = $1 AND client_id = $2 AND agreement.scope = asked.scope
				AND basis = $4 AND withdrawn_at IS NULL AND till > $5))`

	b.Queue(covers, person, client.ID, scopes, Basis(client), at).QueryRow(func(row pgx.Row) error { return row.Scan(to) })
}

// Basis is on what the client is given values; consent where it has not registered another.
func Basis(client *clients.Client) string {
	if client.Metadata.Basis == clients.BasisOfficial {
		return clients.BasisOfficial
	}
	return clients.BasisConsent
}

// Give keeps what the person who is signed in has agreed to, or was informed of. ErrEnded if the sign-in was ended
// since the page was shown.
func (a *Agreements) Give(ctx context.Context, s session.Session, client *clients.Client, scopes []string, at time.Time) error {
	// Locked by a statement of its own, as in grant.Give: a block that is under way comes first.
	const lock = `SELECT person_id FROM identity WHERE person_id = $1 FOR SHARE`

	const give = `
		INSERT INTO agreement (person_id, client_id, scope, basis, given_at, till)
		SELECT identity.person_id, $2, asked.scope, $4, $5, $6
		FROM identity JOIN person ON person.id = identity.person_id, (SELECT DISTINCT unnest($3::text[])) AS asked (scope)
		WHERE identity.person_id = $1 AND identity.state = 'active'
		AND ($4 = 'official' OR person.incapable_date IS NULL)
		AND NOT EXISTS (SELECT FROM ended WHERE ended.person_id = $1 AND ended.at >= $7)
		ON CONFLICT (person_id, client_id, scope) DO UPDATE
		SET basis = excluded.basis, given_at = excluded.given_at, till = excluded.till, withdrawn_at = NULL`

	basis := Basis(client)
	err := pgx.BeginFunc(ctx, a.cfg.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lock, s.Person); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, give, s.Person, client.ID, scopes, basis, at, a.Term(at), s.AuthTime)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return ErrEnded
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.AgreementGiven, At: at, Person: s.Person, ClientID: client.ID, SID: s.SID, ACR: s.ACR, Agent: s.Agent,
			Detail: map[string]string{"scope": strings.Join(scopes, " "), "basis": basis},
		})
	})
	if err != nil {
		return fmt.Errorf("give agreement: %w", err)
	}
	return nil
}

// Withdraw takes back what was agreed to for a client, and ends what the client was given by it. What an official
// basis gives is not the person's to withdraw.
func (a *Agreements) Withdraw(ctx context.Context, s session.Session, clientID string, at time.Time) error {
	const withdraw = `
		UPDATE agreement SET withdrawn_at = $3
		WHERE person_id = $1 AND client_id = $2 AND basis = 'consent' AND withdrawn_at IS NULL AND till > $3
		RETURNING scope`

	var ended []uuid.UUID
	err := pgx.BeginFunc(ctx, a.cfg.Pool, func(tx pgx.Tx) error {
		// The counterpart of the lock in grant.Give: a code that is being exchanged is either refused or ended.
		const lock = `SELECT person_id FROM identity WHERE person_id = $1 FOR NO KEY UPDATE`
		if _, err := tx.Exec(ctx, lock, s.Person); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, withdraw, s.Person, clientID, at)
		scopes, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || len(scopes) == 0 {
			return err // withdrawn already, or over: nothing happens twice
		}
		slices.Sort(scopes)
		err = audit.Record(ctx, tx, audit.Event{
			Kind: audit.AgreementWithdrawn, At: at, Person: s.Person, ClientID: clientID, SID: s.SID, ACR: s.ACR, Agent: s.Agent,
			Detail: map[string]string{"scope": strings.Join(scopes, " ")},
		})
		if err != nil {
			return err
		}
		ended, err = grant.EndClient(ctx, tx, a.cfg.Jobs, s.Person, clientID, grant.Withdrawn, at)
		return err
	})
	if err != nil {
		return fmt.Errorf("withdraw agreement: %w", err)
	}
	// The job that was queued denies them too; now means now.
	if err := a.cfg.Denials.Deny(ctx, ended...); err != nil {
		return fmt.Errorf("withdraw agreement: %w", err)
	}
	return nil
}

// List gives the person's agreements in force, by client.
func (a *Agreements) List(ctx context.Context, person uuid.UUID, at time.Time) ([]Agreement, error) {
	const list = `
		SELECT client_id, array_agg(scope ORDER BY scope) AS scopes, basis, max(given_at) AS given_at, max(till) AS till
		FROM agreement
		WHERE person_id = $1 AND withdrawn_at IS NULL AND till > $2
		GROUP BY client_id, basis
		ORDER BY max(given_at) DESC, client_id`

	rows, _ := a.cfg.Pool.Query(ctx, list, person, at)
	agreements, err := pgx.CollectRows(rows, pgx.RowToStructByName[Agreement])
	if err != nil {
		return nil, fmt.Errorf("list agreements: %w", err)
	}
	return agreements, nil
}
