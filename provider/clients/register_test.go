package clients_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/clients"
)

// No use of an initial access token is lost on a client that was not registered, and no client is registered without one.
func TestASelfRegistrationIsWhole(t *testing.T) {
	t.Parallel()
	n, pool := newRegistry(t)
	initial, err := n.IssueInitial(t.Context(), clients.Initial{Scope: "openid", Uses: 1, Till: noon.Add(time.Hour)}, by, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range []struct{ verb, table string }{{"INSERT", "client"}, {"INSERT", "event"}, {"UPDATE", "initial_access_token"}} {
		heal := pgtest.FailOn(t, pool, fault.verb, fault.table)
		if _, _, err := n.RegisterSelf(t.Context(), initial, metadata(t, portal), noon); err == nil {
			t.Errorf("registered over a broken %s of %s", fault.verb, fault.table)
		}
		heal()
		if all, err := n.List(t.Context(), "", 100); err != nil || len(all) != 0 {
			t.Errorf("%s %s: %d clients, %v", fault.verb, fault.table, len(all), err)
		}
	}
	c, _, err := n.RegisterSelf(t.Context(), initial, metadata(t, portal), noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.RegisterSelf(t.Context(), initial, metadata(t, portal), noon); !errors.Is(err, clients.ErrToken) {
		t.Errorf("a second use of one: %v", err)
	}
	// The record tells by which token the client came, and who issued it.
	const recorded = `
		SELECT count(*) FROM event c JOIN event i ON i.detail ->> 'initial_access_token' = c.detail ->> 'initial_access_token'
		WHERE c.kind = 'client.registered' AND c.client_id = $1 AND i.kind = 'initial_access_token.issued' AND i.detail ->> 'by' = 'operator'`
	var events int
	if err := pool.QueryRow(t.Context(), recorded, c.ID).Scan(&events); err != nil || events != 1 {
		t.Errorf("%d records, %v", events, err)
	}
}

// An initial access token is never revoked without a record of who revoked it.
func TestARevocationIsWhole(t *testing.T) {
	t.Parallel()
	n, pool := newRegistry(t)
	var id uuid.UUID
	limits := clients.Initial{Scope: "openid", Uses: 2, Till: noon.Add(time.Hour)}
	initial, err := n.IssueInitial(t.Context(), limits, by, func(_ context.Context, _ pgx.Tx, made uuid.UUID, _ string) error {
		id = made
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, fault := range []struct{ verb, table string }{{"UPDATE", "initial_access_token"}, {"INSERT", "event"}} {
		heal := pgtest.FailOn(t, pool, fault.verb, fault.table)
		if err := n.RevokeInitial(t.Context(), id, by); err == nil {
			t.Errorf("revoked over a broken %s of %s", fault.verb, fault.table)
		}
		heal()
	}
	if _, _, err := n.RegisterSelf(t.Context(), initial, metadata(t, portal), noon); err != nil {
		t.Errorf("it was revoked all the same: %v", err)
	}
	if err := n.RevokeInitial(t.Context(), id, by); err != nil {
		t.Error(err)
	}
	if err := n.RevokeInitial(t.Context(), id, by); !errors.Is(err, clients.ErrToken) {
		t.Errorf("revoked again: %v", err)
	}
	const recorded = `SELECT count(*) FROM event WHERE kind = 'initial_access_token.revoked' AND detail ->> 'initial_access_token' = $1 AND detail ->> 'by' = 'operator'`
	var events int
	if err := pool.QueryRow(t.Context(), recorded, id.String()).Scan(&events); err != nil || events != 1 {
		t.Errorf("%d records, %v", events, err)
	}
}

// A client that was given to a body is changed by its people, and by no token any more.
func TestABodysClientDoesNotManageItself(t *testing.T) {
	t.Parallel()
	n, pool := newRegistry(t)
	initial, err := n.IssueInitial(t.Context(), clients.Initial{Scope: "openid", Uses: 1, Till: noon.Add(time.Hour)}, by, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, made, err := n.RegisterSelf(t.Context(), initial, metadata(t, portal), noon)
	if err != nil {
		t.Fatal(err)
	}
	owner := uuid.Must(uuid.NewV7())
	if _, err := pool.Exec(t.Context(), `INSERT INTO body (id, names, added_at) VALUES ($1, '{"": "Office"}', now())`, owner); err != nil {
		t.Fatal(err)
	}
	if _, err := n.FindSelf(t.Context(), c.ID, made.RegistrationToken); err != nil {
		t.Fatal(err)
	}
	if _, err := n.SetOwner(t.Context(), c.ID, clients.Any, &owner, by); err != nil {
		t.Fatal(err)
	}
	if _, err := n.FindSelf(t.Context(), c.ID, made.RegistrationToken); !errors.Is(err, clients.ErrToken) {
		t.Errorf("its token still manages it: %v", err)
	}
	if _, _, err := n.ReplaceSelf(t.Context(), c.ID, c.Metadata, noon); !errors.Is(err, clients.ErrToken) {
		t.Errorf("it still changes itself: %v", err)
	}
	managing, _ := register(t, n, `{"grant_types":["client_credentials"],"scope":"cabinet.inbox"}`)
	if _, err := n.SetOwner(t.Context(), managing.ID, clients.Any, &owner, by); err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.Replace(t.Context(), managing.ID, clients.Any, metadata(t, `{"grant_types":["client_credentials"],"scope":"desk:act"}`), clients.By{At: noon}); !errors.Is(err, clients.ErrMetadata) {
		t.Errorf("a body's client manages: %v", err)
	}
	desk, _, err := n.Register(t.Context(), "desk", metadata(t, `{"grant_types":["client_credentials"],"scope":"desk:act"}`), clients.By{At: noon})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.SetOwner(t.Context(), desk.ID, clients.Any, &owner, clients.By{At: noon}); !errors.Is(err, clients.ErrManaging) {
		t.Errorf("a client that manages is a body's: %v", err)
	}
}

// A registration access token is a secret too: a client that the operator lets speak for clerks takes no other key by it.
func TestARegistrationTokenReKeysNoDeskSystem(t *testing.T) {
	t.Parallel()
	n, _ := newRegistry(t)
	initial, err := n.IssueInitial(t.Context(), clients.Initial{Scope: "openid", Uses: 1, Till: noon.Add(time.Hour)}, by, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := n.RegisterSelf(t.Context(), initial, metadata(t, portal), noon)
	if err != nil {
		t.Fatal(err)
	}
	changed := c.Metadata
	changed.Scope += " desk:act"
	if _, _, err := n.Replace(t.Context(), c.ID, clients.Any, changed, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.ReplaceSelf(t.Context(), c.ID, changed, noon); !errors.Is(err, clients.ErrKeyless) {
		t.Errorf("got %v", err)
	}
}
