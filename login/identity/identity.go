package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unique"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/register"
	"asoba.example/provider/seal"
)

// An Identity is a person's identifier and how it stands.
type Identity struct {
	Person        uuid.UUID
	Identifier    Identifier
	State         State
	BlockReason   BlockReason
	Phone         Phone // zero where another person has proved that it is theirs now
	Names         Names
	Passkey       bool      // there is one at least (factor)
	Authenticator bool      // there is one (factor)
	RecoveryCodes int       // how many are left (factor)
	PasswordTill  time.Time // the term of a temporary password
	IssuedAt      time.Time
	ChangedAt     time.Time // of the last act upon it
	FrozenTill    time.Time // after a recovery; zero where there was none
	ClosedTill    time.Time // till when a block of his own is not lifted at unknown browsers; zero where it is
}

// Expired tells a temporary password past its term.
func (i Identity) Expired(at time.Time) bool {
	return i.State == Temporary && !at.Before(i.PasswordTill)
}

// Closed tells that a block of the citizen's own is not lifted at unknown browsers: whoever knows the password has failed too often to prove
// more. It ends by itself, for nobody shall shut the citizen out by failing.
func (i Identity) Closed(at time.Time) bool { return at.Before(i.ClosedTill) }

// Frozen tells that the citizen himself does nothing grave yet: the password was recovered lately, and whoever did that in
// his place shall not be able to take the phone or the factors away as well. The desk can.
func (i Identity) Frozen(at time.Time) bool { return at.Before(i.FrozenTill) }

// Sealed are the columns of this room that hold what is sealed.
var Sealed = []seal.Column{
	{Table: "identity", Name: "phone", Row: "person_id"},
	{Table: "identity", Name: "names", Row: "person_id"},
	{Table: "identity", Name: "document", Row: "person_id"},
	{Table: "phone_change", Name: "phone", Row: "person_id"},
}

// Places of what is sealed, named table:column:row. Others who read a column by
// a query of their own open it with these.
func phonePlace(person uuid.UUID) string { return "identity:phone:" + person.String() }
func namesPlace(person uuid.UUID) string { return "identity:names:" + person.String() }
func documentPlace(person uuid.UUID) string {
	return "identity:document:" + person.String()
}

// A row is an identity as it is kept, with the person's number; every column of
// identity may be null, for people without an identifier.
type row struct {
	person          uuid.UUID
	number          string
	birthDate       string
	state           *string
	reason          *string
	hash            *string
	till            *time.Time
	failures        *int
	phone           []byte
	names           []byte
	issuedAt        *time.Time
	changedAt       *time.Time
	recovered       *time.Time
	unblockFailures *int
	unblockFailed   *time.Time // the last of them
	passkey         bool
	authenticator   bool
	codes           int
}

// The columns of a row, in scan's order.
const columns = `p.id, p.identification_number, p.birth_date,
	i.state, i.block_reason, i.password_hash, i.password_till, i.failures, i.phone, i.names, i.issued_at, i.changed_at, i.recovered_at, i.unblock_failures, i.unblock_failed_at,
	EXISTS (SELECT FROM passkey k WHERE k.person_id = p.id), EXISTS (SELECT FROM authenticator a WHERE a.person_id = p.id),
	coalesce((SELECT cardinality(c.digests) FROM recovery_codes c WHERE c.person_id = p.id), 0)`

func (r *Registry) read(ctx context.Context, sql string, keys ...any) (row, error) {
	w, err := scan(r.pool.QueryRow(ctx, sql, keys...))
	if errors.Is(err, pgx.ErrNoRows) || err == nil && w.person == uuid.Nil {
		return row{}, ErrUnknown
	}
	return w, err
}

func scan(found pgx.Row) (w row, err error) {
	err = found.Scan(&w.person, &w.number, &w.birthDate,
		&w.state, &w.reason, &w.hash, &w.till, &w.failures, &w.phone, &w.names, &w.issuedAt, &w.changedAt, &w.recovered, &w.unblockFailures, &w.unblockFailed,
		&w.passkey, &w.authenticator, &w.codes)
	return w, err
}

// A row is looked for between these, by a condition on p. Nobody has a row too, for which everything is looked up as for others:
// where it was not, a stranger could tell from the time whether a number is anybody's.
const (
	whose = `
		SELECT ` + columns + `
		FROM (
			SELECT coalesce(p.id, '00000000-0000-0000-0000-000000000000') AS id,
			       coalesce(p.identification_number, '') AS identification_number, coalesce(p.birth_date, '') AS birth_date
			FROM (VALUES (1)) AS one LEFT JOIN person p ON `
	orNobody = `
		) AS p LEFT JOIN identity i ON i.person_id = p.id`
	byNumber = whose + `p.identification_number = $1` + orNobody
)

func (r *Registry) readByNumber(ctx context.Context, id Identifier) (row, error) {
	return r.read(ctx, byNumber, id.Reveal())
}

func (r *Registry) readByPerson(ctx context.Context, person uuid.UUID) (row, error) {
	const read = whose + `p.id = $1` + orNobody
	return r.read(ctx, read, person)
}

// Find gives a person's identity by identifier. State is None for people in the
// register who have none; ErrUnknown says that the register does not know them.
func (r *Registry) Find(ctx context.Context, id Identifier) (Identity, error) {
	w, err := r.readByNumber(ctx, id)
	if err != nil {
		return Identity{}, fmt.Errorf("find %v: %w", id, err)
	}
	return r.open(w)
}

// States gives how the identifiers of people stand; who has none is left out.
func (r *Registry) States(ctx context.Context, people []uuid.UUID) (map[uuid.UUID]State, error) {
	const list = `SELECT person_id, state FROM identity WHERE person_id = ANY ($1)`
	states := map[uuid.UUID]State{}
	var (
		person uuid.UUID
		state  State
	)
	rows, _ := r.pool.Query(ctx, list, people)
	_, err := pgx.ForEachRow(rows, []any{&person, &state}, func() error {
		states[person] = state
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list how identifiers stand: %w", err)
	}
	return states, nil
}

// Whose gives the person whose number an identifier is; uuid.Nil where it is nobody's. It opens nothing: it takes as long
// for people without an identifier.
func (r *Registry) Whose(ctx context.Context, id Identifier) (uuid.UUID, error) {
	const read = `
		SELECT coalesce((SELECT id FROM person WHERE identification_number = $1), '00000000-0000-0000-0000-000000000000')`
	var person uuid.UUID
	if err := r.pool.QueryRow(ctx, read, id.Reveal()).Scan(&person); err != nil {
		return uuid.Nil, fmt.Errorf("find whose %v is: %w", id, err)
	}
	return person, nil
}

// Match gives a person's identity by identifier and the number of the document on record. ErrUnknown is the one answer to
// everything else: nobody of that number, nobody who has an identifier, another document.
func (r *Registry) Match(ctx context.Context, id Identifier, document string) (Identity, error) {
	const read = `
		SELECT ` + columns + `
		FROM person p JOIN identity i ON i.person_id = p.id
		WHERE p.identification_number = $1 AND i.document_index = $2`
	index, err := DocumentIndex(r.box, register.FoldNumber(document))
	if err != nil {
		return Identity{}, err
	}
	w, err := r.read(ctx, read, id.Reveal(), index)
	if err != nil {
		return Identity{}, fmt.Errorf("match %v: %w", id, err)
	}
	return r.open(w)
}

// Of gives a person's identity by the person's id.
func (r *Registry) Of(ctx context.Context, person uuid.UUID) (Identity, error) {
	w, err := r.readByPerson(ctx, person)
	if err != nil {
		return Identity{}, fmt.Errorf("find person %s: %w", person, err)
	}
	return r.open(w)
}

// open unseals a row.
func (r *Registry) open(w row) (Identity, error) {
	i := Identity{Person: w.person, Identifier: Identifier{unique.Make(w.number)}, State: None}
	if w.state == nil {
		return i, nil
	}
	i.State, i.IssuedAt, i.ChangedAt = State(*w.state), *w.issuedAt, *w.changedAt
	if i.State != Temporary { // what was bound before an unblocking is worth nothing, and goes with the first password
		i.Passkey, i.Authenticator, i.RecoveryCodes = w.passkey, w.authenticator, w.codes
	}
	if w.reason != nil {
		i.BlockReason = BlockReason(*w.reason)
	}
	if *w.unblockFailures >= r.unblockTries() && w.unblockFailed != nil {
		i.ClosedTill = w.unblockFailed.Add(r.closedFor())
	}
	if w.till != nil {
		i.PasswordTill = *w.till
	}
	if w.recovered != nil {
		i.FrozenTill = w.recovered.Add(r.freezeFor())
	}
	var err error
	if w.phone != nil {
		if i.Phone, err = OpenPhone(r.box, w.person, w.phone); err != nil {
			return Identity{}, err
		}
	}
	i.Names, err = OpenNames(r.box, w.person, w.names)
	return i, err
}

// OpenPhone unseals the column phone of a person's identity.
func OpenPhone(box *seal.Box, person uuid.UUID, sealed []byte) (Phone, error) {
	e164, err := box.Open(phonePlace(person), sealed)
	if err != nil {
		return Phone{}, fmt.Errorf("open the phone of %s: %w", person, err)
	}
	return Phone{unique.Make(string(e164))}, nil
}

// OpenNames unseals the column names of a person's identity.
func OpenNames(box *seal.Box, person uuid.UUID, sealed []byte) (Names, error) {
	var n Names
	plain, err := box.Open(namesPlace(person), sealed)
	if err == nil {
		err = json.Unmarshal(plain, &n)
	}
	if err != nil {
		return Names{}, fmt.Errorf("open the names of %s: %w", person, err)
	}
	return n, nil
}

// DocumentIndex is the keyed digest by which the number of a document is known again.
func DocumentIndex(box *seal.Box, number string) ([]byte, error) {
	return box.Index("identity:document", []byte(number))
}

// PhoneIndex is the keyed digest by which a phone is found, here and wherever it
// is to be compared with ours.
func PhoneIndex(box *seal.Box, phone Phone) ([]byte, error) {
	return box.Index("identity:phone", []byte(phone.Reveal()))
}
