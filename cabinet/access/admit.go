package access

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
)

// Silence is how long the feed may be silent before what it said last is too old to let anybody in.
const Silence = 5 * time.Second

// A Question is who asks to be let in: what a good token says, or a web session made from one.
type Question struct {
	Subject  string    // "" for a client with its own token, to what is everybody's
	Grant    uuid.UUID // gid; uuid.Nil for none
	AuthTime time.Time
	Till     time.Time // a token is good till then: a web session lives longer
	Vouched  bool      // the provider has just said that it is good
	ClientID string    // whose token it is
	Via      []string  // the clients that had it before it was exchanged
	At       time.Time

	// What an e-service does is written in the citizen's journal; for the citizen's own pages Kind is "".
	Kind journal.Kind
	ACR  string
}

// A Decision says what is done with a Question.
type Decision string

// Decisions.
const (
	Admit             Decision = "admit"
	AskProvider       Decision = "ask_provider" // then put the Question again, Vouched
	RefuseEnded       Decision = "ended"
	RefuseUnknown     Decision = "unknown" // the register's record of this person has not reached us yet
	RefuseDeactivated Decision = "deactivated"
)

// queue puts a Question as the first part of a batch; what the token asks for follows in the same batch, and is
// thrown away unless the decision is Admit. The rule stands in the statement alone, in its order.
//
// A right token exists only after a primary sign-in, so it activates a cabinet that does not know of that yet
// (order 82, p. 9). Activation and what an e-service does are written by this same statement.
//
// Under a number that was another person's then, a sign-in is over, whoever has it now. Where nobody knows whose it was then, the provider does; and
// of a number of which nobody has heard here, whether it is somebody's yet, or was and is no more.
func queue(b *pgx.Batch, q Question, to *Decision) {
	if q.Subject == "" {
		queueClient(b, q, to)
		return
	}
	const decide = `
		WITH another AS (
			SELECT CASE WHEN NOT doubted THEN 'ended' WHEN NOT $4 THEN 'ask_provider' END AS decision
			FROM ended_number WHERE identification_number = $1 AND at >= $3
		), decided AS (
			SELECT c.person_id, coalesce((SELECT decision FROM another), CASE
				WHEN EXISTS (SELECT FROM ended WHERE id = c.person_id AND at >= $3 OR id = $2) THEN 'ended'
				WHEN EXISTS (SELECT FROM disabled_client WHERE (client_id = $10 OR client_id = ANY ($12)) AND disabled) THEN 'ended'
				WHEN ($4 OR f.heard_at > $5) IS NOT TRUE THEN 'ask_provider'
				WHEN c.state = 'deactivated' THEN 'deactivated'
				ELSE 'admit' END) AS decision
			FROM cabinet AS c CROSS JOIN follow AS f
			WHERE c.identification_number = $1
		), admitted AS (
			SELECT person_id FROM decided WHERE decision = 'admit'
		), activated AS (
			UPDATE cabinet SET state = 'activated', state_at = $6
			WHERE person_id = (SELECT person_id FROM admitted) AND state = 'not_activated'
			RETURNING person_id
		), written AS (
			INSERT INTO journal (id, person_id, at, kind, actor, client_id, acr)
			SELECT $7::uuid, person_id, $6::timestamptz, 'cabinet.activated', 'self', NULL, NULL FROM activated
			UNION ALL
			SELECT $8::uuid, person_id, $6, $9, 'client', $10, nullif($11, '') FROM admitted WHERE $9 <> ''
		)
		SELECT coalesce((SELECT decision FROM decided), (SELECT decision FROM another), CASE WHEN $4 THEN 'unknown' ELSE 'ask_provider' END)`
	// As they are, and not by way of their text (driver.Valuer).
	activation, visit := [16]byte(uuid.Must(uuid.NewV7())), [16]byte(uuid.Must(uuid.NewV7()))
	b.Queue(decide, q.Subject, [16]byte(q.Grant), q.AuthTime, q.Vouched, q.At.Add(-Silence), q.At,
		activation, visit, string(q.Kind), q.ClientID, q.ACR, q.Via,
	).QueryRow(func(row pgx.Row) error { return row.Scan(to) })
}

// queueClient puts the Question of a client in whose token there is no person: no sign-in that could have ended, and no
// cabinet.
func queueClient(b *pgx.Batch, q Question, to *Decision) {
	const decide = `
		SELECT CASE
			WHEN EXISTS (SELECT FROM disabled_client WHERE (client_id = $1 OR client_id = ANY ($2)) AND disabled) THEN 'ended'
			WHEN ($3 OR heard_at > $4) IS NOT TRUE THEN 'ask_provider'
			ELSE 'admit' END
		FROM follow`
	b.Queue(decide, q.ClientID, q.Via, q.Vouched, q.At.Add(-Silence)).QueryRow(func(row pgx.Row) error { return row.Scan(to) })
}
