package audit

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A Kind names what happened. The list is closed and the names are stable:
// consumers of the feed and the citizen's journal rely on them.
type Kind string

// The kinds of events. Those about a person carry Event.Person.
const (
	EditionApplied      Kind = "edition.applied"      // the register's edition was applied; Event.Edition
	PersonChanged       Kind = "person.changed"       // one person changed outside an edition
	IssuanceOpened      Kind = "issuance.opened"      // a clerk opened an issuance
	PhoneConfirmed      Kind = "phone.confirmed"      // the code sent to the phone came back
	IdentifierIssued    Kind = "identifier.issued"    // assigned; a temporary password is on its way
	PasswordReissued    Kind = "password.reissued"    // a new temporary password is on its way
	IdentifierActivated Kind = "identifier.activated" // the static password was formed at first sign-in
	PasswordChanged     Kind = "password.changed"
	IdentifierBlocked   Kind = "identifier.blocked" // Event.Detail["reason"]
	IdentifierUnblocked Kind = "identifier.unblocked"
	SignedIn            Kind = "signed_in"
	SignInRefused       Kind = "sign_in.refused"
	SignedOut           Kind = "signed_out"
	SessionsEnded       Kind = "sessions.ended" // all of a person's sign-ins so far are worth nothing
	CodeSent            Kind = "code.sent"
	GrantGiven          Kind = "grant.given" // a client was given tokens; Event.Detail["scope"]
	GrantEnded          Kind = "grant.ended"
	AgreementGiven      Kind = "agreement.given" // Event.Detail["scope"]
	AgreementWithdrawn  Kind = "agreement.withdrawn"
	ClientRegistered    Kind = "client.registered"
	ClientChanged       Kind = "client.changed"
	ClientRemoved       Kind = "client.removed"
	KeyCreated          Kind = "key.created"
	ClerkAdded          Kind = "clerk.added"
	DeskRefused         Kind = "desk.refused" // Event.Detail["code"]: g1 … g9
)

// An Event is one thing that happened. It holds no personal data: people are
// named by their internal id, and Detail carries only words from the source code.
type Event struct {
	Kind     Kind
	At       time.Time
	Person   uuid.UUID // whom it concerns; uuid.Nil for nobody
	Clerk    uuid.UUID // which clerk acted; uuid.Nil if none did
	Office   string
	ClientID string
	SID      string
	GID      uuid.UUID // the grant
	ACR      string
	Agent    string // "Firefox, Linux": kind of browser and system, never the header itself
	Edition  int64
	Detail   map[string]string
}

// An Execer is a transaction, or a pool where the event stands alone.
type Execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Record writes events into the act's transaction.
func Record(ctx context.Context, tx Execer, events ...Event) error {
	panic("unwritten")
}

// Queue puts the event into a batch, for acts that are one round trip.
func (e Event) Queue(b *pgx.Batch) {
	panic("unwritten")
}
