package factor

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"asoba.example/login/identity"
	"asoba.example/provider/audit"
)

// hold keeps an identifier as it is until the transaction ends. identity.ErrState says that it is not Active, or was acted upon since who was
// read.
func hold(ctx context.Context, tx pgx.Tx, who identity.Identity) error {
	state, changed, err := identity.Hold(ctx, tx, who.Person)
	if err == nil && (state != identity.Active || !changed.Equal(who.ChangedAt)) {
		err = identity.ErrState
	}
	return err
}

// once says identity.ErrState where nothing was left to use: it was used or removed meanwhile.
func once(tag pgconn.CommandTag, err error) error {
	if err == nil && tag.RowsAffected() == 0 {
		err = identity.ErrState
	}
	return err
}

// event records what was done, and why where it was not the person who did it.
func event(kind audit.Kind, person uuid.UUID, why string, act identity.Act) audit.Event {
	e := audit.Event{Kind: kind, At: act.At, Person: person, Agent: act.Agent, Where: act.Where}
	if why != "" {
		e.Detail = map[string]string{"why": why}
	}
	return e
}
