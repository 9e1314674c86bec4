package factor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"asoba.example/login/identity"
	"asoba.example/provider/audit"
	"asoba.example/provider/grant"
	"asoba.example/provider/seal"
)

// ErrWrong says that an answer proves nothing, and no more than that.
var ErrWrong = errors.New("no right answer of a passkey")

// Most is how many passkeys a person may have.
const Most = 10

// methods are those of a passkey's use (RFC 8176 §2): a key, whose holder was there and was verified. That the key is
// kept in hardware (hwk) nobody could tell without an attestation, which we do not ask for: it would tell devices apart.
var methods = []string{"swk", "user", "mfa"}

// Methods are the amr of a sign-in by passkey, after the methods that came before it.
func Methods(before ...string) []string { return append(before, methods...) }

// Used tells from its amr whether a sign-in was by passkey.
func Used(amr []string) bool { return slices.Contains(amr, methods[0]) }

// Config is what Passkeys need. All of it.
type Config struct {
	Pool     *pgxpool.Pool
	Redis    redis.UniversalClient
	Box      *seal.Box
	Jobs     grant.Jobs
	Cleaner  *grant.Cleaner
	Registry *identity.Registry // tells the phone
	Issuer   string             // the site that passkeys are bound to
	Now      func() time.Time
}

// Passkeys keeps the passkeys of people.
type Passkeys struct {
	pool     *pgxpool.Pool
	redis    redis.UniversalClient
	box      *seal.Box
	jobs     grant.Jobs
	cleaner  *grant.Cleaner
	registry *identity.Registry
	party    *webauthn.WebAuthn
	key      []byte // of challenges and handles
	now      func() time.Time
}

// New makes Passkeys.
func New(c Config) (*Passkeys, error) {
	if c.Pool == nil || c.Redis == nil || c.Box == nil || c.Jobs == nil || c.Cleaner == nil || c.Registry == nil || c.Now == nil {
		return nil, errors.New("factor: the config is not complete")
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return nil, fmt.Errorf("factor: %w", err)
	}
	host := issuer.Hostname()
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
		return nil, fmt.Errorf("factor: %w", err)
	}
	key, err := c.Box.Key("passkeys")
	if err != nil {
		return nil, fmt.Errorf("factor: %w", err)
	}
	return &Passkeys{
		pool: c.Pool, redis: c.Redis, box: c.Box, jobs: c.Jobs, cleaner: c.Cleaner, registry: c.Registry, party: party, key: key, now: c.Now,
	}, nil
}

// A Passkey as its person sees it.
type Passkey struct {
	ID      uuid.UUID
	Name    string // as the person calls it
	AddedAt time.Time
	UsedAt  *time.Time
}

// Sealed are the columns of this room that hold what is sealed.
var Sealed = []seal.Column{{Table: "passkey", Name: "credential", Row: "id"}}

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

// removed records that a passkey is gone, and why where it was not the person who removed it.
func removed(person uuid.UUID, why string, act identity.Act) audit.Event {
	e := audit.Event{Kind: audit.PasskeyRemoved, At: act.At, Person: person, Agent: act.Agent}
	if why != "" {
		e.Detail = map[string]string{"why": why}
	}
	return e
}
