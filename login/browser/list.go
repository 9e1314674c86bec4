package browser

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/login/place"
	"asoba.example/provider/session"
)

// A Browser is one that a person has signed in from, as they see it in a list.
type Browser struct {
	ID      string // names it in a form, and opens nothing; "" for one that is known no more
	Agent   string
	Place   place.Place // of the last sign-in
	FirstAt time.Time
	LastAt  time.Time      // of the last sign-in
	Open    []session.Open // the sessions at it: one, and those that it has lost the cookie of
	Here    bool           // the list is read in it
}

// List gives the browsers of the person whose session is here: the one that it is in, and then by the last sign-in.
func (b *Browsers) List(ctx context.Context, here session.Session) ([]Browser, error) {
	const known = `
		SELECT token_hash, agent, place, first_at, last_at FROM known_browser
		WHERE person_id = $1 AND till > $2
		ORDER BY token_hash = $3 DESC, last_at DESC, token_hash`

	open, err := b.Sessions.List(ctx, here.Person)
	if err != nil {
		return nil, err
	}
	rows, _ := b.Pool.Query(ctx, known, here.Person, b.Now(), here.Browser)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Browser, error) {
		var (
			found  Browser
			digest []byte
		)
		err := row.Scan(&digest, &found.Agent, &found.Place, &found.FirstAt, &found.LastAt)
		found.ID, found.Here = base64.RawURLEncoding.EncodeToString(digest), bytes.Equal(digest, here.Browser)
		found.Open, open = at(digest, open)
		return found, err
	})
	if err != nil {
		return nil, fmt.Errorf("list a person's browsers: %w", err)
	}
	for _, o := range open {
		all = append(all, Browser{Agent: o.Agent, FirstAt: o.AuthTime, LastAt: o.AuthTime, Open: []session.Open{o}, Here: o.SID == here.SID})
	}
	return all, nil
}

// Is tells whether a browser's ID in the list is that of the browser that a session is in.
func Is(id string, here session.Session) bool {
	return len(here.Browser) > 0 && id == base64.RawURLEncoding.EncodeToString(here.Browser)
}

// at parts the sessions at a browser from the others.
func at(digest []byte, open []session.Open) (there, elsewhere []session.Open) {
	for _, o := range open {
		if bytes.Equal(o.Browser, digest) {
			there = append(there, o)
		} else {
			elsewhere = append(elsewhere, o)
		}
	}
	return there, elsewhere
}
