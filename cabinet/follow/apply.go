package follow

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/signal"
)

// apply gives entries their effects and moves the cursor past them, in one transaction.
func (f *Follower) apply(ctx context.Context, cursor string, news changes) error {
	now := f.cfg.Now()
	heard := now
	if n := len(news.Entries); n > 0 && news.Entries[n-1].At.Before(now) {
		heard = news.Entries[n-1].At // there may be more behind the last one: all that is sure is what came before it
	}
	e := effectsOf(news.Entries)
	if news.anew {
		heard = time.Time{} // nothing, until everybody was read
		e.editions = append(e.editions, edition{id: everybody, at: now})
	}
	err := pgx.BeginFunc(ctx, f.cfg.Pool, func(tx pgx.Tx) error {
		// First, so that another node with the same entries waits here and then finds them applied.
		const move = `UPDATE follow SET cursor = $2, heard_at = greatest(heard_at, $3) WHERE cursor = $1`
		tag, err := tx.Exec(ctx, move, cursor, news.Cursor, heard)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return errMoved
		}
		if err := waitForPage(ctx, tx, e); err != nil {
			return err
		}
		if err := journal.Append(ctx, tx, e.journal); err != nil {
			return err
		}
		if err := journal.Name(ctx, tx, news.Clients); err != nil {
			return err
		}
		if err := join(ctx, tx, e.joined); err != nil {
			return err
		}
		if err := access.End(ctx, tx, e.ended, now.Add(-f.cfg.Keep)); err != nil {
			return err
		}
		if err := access.Disable(ctx, tx, e.disabled); err != nil {
			return err
		}
		if err := signal.Hold(ctx, tx, e.granted, now); err != nil {
			return err
		}
		if err := signal.Over(ctx, tx, e.over); err != nil {
			return err
		}
		if err := profile.Activate(ctx, tx, e.activated); err != nil {
			return err
		}
		return announce(ctx, tx, e.editions)
	})
	if err != nil {
		return err
	}
	if len(e.editions) > 0 {
		select {
		case f.announced <- struct{}{}:
		default:
		}
	}
	if len(e.keysGone) > 0 {
		return f.cfg.ForgetKeys(ctx, e.keysGone)
	}
	return nil
}

// waitForPage waits for a page of people that is applied at the same moment, before any cabinet is looked at: whoever applies one has taken the turn
// before, and in another order one would wait for the other. Of a sign-in and a page neither would see what the other writes, a sign-in here and a
// cabinet there, and the cabinet would stay as it came. Where two turn out to be one, a page that was read before is read again: it may tell of who
// is no more.
func waitForPage(ctx context.Context, tx pgx.Tx, e effects) error {
	var turn string
	switch {
	case len(e.joined) > 0:
		turn = `UPDATE reading SET pages = pages + 1`
	case len(e.activated) > 0:
		turn = `SELECT FROM reading FOR SHARE`
	default:
		return nil
	}
	if _, err := tx.Exec(ctx, turn); err != nil {
		return fmt.Errorf("wait for a page of people: %w", err)
	}
	return nil
}

// join makes one cabinet of each two whose people are one.
func join(ctx context.Context, tx pgx.Tx, joined []joined) error {
	for _, j := range joined {
		if err := profile.Join(ctx, tx, j.gone, j.stays); err != nil {
			return err
		}
	}
	return nil
}

// joined are two people who are one.
type joined struct{ gone, stays uuid.UUID }

// effects are what entries do here.
type effects struct {
	journal   []journal.Entry
	ended     []access.Ended
	disabled  []access.Disabled
	granted   []signal.Grant
	over      []signal.End
	keysGone  []string // what they have signed is believed no more
	activated []uuid.UUID
	editions  []edition
	joined    []joined
}

func effectsOf(entries []entry) effects {
	var all effects
	for _, e := range entries {
		switch e.Kind {
		case "edition.applied", "person.changed": // a single event has a place among editions, and its people likewise
			all.editions = append(all.editions, edition{id: e.Edition, at: e.At})
			if gone, err := uuid.Parse(e.Detail["joined"]); err == nil {
				all.joined = append(all.joined, joined{gone, e.Person})
			}
		case "client.disabled", "client.removed", "client.enabled":
			all.disabled = append(all.disabled, access.Disabled{ClientID: e.ClientID, Now: e.Kind != "client.enabled", At: e.At})
		case "key.gone":
			all.keysGone = append(all.keysGone, e.Detail["kid"])
		}
		kind := journal.Kind(e.Kind)
		if kind == journal.GrantEnded && e.GID != uuid.Nil {
			all.ended = append(all.ended, access.Ended{ID: e.GID, At: e.At})
		}
		if e.Person == uuid.Nil {
			continue
		}
		all.journal = append(all.journal, journal.Entry{
			ID: e.ID, Person: e.Person, At: e.At, Kind: kind, Actor: actor(e), ClientID: e.ClientID, Office: e.Office,
			ACR: e.ACR, Agent: e.Agent, Detail: e.Detail,
		})
		switch kind {
		case journal.GrantGiven:
			all.granted = append(all.granted, signal.Grant{ID: e.GID, Person: e.Person, ClientID: e.ClientID, Scope: e.Detail["scope"], At: e.At})
		case journal.GrantEnded:
			all.over = append(all.over, signal.End{Event: e.ID, Grant: e.GID, Why: e.Detail["why"], At: e.At})
		case journal.IdentifierActivated:
			all.activated = append(all.activated, e.Person)
		case journal.IdentifierBlocked, journal.SessionsEnded:
			all.ended = append(all.ended, access.Ended{ID: e.Person, At: e.At})
			all.over = append(all.over, signal.End{Event: e.ID, Person: e.Person, Why: why(e), At: e.At})
		default: // for the journal only
		}
	}
	return all
}

// why tells why nothing that a person granted is good any more.
func why(e entry) string {
	if e.Detail["reason"] == "register" {
		return signal.Deactivated
	}
	return e.Detail["why"]
}

// endedBy is whose act sign-ins or a grant ended by, where that was not the citizen's: the system's, also where it followed from a block, of which
// the journal tells by itself whose act that was.
var endedBy = map[string]journal.Actor{
	"blocked": journal.System, "unblocked": journal.System, "deactivated": journal.System, "incapable": journal.System, "renumbered": journal.System,
	"cloned": journal.System, "reused": journal.System, "went_live": journal.System, "revoked": journal.Client,
}

// actor is who acted, as far as the feed tells: a clerk, the register, an e-service with the citizen's token, or the citizen.
func actor(e entry) journal.Actor {
	switch kind := journal.Kind(e.Kind); {
	case kind == journal.SessionsEnded, kind == journal.GrantEnded:
		return cmp.Or(endedBy[e.Detail["why"]], journal.Self)
	case e.Staff:
		return journal.Staff
	case e.Detail["reason"] == "register", e.Detail["was"] == "register", kind == journal.PersonChanged:
		return journal.System
	case kind == journal.TokenExchanged:
		return journal.Client
	}
	return journal.Self
}
