package identity

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unique"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"asoba.example/provider/audit"
)

// A PhoneChange is another phone that a citizen asks for himself:
//
//	AskPhone ──► asked ──ConfirmPhone──► pending ──its time──► the phone is changed
//	                └────── CancelPhone, ────┘
//	                        a block, a recovery, a change at the desk
//
// While it is pending nobody else can have the number. The zero one is none.
type PhoneChange struct {
	Phone   Phone
	AskedAt time.Time
	DueAt   time.Time // once the code to it was right
}

func nextPhonePlace(person uuid.UUID) string { return "phone_change:phone:" + person.String() }

// AskPhone keeps another phone that a citizen asks for, in place of one that he has asked for before. ErrState says that one is pending, or
// that the identifier is not active, or frozen.
func (r *Registry) AskPhone(ctx context.Context, person uuid.UUID, phone Phone, act Act) error {
	const ask = `
		INSERT INTO phone_change (person_id, phone, phone_index, language, asked_at)
		SELECT person_id, $2, $3, $4, $5 FROM identity
		WHERE person_id = $1 AND state = 'active' AND (recovered_at IS NULL OR recovered_at <= $6)
		ON CONFLICT (person_id) DO UPDATE
		SET phone = EXCLUDED.phone, phone_index = EXCLUDED.phone_index, language = EXCLUDED.language, asked_at = EXCLUDED.asked_at
		WHERE phone_change.due_at IS NULL`
	sealed, err := r.box.Seal(nextPhonePlace(person), []byte(phone.Reveal()))
	if err != nil {
		return fmt.Errorf("seal a phone: %w", err)
	}
	index, err := PhoneIndex(r.box, phone)
	if err != nil {
		return err
	}
	tag, err := r.pool.Exec(ctx, ask, person, sealed, index, act.language(), act.At, act.At.Add(-r.freezeFor()))
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrState
	}
	if err != nil {
		return fmt.Errorf("ask for another phone for %s: %w", person, err)
	}
	return nil
}

// PhoneChangeOf gives the change of phone that a citizen has asked for.
func (r *Registry) PhoneChangeOf(ctx context.Context, person uuid.UUID) (PhoneChange, error) {
	const read = `SELECT phone, asked_at, due_at FROM phone_change WHERE person_id = $1`
	var (
		sealed []byte
		due    *time.Time
		c      PhoneChange
	)
	err := r.pool.QueryRow(ctx, read, person).Scan(&sealed, &c.AskedAt, &due)
	if errors.Is(err, pgx.ErrNoRows) {
		return PhoneChange{}, nil
	}
	if err == nil {
		c.Phone, err = r.openNextPhone(person, sealed)
	}
	if err != nil {
		return PhoneChange{}, fmt.Errorf("find the change of phone of %s: %w", person, err)
	}
	if due != nil {
		c.DueAt = *due
	}
	return c, nil
}

// ConfirmPhone makes a change that was asked for pending, the code to that phone having come back, and tells the present phone. ErrPhoneTaken
// says that the number is another identifier's, a blocked one's too: only at a desk can it be proved to have come into other hands. The
// change is given up then. ErrState says that it is not this phone that is asked for, or not any more.
func (r *Registry) ConfirmPhone(ctx context.Context, person uuid.UUID, phone Phone, wait time.Duration, act Act) error {
	const present = `
		SELECT phone FROM identity
		WHERE person_id = $1 AND state = 'active' AND (recovered_at IS NULL OR recovered_at <= $2)
		FOR NO KEY UPDATE`
	const confirm = `
		UPDATE phone_change SET due_at = $3
		WHERE person_id = $1 AND phone_index = $2 AND due_at IS NULL`
	index, err := PhoneIndex(r.box, phone)
	if err != nil {
		return err
	}
	act.Due = act.At.Add(wait)
	elsewhere := false
	err = r.transact(ctx, act, func(tx pgx.Tx) error {
		told, err := r.move(ctx, tx, person, present, act.At.Add(-r.freezeFor()))
		if err != nil {
			return err
		}
		if elsewhere, err = usedElsewhere(ctx, tx, person, index); err != nil || elsewhere {
			return errors.Join(err, r.dropPhoneChange(ctx, tx, person, "", act))
		}
		tag, err := tx.Exec(ctx, confirm, person, index, act.Due)
		if err != nil {
			return taken(err)
		}
		if tag.RowsAffected() == 0 {
			return ErrState
		}
		if err := audit.Record(ctx, tx, act.event(audit.PhoneChangeAsked, person)); err != nil {
			return err
		}
		if _, err := r.jobs.InsertTx(ctx, tx, PhoneChangeDue{Person: person}, &river.InsertOpts{ScheduledAt: act.Due}); err != nil {
			return fmt.Errorf("queue the change: %w", err)
		}
		return r.warn(ctx, tx, person, told, "sms.phone_change", act)
	})
	if err == nil && elsewhere {
		err = ErrPhoneTaken
	}
	if err != nil {
		return fmt.Errorf("confirm the phone of %s: %w", person, err)
	}
	return nil
}

// CancelPhone gives up a change that a citizen has asked for. Where there is none, there is nothing to give up.
func (r *Registry) CancelPhone(ctx context.Context, person uuid.UUID, act Act) error {
	return r.transact(ctx, act, func(tx pgx.Tx) error {
		if _, _, err := Hold(ctx, tx, person); err != nil {
			return err
		}
		return r.dropPhoneChange(ctx, tx, person, "self", act)
	})
}

// dropPhoneChange gives a change of phone up, in an act's transaction that holds the identity, and records that where it was pending.
func (r *Registry) dropPhoneChange(ctx context.Context, tx pgx.Tx, person uuid.UUID, why string, act Act) error {
	const drop = `DELETE FROM phone_change WHERE person_id = $1 RETURNING due_at IS NOT NULL`
	var pending bool
	err := tx.QueryRow(ctx, drop, person).Scan(&pending)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("give up a change of phone: %w", err)
	case !pending:
		return nil
	}
	event := act.event(audit.PhoneChangeDropped, person)
	event.Detail = map[string]string{"why": why}
	return audit.Record(ctx, tx, event)
}

// usedElsewhere tells whether somebody else has a phone, or will have it.
func usedElsewhere(ctx context.Context, tx pgx.Tx, person uuid.UUID, index []byte) (used bool, err error) {
	const others = `
		SELECT EXISTS (SELECT FROM identity i WHERE i.phone_index = $2 AND i.person_id <> $1)
		    OR EXISTS (SELECT FROM phone_change c WHERE c.phone_index = $2 AND c.person_id <> $1 AND c.due_at IS NOT NULL)`
	if err := tx.QueryRow(ctx, others, person, index).Scan(&used); err != nil {
		return false, fmt.Errorf("look for who has a phone: %w", err)
	}
	return used, nil
}

func (r *Registry) openNextPhone(person uuid.UUID, sealed []byte) (Phone, error) {
	e164, err := r.box.Open(nextPhonePlace(person), sealed)
	if err != nil {
		return Phone{}, fmt.Errorf("open the next phone of %s: %w", person, err)
	}
	return Phone{unique.Make(string(e164))}, nil
}

// A PhoneChangeDue is the job of changing a phone once the time for it has come.
type PhoneChangeDue struct {
	Person uuid.UUID `json:"person"`
}

// Kind names the job.
func (PhoneChangeDue) Kind() string { return "phone_change" }

// A PhoneChanger is the worker of those jobs.
type PhoneChanger struct {
	river.WorkerDefaults[PhoneChangeDue]

	Registry *Registry
	Now      func() time.Time
}

// Work does the job. Of one that was given up nothing is left to do; where the clock here is behind, or another was asked for since, it waits.
func (c *PhoneChanger) Work(ctx context.Context, job *river.Job[PhoneChangeDue]) error {
	at := c.Now()
	wait, err := c.Registry.takePhone(ctx, job.Args.Person, at)
	if err == nil && wait > 0 {
		return river.JobSnooze(wait)
	}
	return err
}

// takePhone changes the phone of a person whose change is due: what was pending is done, or given up where somebody else has proved the number
// at a desk meanwhile, and the present phone told so. Of one that is not due yet it tells how long that is.
func (r *Registry) takePhone(ctx context.Context, person uuid.UUID, at time.Time) (wait time.Duration, err error) {
	const asked = `SELECT phone_index FROM phone_change WHERE person_id = $1`
	const pending = `SELECT phone, language, due_at FROM phone_change WHERE person_id = $1 AND due_at IS NOT NULL FOR UPDATE`
	err = pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		var index []byte
		if err := tx.QueryRow(ctx, asked, person).Scan(&index); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if err := HoldWith(ctx, tx, person, index); err != nil {
			return err
		}
		var (
			sealed []byte
			due    time.Time
			act    = Act{At: at}
		)
		err := tx.QueryRow(ctx, pending, person).Scan(&sealed, &act.Language, &due)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if wait = due.Sub(at); wait > 0 {
			return nil
		}
		phone, err := r.openNextPhone(person, sealed)
		if err != nil {
			return err
		}
		kept, err := r.keep(person, phone)
		if err != nil {
			return err
		}
		used, err := usedElsewhere(ctx, tx, person, kept.index)
		if err != nil {
			return err
		}
		if used {
			if err := r.dropPhoneChange(ctx, tx, person, "taken", act); err != nil {
				return err
			}
			return r.Tell(ctx, tx, person, "sms.phone_change_dropped", act)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM phone_change WHERE person_id = $1`, person); err != nil {
			return err
		}
		_, _, err = r.replace(ctx, tx, person, changePhone, kept, act)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("change the phone of %s, which is due: %w", person, err)
	}
	return wait, nil
}
