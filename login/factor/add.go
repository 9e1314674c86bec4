package factor

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/provider/audit"
)

// Invite gives what the browser is asked to make a passkey by: PublicKeyCredentialCreationOptionsJSON. The answer is
// good on the same occasion, once.
func (p *Passkeys) Invite(ctx context.Context, who identity.Identity, occasion string) (string, error) {
	bound, err := p.rows(ctx, who.Person)
	if err != nil {
		return "", err
	}
	var known []protocol.CredentialDescriptor
	for _, w := range bound {
		c, err := p.open(w)
		if err != nil {
			return "", err
		}
		known = append(known, protocol.CredentialDescriptor{
			Type: protocol.PublicKeyCredentialType, CredentialID: w.CredentialID, Transport: c.Transports,
		})
	}
	invitation, _, err := p.party.BeginRegistration(p.holder(who), webauthn.WithExclusions(known),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.Challenge = p.challenge(occasion)
			return nil
		})
	if err != nil {
		return "", fmt.Errorf("invite a passkey: %w", err)
	}
	asked, err := json.Marshal(invitation.Response)
	return string(asked), err
}

// holder is somebody who is to have a passkey. Beside it the device shows the identifier masked: lists of passkeys are
// kept by others.
func (p *Passkeys) holder(who identity.Identity) holder {
	return holder{handle: p.handle(who.Person), name: who.Identifier.String()}
}

// Add binds the passkey that answers an invitation, under the name that the person gives it, and tells the phone.
// ErrWrong says that the answer is not right, that this passkey is bound already, or that there are too many;
// identity.ErrState that the identifier is not Active, or was acted upon since who was read. Whether the person came by
// the strongest factor they have is for the caller to see to.
func (p *Passkeys) Add(ctx context.Context, who identity.Identity, occasion, answer, name string, act identity.Act) error {
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return ErrWrong
	}
	challenge := parsed.Response.CollectedClientData.Challenge
	if _, err := p.spend(ctx, occasion, challenge); err != nil {
		return err
	}
	made, err := p.party.CreateCredential(p.holder(who), webauthn.SessionData{
		Challenge: challenge, UserID: p.handle(who.Person), UserVerification: protocol.VerificationRequired,
		CredParams: webauthn.CredentialParametersDefault(),
	}, parsed)
	if err != nil {
		return ErrWrong
	}
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	sealed, err := p.seal(id, credential{
		Person: who.Person, Name: name, PublicKey: made.PublicKey, Synced: made.Flags.BackupEligible, Transports: made.Transport,
	})
	if err != nil {
		return fmt.Errorf("add a passkey: %w", err)
	}
	// A credential is bound once, whoever would bind it again (WebAuthn §7.1).
	const insert = `
		INSERT INTO passkey (id, person_id, credential_id, credential, sign_count, added_at)
		SELECT $1, $2, $3, $4, $5, $6
		WHERE (SELECT count(*) FROM passkey WHERE person_id = $2) < $7
		ON CONFLICT (credential_id) DO NOTHING`
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if err := hold(ctx, tx, who); err != nil {
			return fmt.Errorf("add a passkey: %w", err)
		}
		tag, err := tx.Exec(ctx, insert, id, who.Person, made.ID, sealed, made.Authenticator.SignCount, act.At, Most)
		if err != nil {
			return fmt.Errorf("add a passkey: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return ErrWrong
		}
		if err := audit.Record(ctx, tx, event(audit.PasskeyAdded, who.Person, "", act)); err != nil {
			return err
		}
		return p.registry.Tell(ctx, tx, who.Person, "sms.passkey_added", act)
	})
}
