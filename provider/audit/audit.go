package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A Kind names what happened. The list is closed and the names are stable:
// consumers of the feed and the citizen's journal rely on them.
type Kind string

// The kinds of events. Those about a person carry Event.Person.
const (
	EditionApplied      Kind = "edition.applied"        // the register's edition was applied; Event.Edition
	PeopleMissing       Kind = "edition.missing_people" // a full edition does not tell of people whom we know; Event.Detail["people"]: how many
	EditionWaits        Kind = "edition.waiting"        // it would deactivate many, Event.Detail["people"], or leaves many out, ["missing"], and waits for a second person
	EditionReleased     Kind = "edition.released"
	EditionRefused      Kind = "edition.refused"        // by a second person, or by itself where too many rows are bad
	EditionWithdrawn    Kind = "edition.withdrawn"      // by who brought it, as it waited
	PersonChanged       Kind = "person.changed"         // one person changed outside an edition; Event.Detail["joined"]: who turned out to be the same, and is no more
	JoinRefused         Kind = "person.join_refused"    // two people were not made one, though an event says so; Event.Detail["other"]: who may be the same; ["why"]: two_people, too_many_joined
	IssuanceOpened      Kind = "issuance.opened"        // a clerk opened an issuance; of this and other openings Event.Detail["document"]: what vouches for it; ["register"]: asked, or silent
	IssuancePending     Kind = "issuance.pending"       // written down, but a register does not answer
	IssuanceWithdrawn   Kind = "issuance.withdrawn"     // while it was pending; nobody goes on with it
	PhoneChangeOpened   Kind = "phone_change.opened"    // a clerk opened a change of phone
	UnblockOpened       Kind = "unblock.opened"         // a clerk opened an unblocking with another phone
	ReissueOpened       Kind = "reissue.opened"         // the same of another temporary password
	PhoneConfirmed      Kind = "phone.confirmed"        // the code sent to the phone came back
	PhoneChanged        Kind = "phone.changed"          // the identifier has another phone
	PhoneChangeAsked    Kind = "phone_change.asked"     // by the citizen: the identifier will have another phone
	PhoneChangeDropped  Kind = "phone_change.cancelled" // Event.Detail["why"]: self, blocked, recovered, desk, taken
	PhoneReleased       Kind = "phone.released"         // the blocked identifier has none: another person has it now
	IdentifierIssued    Kind = "identifier.issued"      // assigned; a temporary password is on its way
	PasswordReissued    Kind = "password.reissued"      // a new temporary password is on its way
	IdentifierActivated Kind = "identifier.activated"   // the static password was formed at first sign-in
	PasswordChanged     Kind = "password.changed"
	PasswordRecovered   Kind = "password.recovered" // a lost one was replaced by the citizen
	RecoveryRefused     Kind = "recovery.refused"   // Event.Detail as of sign_in.refused
	PasskeyAdded        Kind = "passkey.added"
	PasskeyRemoved      Kind = "passkey.removed" // Event.Detail["why"] where not by the person: cloned, unblocked
	AuthenticatorAdded  Kind = "authenticator.added"
	AuthenticatorGone   Kind = "authenticator.removed" // Event.Detail["why"] where not by the person: unblocked
	RecoveryCodesMade   Kind = "recovery_codes.made"   // a set, in place of the one there was
	RecoveryCodesGone   Kind = "recovery_codes.removed"
	RecoveryCodeUsed    Kind = "recovery_code.used" // Event.Detail["purpose"]: sign_in, recovery, unblock
	IdentifierBlocked   Kind = "identifier.blocked" // Event.Detail["reason"]; ["by"]: password, code, warning, where not by somebody signed in
	IdentifierUnblocked Kind = "identifier.unblocked"
	SignedIn            Kind = "signed_in"         // Event.Detail["by"]: passkey, authenticator, recovery_code, where by one
	SignInRefused       Kind = "sign_in.refused"   // Event.Detail by Refused
	SignedOut           Kind = "signed_out"        // Event.Detail["from"]: elsewhere, where at another browser than the session's
	BrowserForgotten    Kind = "browser.forgotten" // a known browser is a stranger again
	SessionsEnded       Kind = "sessions.ended"    // all of a person's sign-ins so far are worth nothing
	CodeSent            Kind = "code.sent"         // of both Event.Detail["purpose"]; ["phone"]: the last digits of the new one, of change_phone
	CodeWithheld        Kind = "code.withheld"     // one was asked for a number that none goes to
	GrantGiven          Kind = "grant.given"       // a client was given tokens; Event.Detail["scope"], and ["claims"] where it asked for some by name
	GrantEnded          Kind = "grant.ended"
	TokenExchanged      Kind = "token.exchanged" // a resource server was given a token for another; Event.Detail["scope"]
	AgreementGiven      Kind = "agreement.given" // Event.Detail["scope"]
	AgreementWithdrawn  Kind = "agreement.withdrawn"
	ClientRegistered    Kind = "client.registered" // Event.Detail["after"]: the members of the metadata, in JSON
	ClientChanged       Kind = "client.changed"    // Event.Detail["before"] and ["after"]: the members that differ
	ClientSecretRotated Kind = "client.secret_rotated"
	RegistrationRevoked Kind = "client.registration_token_revoked" // it manages itself no more
	ClientDisabled      Kind = "client.disabled"
	ClientEnabled       Kind = "client.enabled"
	ClientRemoved       Kind = "client.removed"
	ClientProposed      Kind = "client.proposed" // of these Event.Detail["proposal"]
	ClientApproved      Kind = "client.approved"
	ClientRefused       Kind = "client.refused"
	ClientWithdrawn     Kind = "client.withdrawn"
	BodyAdded           Kind = "body.added"                // of these Event.Detail["body"]
	RepresentativeNamed Kind = "body.representative_named" // Event.Detail["representative"]
	RepresentativeGone  Kind = "body.representative_removed"
	InitialTokenIssued  Kind = "initial_access_token.issued" // who has it may register clients
	InitialTokenRevoked Kind = "initial_access_token.revoked"
	KeyCreated          Kind = "key.created"
	KeyActivated        Kind = "key.activated" // it signs from now on; Event.Detail["why"]: schedule, asked, compromised
	KeyRetired          Kind = "key.retired"   // it signs no more
	KeyGone             Kind = "key.gone"      // what it signed is believed no more
	KeyDestroyed        Kind = "key.destroyed" // the hardware module has its private part no more
	ClerkAdded          Kind = "clerk.added"   // of these Event.Detail["role"]
	ClerkMoved          Kind = "clerk.moved"   // to another office or role, or both
	ClerkRemoved        Kind = "clerk.removed"
	DeskRefused         Kind = "desk.refused"            // Event.Detail["code"]: g1 … g9, wrong_state, unknown_identifier, too_many_reissues; ["act"]; or key_required
	DeskLookedUp        Kind = "desk.looked_up"          // Event.Detail["purpose"]; about nobody where nobody was found
	DeskAlerted         Kind = "desk.alerted"            // something unusual: Event.Detail["pattern"], and in ["act"] what it was
	BlockProposed       Kind = "security_block.proposed" // of these Event.Detail["proposal"], ["reason"], ["people"]: how many
	BlockApproved       Kind = "security_block.approved"
	BlockRefused        Kind = "security_block.refused"
	BlockDropped        Kind = "security_block.withdrawn"
	RestorationProposed Kind = "restoration.proposed" // of these Event.Detail["proposal"]; ["undoes"]: which restoration would be undone by it
	RestorationApproved Kind = "restoration.approved" // what the register said of the person is taken back
	RestorationUndone   Kind = "restoration.undone"   // what was taken back holds again
	RestorationRefused  Kind = "restoration.refused"
	RestorationDropped  Kind = "restoration.withdrawn"
	PaperKept           Kind = "paper.kept"      // the signed paper that an act rests on; Event.Detail["sha256"]: the digest of the scan; of both ["number"]: which of its scans
	PaperRead           Kind = "paper.read"      // Event.Detail["purpose"]
	TrailRead           Kind = "trail.read"      // what is recorded of a person; Event.Detail["purpose"]
	PolicyProposed      Kind = "policy.proposed" // Event.Detail["name"], ["value"], ["in_force_from"]
	PolicyApproved      Kind = "policy.approved"
	PolicyRefused       Kind = "policy.refused"
	AuditDropped        Kind = "audit.dropped" // a year of events, past its time; Event.Detail["year"]
)

// An Event is one thing that happened. It holds no personal data: people are
// named by their internal id, and Detail carries only words from the source code, what
// a client has registered, the names of a city and a country, another person's id, or a digest that tells nothing of what it is of.
type Event struct {
	ID       uuid.UUID // of version 7; one is made where none is given
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
	Where    map[string]string // approximately, in words; becomes a part of Detail
	Detail   map[string]string
}

// Refused is the Detail of a refusal: why, and whether that was at a browser which is known to whom it concerns, where strangers have no part in it.
func Refused(why string, known bool) map[string]string {
	detail := map[string]string{"why": why}
	if known {
		detail["browser"] = "known"
	}
	return detail
}

// A Batcher is a transaction, or a pool where the events stand alone.
type Batcher interface {
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// Columns that mean nothing are NULL: an empty string, a nil id, a zero number.
//
// One row at a time: of a set of rows PostgreSQL would not know how few they are, and read whole tables for a condition.
//
// Nothing is notified here. NOTIFY makes transactions commit one after another,
// server-wide, and every token would wait in that queue; the Sealer looks instead.
const insert = `
	INSERT INTO event (id, at, kind, person_id, clerk_id, office, client_id, sid, gid, acr, agent, edition, detail)
	SELECT new.id, new.at, new.kind, nullif(person_id, $14), nullif(clerk_id, $14), nullif(office, ''), nullif(client_id, ''),
	       nullif(sid, ''), nullif(gid, $14), nullif(acr, ''), nullif(agent, ''), nullif(edition, 0), nullif(detail, 'null')
	FROM (VALUES ($1::uuid, $2::timestamptz, $3::text, $4::uuid, $5::uuid, $6::text, $7::text,
	              $8::text, $9::uuid, $10::text, $11::text, $12::bigint, $13::jsonb))
	     AS new (id, at, kind, person_id, clerk_id, office, client_id, sid, gid, acr, agent, edition, detail)`

// Record writes events into the act's transaction, in their order, in one round trip.
func Record(ctx context.Context, tx Batcher, events ...Event) error {
	if len(events) == 0 {
		return nil
	}
	var b pgx.Batch
	for _, e := range events {
		e.Queue(&b)
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("record %s: %w", events[0].Kind, err)
	}
	return nil
}

// Queue puts the event into a batch, for acts that are one round trip.
func (e Event) Queue(b *pgx.Batch) { b.Queue(insert, e.columns()...) }

// QueueIf puts the event into a batch, to be written only if a condition holds
// at its turn. The condition is SQL from the source code over the event's columns.
func (e Event) QueueIf(b *pgx.Batch, condition string) {
	b.Queue(insert+` WHERE `+condition, e.columns()...)
}

// QueueUnlessWithin puts the event into a batch, to be written only if within a time before it none of its clerk at their office is on record
// with the same in a member of Detail. Of two at one moment the other waits until the first is written or is not.
func (e Event) QueueUnlessWithin(b *pgx.Batch, d time.Duration, member string) {
	const alone = `SELECT pg_advisory_xact_lock(hashtextextended($1::text || $2::text, 0))`
	const unless = `
		WHERE NOT EXISTS (
			SELECT FROM event AS before
			WHERE before.office = new.office AND before.at > new.at - $15::interval
			  AND before.kind = new.kind AND before.clerk_id = new.clerk_id AND before.detail->>$16::text = new.detail->>$16::text)`
	b.Queue(alone, string(e.Kind), e.Clerk.String())
	b.Queue(insert+unless, append(e.columns(), d, member)...)
}

// columns are the arguments of insert. Ids are of version 7 and rise within a
// process, so the events of one act keep their order.
func (e Event) columns() []any {
	all := e.Detail
	if len(e.Where) > 0 {
		all = maps.Clone(e.Where)
		maps.Copy(all, e.Detail)
	}
	detail, _ := json.Marshal(all) // a map of strings always marshals; nil is null
	if e.ID == uuid.Nil {
		e.ID = uuid.Must(uuid.NewV7())
	}
	return []any{
		e.ID, e.At, string(e.Kind), e.Person, e.Clerk, e.Office, e.ClientID, e.SID, e.GID, e.ACR, e.Agent, e.Edition,
		detail, uuid.Nil,
	}
}
