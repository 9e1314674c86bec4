package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/register"
	"asoba.example/login/throttle"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
)

// ErrNoRefusal says that no such refusal is on record.
var ErrNoRefusal = errors.New("no such refusal of this desk")

// An answer is what the doors say where one of the desk's meanings stands in the way.
type answer struct {
	means  error
	status int
	code   string
	slip   bool // it decides of the person at the counter, who takes a slip home: why, what can be done now, and how to appeal
	fields []api.Field
}

// answers are the whole vocabulary of refusals. What leaves no slip decides of nobody: it is the clerk's to put right, or passes by itself.
var answers = []answer{
	{means: &GuardError{"g1"}, status: http.StatusConflict, code: "g1", slip: true},
	{means: &GuardError{"g2"}, status: http.StatusConflict, code: "g2", slip: true},
	{means: &GuardError{"g3"}, status: http.StatusConflict, code: "g3", slip: true},
	{means: &GuardError{"g4"}, status: http.StatusConflict, code: "g4", slip: true},
	{means: &GuardError{"g5"}, status: http.StatusConflict, code: "g5", slip: true},
	{means: &GuardError{"g6"}, status: http.StatusConflict, code: "g6", slip: true},
	{means: &GuardError{"g7"}, status: http.StatusConflict, code: "g7", slip: true},
	{means: &GuardError{"g8"}, status: http.StatusConflict, code: "g8", slip: true},
	{means: &GuardError{"g9"}, status: http.StatusConflict, code: "g9", slip: true},
	{means: register.ErrUnknown, status: http.StatusNotFound, code: "unknown_identifier", slip: true},
	{means: identity.ErrUnknown, status: http.StatusNotFound, code: "unknown_identifier", slip: true},
	{means: identity.ErrState, status: http.StatusConflict, code: "wrong_state", slip: true},
	{means: ErrReissues, status: http.StatusTooManyRequests, code: "too_many_reissues", slip: true},

	{means: ErrNoVisit, status: http.StatusNotFound, code: "unknown_visit"},
	{means: ErrNoRefusal, status: http.StatusNotFound, code: "unknown_refusal"},
	{means: ErrNoAct, status: http.StatusNotFound, code: "unknown_act"},
	{means: ErrNoPaper, status: http.StatusNotFound, code: "no_paper"},
	{means: ErrPaper, status: http.StatusUnsupportedMediaType, code: "not_a_scan"},
	{means: ErrPapers, status: http.StatusConflict, code: "too_many_papers"},
	{means: ErrReused, status: http.StatusUnprocessableEntity, code: "idempotency_key_reused"},
	{means: ErrOver, status: http.StatusGone, code: "visit_over"},
	{means: code.ErrWrong, status: http.StatusUnprocessableEntity, code: "wrong_code", fields: []api.Field{{Name: "/code", Code: "wrong"}}},
	{means: code.ErrOver, status: http.StatusUnprocessableEntity, code: "code_over", fields: []api.Field{{Name: "/code", Code: "over"}}},
	{means: code.ErrWait, status: http.StatusTooManyRequests, code: "wait"},
	{means: ErrRate, status: http.StatusTooManyRequests, code: "too_many_acts"},
	{means: ErrAway, status: http.StatusServiceUnavailable, code: "register_away"},
	{means: identity.ErrBusy, status: http.StatusServiceUnavailable, code: "busy"},
}

// answerTo finds what the doors say of an error; nothing of one that has no meaning.
func answerTo(err error) (answer, bool) {
	i := slices.IndexFunc(answers, func(a answer) bool { return errors.Is(err, a.means) })
	if i < 0 {
		return answer{}, false
	}
	return answers[i], true
}

// A RefusedError is a refusal on record, for whose slip the doors are asked. It is what refused.
type RefusedError struct {
	ID   uuid.UUID // of the record
	What error
}

func (e *RefusedError) Error() string { return e.What.Error() }

// Unwrap gives what refused.
func (e *RefusedError) Unwrap() error { return e.What }

// record records what was decided of the person at the counter, for its own transaction has taken everything back. Other errors stay what
// they are. Who asks again by the same key and is refused the same is told of the refusal that is on record.
func (d *Desk) record(ctx context.Context, err error, by By, person uuid.UUID, what string) error {
	const keep = `INSERT INTO desk_refusal (request_key, event_id) VALUES ($1, $2) ON CONFLICT (request_key) DO NOTHING`
	const first = `SELECT event_id FROM desk_refusal WHERE request_key = $1`

	a, ok := answerTo(err)
	if !ok || !a.slip {
		return err
	}
	id, failed := uuid.NewV7()
	if failed != nil {
		return failed
	}
	key, failed := d.key(by, what, person.String(), a.code)
	if failed != nil {
		return failed
	}
	event := event(audit.DeskRefused, by, person, d.now())
	event.ID, event.Detail = id, map[string]string{"code": a.code, "act": what}
	refused := &RefusedError{id, err}
	var seen []Pattern
	failed = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		var many bool
		b := new(pgx.Batch)
		if key == nil {
			event.Queue(b)
		} else {
			b.Queue(keep, key, id)
			event.QueueIf(b, `EXISTS (SELECT FROM desk_refusal WHERE event_id = new.id)`)
			b.Queue(first, key).QueryRow(func(row pgx.Row) error { return row.Scan(&refused.ID) })
		}
		b.Queue(manyRefusals, by.Office, event.At.Add(-time.Hour), by.Person, policy.RefusalsInHour.In(d.policies)).
			QueryRow(func(row pgx.Row) error { return row.Scan(&many) })
		if err := tx.SendBatch(ctx, b).Close(); err != nil || refused.ID != id {
			return err
		}
		if a.code == "g9" {
			seen = append(seen, OwnIdentifier)
		}
		if many {
			seen = append(seen, ManyRefusals)
		}
		return raise(ctx, tx, seen, by, what, event.At)
	})
	if failed != nil {
		return fmt.Errorf("record a refusal: %w", failed)
	}
	d.count(seen...)
	return refused
}

// refuseKeyless records that a system would have spoken for a clerk without a key of its own: as often in an hour as one may act that has a key.
func (d *Desk) refuseKeyless(ctx context.Context, clientID string) error {
	wait, err := d.throttle.Take(ctx, throttle.Try{Limit: policy.ActsOfSystem.In(d.policies), By: clientID})
	switch {
	case err != nil:
		return err
	case wait > 0:
		return &RateError{wait}
	}
	return audit.Record(ctx, d.pool, audit.Event{
		Kind: audit.DeskRefused, At: d.now(), ClientID: clientID, Detail: map[string]string{"code": "key_required"},
	})
}

// A Refusal is what is on record of one.
type Refusal struct {
	ID       uuid.UUID
	At       time.Time
	Office   string // that refused
	ClientID string // through which client
	Errand   string // what was asked for: an errand, or a look-up
	Code     string
}

// Refusal finds a refusal.
func (d *Desk) Refusal(ctx context.Context, id uuid.UUID) (Refusal, error) {
	line, err := audit.Find(ctx, d.pool, audit.DeskRefused, id)
	if errors.Is(err, audit.ErrUnknown) {
		return Refusal{}, ErrNoRefusal
	}
	if err != nil {
		return Refusal{}, err
	}
	return Refusal{id, line.At, line.Office, line.ClientID, line.Detail["act"], line.Detail["code"]}, nil
}
