package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cabinet/wall"
)

// A Kind names what happened. Those that come by the feed keep the provider's names.
type Kind string

// Kinds that come by the feed and are more to the cabinet than a line of the journal.
const (
	IdentifierActivated Kind = "identifier.activated"
	IdentifierBlocked   Kind = "identifier.blocked" // Detail["reason"]
	PaperRead           Kind = "paper.read"         // Detail["purpose"]
	TrailRead           Kind = "trail.read"         // Detail["purpose"]
	SessionsEnded       Kind = "sessions.ended"
	DeskLookedUp        Kind = "desk.looked_up"  // Detail["purpose"]
	DeskRefused         Kind = "desk.refused"    // Detail["act"]
	GrantGiven          Kind = "grant.given"     // Detail["scope"]
	GrantEnded          Kind = "grant.ended"     // Detail["why"]
	TokenExchanged      Kind = "token.exchanged" // by an e-service
	PersonChanged       Kind = "person.changed"  // at the register
)

// Kinds of the cabinet's own.
const (
	CabinetActivated   Kind = "cabinet.activated"
	CabinetDeactivated Kind = "cabinet.deactivated" // Detail["reason"]
	CabinetRestored    Kind = "cabinet.restored"
	ProfileChanged     Kind = "profile.changed"   // Detail["field"], ["old"], ["new"]; where ["source"] told it, the profile knows the last two
	ProfileRead        Kind = "profile.read"      // by an e-service
	ProfileRefreshed   Kind = "profile.refreshed" // for an e-service, which read it
	DisputeMade        Kind = "dispute.made"      // by the citizen, of a value; Detail["field"], ["source"], as in the next three
	DisputeWithdrawn   Kind = "dispute.withdrawn"
	DisputeSent        Kind = "dispute.sent"     // to whoever the value is from; the operator has read it
	DisputeAnswered    Kind = "dispute.answered" // Detail["outcome"]
	ContactGiven       Kind = "contact.given"    // by the citizen
	JournalRead        Kind = "journal.read"     // by an e-service
	EntryReported      Kind = "entry.reported"   // the citizen does not recognise one; Detail["entry"]
	JournalExported    Kind = "journal.exported" // by the citizen; Detail["format"]
	DataExported       Kind = "data.exported"    // by the citizen: all that is held
)

// An Actor is who did it.
type Actor string

// Actors. An e-service acts with the citizen's token; the system acts by itself or on the register's word.
const (
	Self   Actor = "self"
	Staff  Actor = "staff"
	System Actor = "system"
	Client Actor = "client"
)

// An Entry is one thing that happened to a person. Its ID is what the citizen may quote to support: where it came by the feed, the provider
// has its event under the same one.
type Entry struct {
	ID         uuid.UUID // of version 7; one is made where none is given
	Person     uuid.UUID
	At         time.Time
	Kind       Kind
	Actor      Actor
	ClientID   string // the e-service; "" for none
	Client     Names  // what it is called; only of entries that were read
	Office     string // of the desk; "" for none
	ACR        string
	Agent      string
	Detail     map[string]string
	ReportedAt *time.Time // when the citizen said not to recognise it; nil for never, and only of entries that were read
}

// Append writes entries, in their order, by one statement. Those that came by the feed before are left as they are.
func Append(ctx context.Context, tx pgx.Tx, entries []Entry) error {
	const insert = `
		INSERT INTO journal (id, person_id, at, kind, actor, client_id, office, acr, agent, detail)
		SELECT id, person_id, at, kind, actor, client_id, office, acr, agent, detail FROM ` + given + `
		ON CONFLICT (id, at) DO NOTHING`
	if len(entries) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, insert, columns(entries)...); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}

// given are entries that come as columns.
const given = `(
	SELECT id, person_id, at, kind, actor, nullif(client_id, '') AS client_id, nullif(office, '') AS office, nullif(acr, '') AS acr,
	       nullif(agent, '') AS agent, nullif(detail, 'null') AS detail
	FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[],
	            $8::text[], $9::text[], $10::jsonb[])
	     AS e (id, person_id, at, kind, actor, client_id, office, acr, agent, detail)
) AS given`

// columns are entries as given takes them. Whoever has no id is given one.
func columns(entries []Entry) []any {
	var (
		n       = len(entries)
		ids     = make([][16]byte, n) // which pgx writes as they are; of a uuid.UUID it makes its text first
		people  = make([][16]byte, n)
		ats     = make([]time.Time, n)
		kinds   = make([]string, n)
		actors  = make([]string, n)
		clients = make([]string, n)
		offices = make([]string, n)
		acrs    = make([]string, n)
		agents  = make([]string, n)
		details = make([][]byte, n)
	)
	for i, e := range entries {
		if e.ID == uuid.Nil {
			e.ID = uuid.Must(uuid.NewV7())
		}
		ids[i], people[i], ats[i], kinds[i], actors[i] = e.ID, e.Person, e.At, string(e.Kind), string(e.Actor)
		clients[i], offices[i], acrs[i], agents[i] = e.ClientID, e.Office, e.ACR, e.Agent
		details[i], _ = json.Marshal(e.Detail) // a map of strings always marshals; nil is null
	}
	return []any{ids, people, ats, kinds, actors, clients, offices, acrs, agents, details}
}

// Pass writes what came by the feed of one person into another's journal, once: they are the same. It stands there under ids of its own, which are
// made of both.
func Pass(ctx context.Context, tx pgx.Tx, from, to uuid.UUID) error {
	const find = `
		SELECT id, at, kind, actor, coalesce(client_id, ''), coalesce(office, ''), coalesce(acr, ''), coalesce(agent, ''), detail FROM journal
		WHERE person_id = $1 AND kind <> ALL ($2) ORDER BY at, id`
	rows, _ := tx.Query(ctx, find, from, []Kind{CabinetActivated, CabinetDeactivated, CabinetRestored, ProfileChanged})
	entries, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Entry, error) {
		e := Entry{Person: to}
		err := row.Scan(&e.ID, &e.At, &e.Kind, &e.Actor, &e.ClientID, &e.Office, &e.ACR, &e.Agent, &e.Detail)
		for i := 9; i < len(e.ID); i++ { // what before tells the version, the time, and the variant stays
			e.ID[i] ^= to[i]
		}
		return e, err
	})
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	return Append(ctx, tx, entries)
}

// Write writes an entry of the subject's own, by itself: what a citizen does in the cabinet.
func Write(ctx context.Context, pool *pgxpool.Pool, subject string, e Entry) error {
	const insert = `
		INSERT INTO journal (id, person_id, at, kind, actor, acr, detail)
		SELECT $2, person_id, $3, $4, 'self', nullif($5, ''), $6 FROM cabinet WHERE identification_number = $1`
	var b pgx.Batch
	wall.Queue(&b, subject, "")
	b.Queue(insert, subject, uuid.Must(uuid.NewV7()), e.At, string(e.Kind), e.ACR, e.Detail).Exec(func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() == 0 {
			return ErrUnknown
		}
		return nil
	})
	if err := pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	return nil
}
