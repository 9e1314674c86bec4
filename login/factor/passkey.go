package factor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/grant"
)

// Most is how many passkeys a person may have.
const Most = 10

// Passkeys keeps the passkeys of people.
type Passkeys struct {
	room
	jobs    grant.Jobs
	cleaner *grant.Cleaner
	party   *webauthn.WebAuthn
	waits   time.Duration // a page, for its answer
	key     []byte        // of challenges and handles
}

func newPasskeys(c Config, r room) (*Passkeys, error) {
	host := r.site
	if protocol.ValidateRPID(host) != nil {
		host = "no.passkeys.invalid" // a passkey is bound to a domain (WebAuthn §5.1.3): at an address browsers refuse, and all else works
	}
	party, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: host, RPOrigins: []string{c.Issuer}, // browsers show the name no more (§5.4.1)
		AttestationPreference: protocol.PreferNoAttestation,
		// Password managers answer with extensions that nobody asked for; they mean nothing here (§7.1).
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: new(true),
			UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, err
	}
	key, err := c.Box.Key("passkeys")
	if err != nil {
		return nil, err
	}
	return &Passkeys{r, c.Jobs, c.Cleaner, party, c.Waits, key}, nil
}

// A Passkey as its person sees it.
type Passkey struct {
	ID      uuid.UUID
	Name    string // as the person calls it
	AddedAt time.Time
	UsedAt  *time.Time
}

// A credential is what is kept sealed of a passkey.
type credential struct {
	Person     uuid.UUID // so that a row proves nothing in another's place
	Name       string
	PublicKey  []byte                            // COSE
	Synced     bool                              // the device hands it on to others of its user (WebAuthn §6.1.3)
	Transports []protocol.AuthenticatorTransport // by which it can be reached
}

// A row is a passkey as it is kept.
type row struct {
	ID           uuid.UUID
	PersonID     uuid.UUID
	CredentialID []byte
	Credential   []byte
	SignCount    int64
	AddedAt      time.Time
	UsedAt       *time.Time
}

const columns = `k.id, k.person_id, k.credential_id, k.credential, k.sign_count, k.added_at, k.used_at`

func place(id uuid.UUID) string { return "passkey:credential:" + id.String() }

func (p *Passkeys) seal(id uuid.UUID, c credential) ([]byte, error) {
	plain, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return p.box.Seal(place(id), plain)
}

func (p *Passkeys) open(w row) (credential, error) {
	plain, err := p.box.Open(place(w.ID), w.Credential)
	var c credential
	if err == nil {
		err = json.Unmarshal(plain, &c)
	}
	if err == nil && c.Person != w.PersonID {
		err = errors.New("it is another's")
	}
	if err != nil {
		return credential{}, fmt.Errorf("open passkey %s: %w", w.ID, err)
	}
	return c, nil
}

// List gives a person's passkeys, the eldest first.
func (p *Passkeys) List(ctx context.Context, person uuid.UUID) ([]Passkey, error) {
	rows, err := p.rows(ctx, person)
	if err != nil {
		return nil, err
	}
	all := make([]Passkey, len(rows))
	for i, w := range rows {
		c, err := p.open(w)
		if err != nil {
			return nil, err
		}
		all[i] = Passkey{w.ID, c.Name, w.AddedAt, w.UsedAt}
	}
	return all, nil
}

func (p *Passkeys) rows(ctx context.Context, person uuid.UUID) ([]row, error) {
	const list = `
		SELECT ` + columns + `
		FROM passkey k WHERE k.person_id = $1 ORDER BY k.added_at, k.id`
	rows, _ := p.pool.Query(ctx, list, person)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		return nil, fmt.Errorf("list passkeys: %w", err)
	}
	return all, nil
}

// A holder is a person as the library asks about them.
type holder struct {
	handle      []byte
	name        string
	credentials []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return h.handle }
func (h holder) WebAuthnName() string                       { return h.name }
func (h holder) WebAuthnDisplayName() string                { return h.name }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// handle is by what an authenticator knows a person: it means nothing elsewhere (WebAuthn §14.6.1), and since nobody
// else can reckon it, an answer that bears it is of a passkey that was bound here to this person.
func (p *Passkeys) handle(person uuid.UUID) []byte { return p.mac("handle", person.String()) }
