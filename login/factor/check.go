package factor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/provider/grant"
)

// Ask gives what the browser is asked to use a passkey by: PublicKeyCredentialRequestOptionsJSON, which names nobody.
// The answer is good on the same occasion, once.
func (p *Passkeys) Ask(occasion string) (string, error) {
	question, _, err := p.party.BeginDiscoverableLogin(webauthn.WithChallenge(p.challenge(occasion)))
	if err != nil {
		return "", fmt.Errorf("ask for a passkey: %w", err)
	}
	asked, err := json.Marshal(question.Response)
	return string(asked), err
}

// Check proves who answered. ErrWrong says nothing more: not whether there is such a passkey, or whether its person's
// identifier is blocked; Proof.Person then is whose passkey was tried, if anybody's.
//
// A counter that goes back says that there are two of a key that cannot be copied by those who own it (WebAuthn §6.1.1).
// One of them is a thief's and we cannot tell which, so it lets neither in: the passkey is removed, and every sign-in so
// far ends.
func (p *Passkeys) Check(ctx context.Context, purpose Purpose, occasion, answer string, act identity.Act) (Proof, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return Proof{}, ErrWrong
	}
	challenge := parsed.Response.CollectedClientData.Challenge
	answered, err := p.spend(ctx, occasion, challenge)
	if err != nil {
		return Proof{}, err
	}
	w, changed, err := p.find(ctx, purpose, parsed.RawID, answered)
	if err != nil {
		return Proof{}, err
	}
	c, err := p.open(w)
	if err != nil {
		return Proof{}, err
	}
	who := holder{handle: p.handle(w.PersonID), credentials: []webauthn.Credential{{
		ID: w.CredentialID, PublicKey: c.PublicKey, Flags: webauthn.CredentialFlags{BackupEligible: c.Synced},
		Authenticator: webauthn.Authenticator{SignCount: uint32(w.SignCount)},
	}}}
	_, used, err := p.party.ValidatePasskeyLogin(
		func(_, _ []byte) (webauthn.User, error) { return who, nil },
		webauthn.SessionData{Challenge: challenge, UserVerification: protocol.VerificationRequired}, parsed)
	if err != nil {
		return Proof{Person: w.PersonID}, ErrWrong
	}
	if used.Authenticator.CloneWarning {
		if err := p.cloned(ctx, w, act); err != nil {
			return Proof{}, err
		}
		return Proof{Person: w.PersonID}, ErrWrong
	}
	return Proof{w.PersonID, changed, ByPasskey, func(ctx context.Context, tx pgx.Tx, act identity.Act) error {
		const use = `
			WITH used AS (
				UPDATE passkey SET sign_count = $3, used_at = $4 WHERE id = $1 AND sign_count = $2
				RETURNING id
			), over AS (
				DELETE FROM passkey_answer WHERE passkey_id = $1 AND till <= $4
			)
			INSERT INTO passkey_answer (passkey_id, challenge, till)
			SELECT id, $5, $6 FROM used
			ON CONFLICT DO NOTHING`
		tag, err := tx.Exec(ctx, use, w.ID, w.SignCount, used.Authenticator.SignCount, act.At, answered.digest, answered.till)
		return once(tag, err)
	}}, nil
}

// find gives a passkey of somebody whose identifier stands as the purpose needs; others have none. One that was used by the same answer is not
// found: sent once more it would look like that of a copy.
func (p *Passkeys) find(ctx context.Context, purpose Purpose, credentialID []byte, answered spent) (w row, changed time.Time, err error) {
	const find = `
		SELECT ` + columns + `, i.changed_at
		FROM passkey k JOIN identity i ON i.person_id = k.person_id
		WHERE k.credential_id = $1 AND concat_ws(':', i.state, i.block_reason) = $2
		AND NOT EXISTS (SELECT FROM passkey_answer a WHERE a.passkey_id = k.id AND a.challenge = $3)`
	err = p.pool.QueryRow(ctx, find, credentialID, purpose.stance(), answered.digest).Scan(
		&w.ID, &w.PersonID, &w.CredentialID, &w.Credential, &w.SignCount, &w.AddedAt, &w.UsedAt, &changed)
	if errors.Is(err, pgx.ErrNoRows) {
		return row{}, time.Time{}, ErrWrong
	}
	if err != nil {
		return row{}, time.Time{}, fmt.Errorf("find a passkey: %w", err)
	}
	return w, changed, nil
}

func (p *Passkeys) cloned(ctx context.Context, w row, act identity.Act) error {
	err := pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if err := p.remove(ctx, tx, w.PersonID, w.ID, "cloned", act); err != nil {
			return err
		}
		return grant.End(ctx, tx, p.jobs, w.PersonID, grant.Cloned, act.At)
	})
	if err != nil {
		return fmt.Errorf("end a passkey of which there are two: %w", err)
	}
	_ = p.cleaner.Clean(ctx, w.PersonID) // they are refused already, and the job in the transaction cleans
	return nil
}
