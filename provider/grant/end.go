package grant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"asoba.example/provider/audit"
	"asoba.example/provider/backchannel"
	"asoba.example/provider/session"
)

// Why a person's grants or one grant ended.
type Why string

// Reasons.
const (
	Blocked     Why = "blocked"
	Unblocked   Why = "unblocked"
	Deactivated Why = "deactivated"
	Incapable   Why = "incapable"  // a court has found the person so
	Renumbered  Why = "renumbered" // the register gave the person another identification number
	Password    Why = "password"   // the password was changed
	Everywhere  Why = "everywhere" // the person signed out at all browsers
	Cloned      Why = "cloned"     // there are two of a passkey
	SignedOut   Why = "signed_out" // at one browser
	Revoked     Why = "revoked"    // by the client (RFC 7009)
	Reused      Why = "reused"     // a code or a refresh token came twice
	Withdrawn   Why = "withdrawn"  // the person took the agreement back
	WentLive    Why = "went_live"  // the client, and made-up people have no part in it any more
)

// Jobs inserts background work into the act's transaction; *river.Client[pgx.Tx] is one.
type Jobs interface {
	backchannel.Jobs
	InsertTx(ctx context.Context, tx pgx.Tx, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error)
}

// End makes all of a person's sign-ins so far worth nothing, in the caller's
// transaction: it writes ended(person, at), ends the grants, records it, and
// queues a CleanUp and the logout notices. After the commit the caller calls
// Cleaner.Clean.
//
// Sign-ins bear whole seconds and the clocks of several nodes, so one may bear a
// later time than the act that ends it. The end reaches to the latest of them.
func End(ctx context.Context, tx pgx.Tx, jobs Jobs, person uuid.UUID, why Why, at time.Time) error {
	// The lock is the counterpart of that in Give, for callers who have not written to the identity.
	const lock = `SELECT greatest($2, signed_in_at) FROM identity WHERE person_id = $1 FOR NO KEY UPDATE`

	const end = `
		INSERT INTO ended (person_id, at, why) VALUES ($1, $2, $3)
		ON CONFLICT (person_id) DO UPDATE SET at = greatest(ended.at, excluded.at), why = excluded.why`

	const grants = `
		UPDATE client_grant SET ended_at = $2, ended_why = $3
		WHERE person_id = $1 AND till > $4 AND ended_at IS NULL`

	reach := at
	if err := tx.QueryRow(ctx, lock, person, at).Scan(&reach); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("end sign-ins: %w", err)
	}
	b := new(pgx.Batch)
	b.Queue(end, person, reach, why)
	b.Queue(grants, person, at, why, at.Add(-outlives))
	audit.Event{Kind: audit.SessionsEnded, At: reach, Person: person, Detail: map[string]string{"why": string(why)}}.Queue(b)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("end sign-ins: %w", err)
	}
	if _, err := jobs.InsertTx(ctx, tx, CleanUp{Person: person}, nil); err != nil {
		return fmt.Errorf("end sign-ins: queue the clean-up: %w", err)
	}
	if err := backchannel.Queue(ctx, tx, jobs, backchannel.Ended{Person: person}, at); err != nil {
		return fmt.Errorf("end sign-ins: %w", err)
	}
	return nil
}

// EndOne ends one grant, in the caller's transaction, and records it; one that
// is over already stays as it is. After the commit the caller denies its access
// tokens (Denials.Deny). The session goes on, so nobody is told of its end.
func EndOne(ctx context.Context, tx pgx.Tx, jobs Jobs, gid uuid.UUID, why Why, at time.Time) error {
	const end = `
		UPDATE client_grant SET ended_at = $2, ended_why = $3
		WHERE id = $1 AND till > $2 AND ended_at IS NULL
		RETURNING id, person_id, client_id, sid`

	if _, err := endGrants(ctx, tx, jobs, why, at, end, gid, at, why); err != nil {
		return fmt.Errorf("end grant: %w", err)
	}
	return nil
}

// codesDead is when a session was signed out of so long ago that no code of it is alive: it is longer than any lives.
const codesDead = 24 * time.Hour

// SignOut ends what was given within a session, because the person signs out of
// it, records that, has every client told that took part in the session, and
// denies the access tokens. What was granted for offline use stays (OpenID
// Connect Back-Channel Logout §2.7); what is still a code gives nothing any more,
// as Give knows by the mark. The caller ends the session itself afterwards: were it
// the other way round, a failure in between would leave tokens behind that nobody
// could end any more by signing out.
func SignOut(ctx context.Context, pool *pgxpool.Pool, jobs Jobs, denials *Denials, s session.Session, at time.Time) error {
	const end = endWithin + ` AND NOT 'offline_access' = ANY (scopes) RETURNING id, person_id, client_id, sid`

	var gids []uuid.UUID
	err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) (err error) {
		signedOut := audit.Event{Kind: audit.SignedOut, At: at, Person: s.Person, SID: s.SID, ACR: s.ACR, Agent: s.Agent}
		gids, err = endSession(ctx, tx, jobs, signedOut, end)
		return err
	})
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	if err := denials.Deny(ctx, gids...); err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}

// EndSessions ends sessions of the person whose session is here, whichever browsers they are at, in the caller's transaction, as SignOut
// does the one. What was granted for offline use ends as well, though a sign-out would normally leave it (OpenID Connect Back-Channel Logout
// §2.7): who ends a session from elsewhere cannot tell in whose hands it is. After the commit the caller calls Cleaner.Clean, and so does a
// job that is queued here.
func EndSessions(ctx context.Context, tx pgx.Tx, jobs Jobs, here session.Session, sids []string, at time.Time) error {
	const end = endWithin + ` RETURNING id, person_id, client_id, sid`

	for _, sid := range sids {
		signedOut := audit.Event{Kind: audit.SignedOut, At: at, Person: here.Person, SID: sid, Agent: here.Agent}
		if sid != here.SID {
			signedOut.Detail = map[string]string{"from": "elsewhere"}
		}
		if _, err := endSession(ctx, tx, jobs, signedOut, end); err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
	}
	if _, err := jobs.InsertTx(ctx, tx, CleanUp{Person: here.Person}, nil); err != nil {
		return fmt.Errorf("end sessions: queue the clean-up: %w", err)
	}
	return nil
}

// outlives is how much longer than what it was granted a client's own session may live, where a grant is not found by its session, which gave few.
const outlives = 24 * time.Hour

// Living gives the sessions of which something may be left that they gave, whether they are still open or not.
func Living(ctx context.Context, tx pgx.Tx, person uuid.UUID, at time.Time) ([]string, error) {
	const living = `SELECT DISTINCT sid FROM client_grant WHERE person_id = $1 AND till > $2 AND ended_at IS NULL ORDER BY sid`

	rows, _ := tx.Query(ctx, living, person, at.Add(-outlives))
	sids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("find sessions by what they gave: %w", err)
	}
	return sids, nil
}

// endWithin ends what a session gave, also what was over before: a client may have somebody signed in by it for longer than its tokens live. What of
// that, and what to tell of it, is to be added.
const endWithin = `
	UPDATE client_grant SET ended_at = $2, ended_why = $3
	WHERE sid = $1 AND ended_at IS NULL`

// endSession ends one session, by a statement on endWithin, and records it.
func endSession(ctx context.Context, tx pgx.Tx, jobs Jobs, signedOut audit.Event, end string) ([]uuid.UUID, error) {
	// The counterpart of the lock in Give: a code that is being exchanged is either refused or ended.
	const lock = `SELECT person_id FROM identity WHERE person_id = $1 FOR NO KEY UPDATE`

	const remember = `
		WITH old AS (DELETE FROM signed_out WHERE at < $3)
		INSERT INTO signed_out (sid, at) VALUES ($1, $2) ON CONFLICT DO NOTHING`

	person, sid, at := signedOut.Person, signedOut.SID, signedOut.At
	if _, err := tx.Exec(ctx, lock, person); err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, remember, sid, at, at.Add(-codesDead)); err != nil {
		return nil, err
	}
	if err := audit.Record(ctx, tx, signedOut); err != nil {
		return nil, err
	}
	gids, err := endGrants(ctx, tx, jobs, SignedOut, at, end, sid, at, SignedOut)
	if err != nil {
		return nil, err
	}
	return gids, backchannel.Queue(ctx, tx, jobs, backchannel.Ended{Person: person, SID: sid}, at)
}

// Visited gives the clients that took part in a session, by the grants that it gave, whatever has become of them since.
func Visited(ctx context.Context, pool *pgxpool.Pool, s session.Session) ([]string, error) {
	const visited = `
		SELECT DISTINCT client_id FROM client_grant
		WHERE person_id = $1 AND sid = $2 AND given_at IS NOT NULL ORDER BY client_id`

	rows, _ := pool.Query(ctx, visited, s.Person, s.SID)
	clients, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("find who took part in a session: %w", err)
	}
	return clients, nil
}

// EndClient ends all that a person's sign-ins gave one client, records it and
// has the client told, in the caller's transaction, which holds the lock of End.
// After the commit the caller denies the grants that come back (Denials.Deny).
func EndClient(ctx context.Context, tx pgx.Tx, jobs Jobs, person uuid.UUID, clientID string, why Why, at time.Time) ([]uuid.UUID, error) {
	const end = `
		UPDATE client_grant SET ended_at = $3, ended_why = $4
		WHERE person_id = $1 AND client_id = $2 AND till > $5 AND ended_at IS NULL
		RETURNING id, person_id, client_id, sid`

	gids, err := endGrants(ctx, tx, jobs, why, at, end, person, clientID, at, why, at.Add(-outlives))
	if err != nil {
		return nil, fmt.Errorf("end grants of a client: %w", err)
	}
	if err := backchannel.Queue(ctx, tx, jobs, backchannel.Ended{Person: person, ClientID: clientID}, at); err != nil {
		return nil, fmt.Errorf("end grants of a client: %w", err)
	}
	return gids, nil
}

// EndSpecimens ends all that made-up people were given at a client, as it goes live, in the caller's transaction. After
// the commit the caller denies the grants that come back (Denials.Deny).
func EndSpecimens(ctx context.Context, tx pgx.Tx, jobs Jobs, clientID string, at time.Time) (all []uuid.UUID, err error) {
	// The counterpart of the lock in Give: a code that is being exchanged is either refused or ended.
	const lock = `
		SELECT identity.person_id FROM person JOIN identity ON identity.person_id = person.id
		WHERE person.identification_number LIKE '0%' ORDER BY identity.person_id FOR NO KEY UPDATE OF identity`

	const given = `
		SELECT DISTINCT person_id FROM client_grant
		WHERE person_id = ANY ($1) AND client_id = $2 AND till > $3 AND ended_at IS NULL`

	rows, _ := tx.Query(ctx, lock)
	specimens, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		return nil, fmt.Errorf("end grants of specimens: %w", err)
	}
	rows, _ = tx.Query(ctx, given, specimens, clientID, at.Add(-outlives))
	if specimens, err = pgx.CollectRows(rows, pgx.RowTo[uuid.UUID]); err != nil {
		return nil, fmt.Errorf("end grants of specimens: %w", err)
	}
	for _, person := range specimens {
		gids, err := EndClient(ctx, tx, jobs, person, clientID, WentLive, at)
		if err != nil {
			return nil, err
		}
		all = append(all, gids...)
	}
	return all, nil
}

// endGrants ends the grants that a statement names, and records it.
func endGrants(ctx context.Context, tx pgx.Tx, jobs Jobs, why Why, at time.Time, end string, args ...any) ([]uuid.UUID, error) {
	rows, _ := tx.Query(ctx, end, args...)
	ended, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (audit.Event, error) {
		e := audit.Event{Kind: audit.GrantEnded, At: at, Detail: map[string]string{"why": string(why)}}
		return e, row.Scan(&e.GID, &e.Person, &e.ClientID, &e.SID)
	})
	if err != nil {
		return nil, err
	}
	if err := audit.Record(ctx, tx, ended...); err != nil {
		return nil, err
	}
	if len(ended) == 0 {
		return nil, nil
	}
	if _, err := jobs.InsertTx(ctx, tx, CleanUp{Person: ended[0].Person}, nil); err != nil {
		return nil, fmt.Errorf("queue the clean-up: %w", err)
	}
	gids := make([]uuid.UUID, len(ended))
	for i, e := range ended {
		gids[i] = e.GID
	}
	return gids, nil
}
