package browser

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/provider/audit"
	"asoba.example/provider/grant"
	"asoba.example/provider/session"
)

// End ends the session of this SID, one of the person whose session is here. One that is over already stays so.
func (b *Browsers) End(ctx context.Context, here session.Session, sid string) error {
	open, err := b.Sessions.List(ctx, here.Person)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(open, func(o session.Open) bool { return o.SID == sid }) {
		return nil
	}
	return b.ending(ctx, here, func(tx pgx.Tx) ([]string, error) { return []string{sid}, nil })
}

// EndOthers ends every session of the person but the one that is here, with all that those gave which were over before.
func (b *Browsers) EndOthers(ctx context.Context, here session.Session) error {
	open, err := b.Sessions.List(ctx, here.Person)
	if err != nil {
		return err
	}
	return b.ending(ctx, here, func(tx pgx.Tx) ([]string, error) {
		sids, err := grant.Living(ctx, tx, here.Person, b.Now())
		sids = append(sids, sidsOf(open)...)
		slices.Sort(sids)
		return slices.DeleteFunc(slices.Compact(sids), func(sid string) bool { return sid == here.SID }), err
	})
}

// EndAll makes all of the person's sign-ins so far worth nothing, that of the session that is here with them.
func (b *Browsers) EndAll(ctx context.Context, here session.Session) error {
	err := pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) error {
		return grant.End(ctx, tx, b.Jobs, here.Person, grant.Everywhere, b.Now())
	})
	if err != nil {
		return err
	}
	_ = b.Cleaner.Clean(ctx, here.Person) // where that fails they are refused all the same, and the job that is queued cleans them
	return nil
}

// Drop makes a browser a stranger again, by its ID in the list, and ends the session at it.
func (b *Browsers) Drop(ctx context.Context, here session.Session, id string) error {
	digest, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		return nil // it was no form of ours
	}
	open, err := b.Sessions.List(ctx, here.Person)
	if err != nil {
		return err
	}
	const drop = `
		DELETE FROM known_browser
		WHERE person_id = $1 AND token_hash = $2`
	return b.ending(ctx, here, func(tx pgx.Tx) ([]string, error) {
		tag, err := tx.Exec(ctx, drop, here.Person, digest)
		if err != nil || tag.RowsAffected() == 0 {
			return nil, err
		}
		forgotten := audit.Event{Kind: audit.BrowserForgotten, At: b.Now(), Person: here.Person, SID: here.SID, Agent: here.Agent}
		if err := audit.Record(ctx, tx, forgotten); err != nil {
			return nil, err
		}
		there, _ := at(digest, open)
		return sidsOf(there), nil
	})
}

// ending runs an act that ends the sessions which it names.
func (b *Browsers) ending(ctx context.Context, here session.Session, act func(tx pgx.Tx) (sids []string, err error)) error {
	var sids []string
	err := pgx.BeginFunc(ctx, b.Pool, func(tx pgx.Tx) (err error) {
		// Held first, as by a sign-in: it makes its browser known before this, and is ended, or after it.
		if _, _, err := identity.Hold(ctx, tx, here.Person); err != nil {
			return err
		}
		if sids, err = act(tx); err != nil || len(sids) == 0 {
			return err
		}
		return grant.EndSessions(ctx, tx, b.Jobs, here, sids, b.Now())
	})
	if err != nil {
		return fmt.Errorf("end sessions of %s: %w", here.Person, err)
	}
	if len(sids) == 0 {
		return nil
	}
	// A session that stays in Redis for a while gives nothing any more, but its pages would go on: so this is told.
	return b.Cleaner.Clean(ctx, here.Person)
}

func sidsOf(open []session.Open) []string {
	sids := make([]string, len(open))
	for i, o := range open {
		sids[i] = o.SID
	}
	return sids
}
