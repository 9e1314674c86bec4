package body_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
	"asoba.example/provider/body"
	"asoba.example/provider/clients"
	"asoba.example/provider/fetch"
	"asoba.example/provider/grant"
	"asoba.example/provider/pair"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

// A world is a body with two representatives, somebody of the operator's staff, a citizen, and a specimen.
type world struct {
	*body.Bodies
	pool     *pgxpool.Pool
	registry *clients.Registry
	denials  *grant.Denials
	office   uuid.UUID // the body

	anna, boris, operator, citizen, specimen uuid.UUID
}

// judges knows the operator's staff; clerk.Hold, which does so in the program, has tests of its own.
func (w *world) judges(_ context.Context, _ pgx.Tx, person uuid.UUID) (bool, error) {
	return person == w.operator, nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{pool: pgtest.New(t)}
	registry, err := clients.New(t.Context(), clients.Config{
		Pool: w.pool, Back: w.pool, Key: make([]byte, 32), Caller: fetch.New(fetch.Config{}), Sectors: fetch.New(fetch.Config{}), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := river.NewClient(riverpgxv5.New(w.pool), &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w.registry, w.denials = registry, grant.NewDenials(w.pool, redistest.New(t), 5*time.Minute, now)
	w.Bodies = body.New(body.Config{Pool: w.pool, Clients: registry, Jobs: jobs, Denials: w.denials, Judges: w.judges})
	for i, of := range []struct {
		who    *uuid.UUID
		number string
	}{
		{&w.anna, "3080356A001PB5"},
		{&w.boris, "1010130K001PB9"},
		{&w.operator, "2290296M000BA3"},
		{&w.citizen, "5311299B500PB0"},
		{&w.specimen, "0000000A000PB2"},
	} {
		*of.who = uuid.Must(uuid.NewV7())
		w.exec(t, `INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in) VALUES ($1, $2, 'F', '1856', 'BY', 1)`, *of.who, of.number)
		w.exec(t, `INSERT INTO identity (person_id, state, phone, phone_index, issued_at, changed_at) VALUES ($1, 'active', '\x00', $2, now(), now())`,
			*of.who, []byte{byte(i)})
	}
	office, err := w.Add(t.Context(), clients.Texts{"": "Ведомство", "en": "Office"}, clients.By{At: noon})
	if err != nil {
		t.Fatal(err)
	}
	w.office = office.ID
	for _, person := range []uuid.UUID{w.anna, w.boris} {
		if err := w.Name(t.Context(), w.office, person, clients.By{At: noon}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := w.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (w *world) by(person uuid.UUID) clients.By { return w.By(person, "tool", noon) }

func metadata(t *testing.T, text string) (m clients.Metadata) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

const portal = `{"redirect_uris":["https://portal.example/cb"],"scope":"openid phone"}`

// draft is a draft of the body's.
func (w *world) draft(t *testing.T) *clients.Client {
	t.Helper()
	c, _, err := w.registry.RegisterDraft(t.Context(), "", w.office, metadata(t, portal), w.by(w.anna))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// propose has Anna propose that the client be live, as it is but for the scope.
func (w *world) propose(t *testing.T, c *clients.Client, scope string) body.Proposal {
	t.Helper()
	m := c.Metadata
	m.Scope = scope
	p, err := w.Propose(t.Context(), c.ID, w.version(t, c), &m, w.by(w.anna))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// version is the client's now.
func (w *world) version(t *testing.T, c *clients.Client) (v clients.Version) {
	t.Helper()
	if err := w.pool.QueryRow(t.Context(), `SELECT version FROM client WHERE client_id = $1`, c.ID).Scan(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// give gives a person a grant of a client, as an exchanged code does.
func (w *world) give(t *testing.T, c *clients.Client, person uuid.UUID) (gid uuid.UUID, given bool) {
	t.Helper()
	gid = uuid.Must(uuid.NewV7())
	b := new(pgx.Batch)
	grant.Give(b, grant.Grant{
		ID: gid, Person: person, ClientID: c.ID, SID: gid.String(), Scopes: []string{"openid"}, Audience: []string{}, AuthTime: noon, ACR: "low",
		AMR: []string{}, At: noon, Till: noon.Add(24 * time.Hour),
	}, nil, &given)
	if err := w.pool.SendBatch(t.Context(), b).Close(); err != nil {
		t.Fatal(err)
	}
	return gid, given
}

// state is all that an act upon a client could change.
func (w *world) state(t *testing.T, id string) (s string) {
	t.Helper()
	const find = `
		SELECT (SELECT concat_ws(' ', stage, version, owner_id, metadata ->> 'scope', removed_at) FROM client WHERE client_id = $1) ||
		       coalesce((SELECT string_agg(concat_ws(' ', '', state, decided_by, reason), '') FROM proposal WHERE client_id = $1), '') ||
		       (SELECT concat_ws(' ', '', count(*), count(ended_at)) FROM client_grant WHERE client_id = $1) ||
		       (SELECT ' ' || count(*) FROM event WHERE client_id = $1) || (SELECT ' ' || count(*) FROM river_job)`
	if err := w.pool.QueryRow(t.Context(), find, id).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

// A client goes from the body's wish to citizens by two people, and so does every change of it; its author never decides.
func TestTwoPeopleTakeAClientLive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.draft(t)
	if !c.IsDraft() || *c.Owner != w.office {
		t.Fatalf("registered as %s of %v", c.Stage, c.Owner)
	}
	c, _, err := w.registry.Replace(t.Context(), c.ID, c.Version, metadata(t, portal), w.by(w.boris))
	if err != nil {
		t.Fatalf("a draft, by any of them: %v", err)
	}
	p := w.propose(t, c, "openid phone")
	if _, err := w.Propose(t.Context(), c.ID, c.Version, nil, w.by(w.boris)); !errors.Is(err, body.ErrOpen) {
		t.Errorf("a second proposal: %v", err)
	}
	for name, test := range map[string]struct {
		who  uuid.UUID
		want error
	}{
		"its author": {w.anna, pair.ErrOwn}, "a citizen": {w.citizen, clients.ErrUnknown}, "a specimen": {w.specimen, clients.ErrUnknown},
	} {
		if _, _, err := w.Approve(t.Context(), c.ID, p.ID, w.by(test.who)); !errors.Is(err, test.want) {
			t.Errorf("approved by %s: got %v, want %v", name, err, test.want)
		}
		if _, err := w.Refuse(t.Context(), c.ID, p.ID, "no", w.by(test.who)); !errors.Is(err, test.want) {
			t.Errorf("refused by %s: got %v, want %v", name, err, test.want)
		}
	}
	if _, err := w.Withdraw(t.Context(), c.ID, p.ID, w.by(w.boris)); !errors.Is(err, pair.ErrOwn) {
		t.Errorf("withdrawn by another: %v", err)
	}
	live, _, err := w.Approve(t.Context(), c.ID, p.ID, w.by(w.boris))
	if err != nil || live.Stage != clients.Live {
		t.Fatalf("approved by another: %v", err)
	}
	done := w.state(t, c.ID)
	if again, secret, err := w.Approve(t.Context(), c.ID, p.ID, w.by(w.boris)); err != nil || again.Version != live.Version || secret != "" {
		t.Errorf("approved once more: %v", err)
	}
	_, _, err = w.Approve(t.Context(), c.ID, p.ID, w.by(w.operator))
	if decided, ok := errors.AsType[*pair.DecidedError](err); !ok || decided.By != w.boris || decided.State != pair.Approved {
		t.Errorf("approved by another: %v", err)
	}
	if w.state(t, c.ID) != done {
		t.Error("something was done again")
	}

	// From here on nobody changes it alone.
	if _, _, err := w.registry.Replace(t.Context(), c.ID, clients.Any, live.Metadata, w.by(w.anna)); !errors.Is(err, clients.ErrLive) {
		t.Errorf("changed by one: %v", err)
	}
	if err := w.registry.Remove(t.Context(), c.ID, clients.Any, w.by(w.anna)); !errors.Is(err, clients.ErrLive) {
		t.Errorf("removed by one: %v", err)
	}
	if _, _, err := w.registry.Rotate(t.Context(), c.ID, clients.Any, 23*time.Hour, w.by(w.anna)); !errors.Is(err, clients.ErrOverlap) {
		t.Errorf("a secret that the service still has was ended by one: %v", err)
	}
	p = w.propose(t, live, "openid")
	if _, _, err := w.registry.Rotate(t.Context(), c.ID, clients.Any, 24*time.Hour, w.by(w.anna)); err != nil { // which is no change of what was proposed over
		t.Errorf("its secret is theirs: %v", err)
	}
	if live, _, err = w.Approve(t.Context(), c.ID, p.ID, w.by(w.operator)); err != nil || live.Metadata.Scope != "openid" || live.Stage != clients.Live {
		t.Errorf("approved by the operator's staff: %v", err)
	}
	const history = `SELECT string_agg(kind, ' ' ORDER BY id) FROM event WHERE client_id = $1 AND detail ->> 'person' IS NOT NULL`
	var kinds string
	if err := w.pool.QueryRow(t.Context(), history, c.ID).Scan(&kinds); err != nil {
		t.Fatal(err)
	}
	if want := "client.registered client.changed client.proposed client.changed client.approved client.proposed client.secret_rotated client.changed client.approved"; kinds != want {
		t.Errorf("recorded %s, want %s", kinds, want)
	}
}

// Those who do not represent a body hear nothing of its clients, and change none; who was removed is one of them.
func TestAClientIsItsBodysAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.draft(t)
	own, _, err := w.registry.Register(t.Context(), "operators", metadata(t, portal), clients.By{At: noon})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Remove(t.Context(), w.office, w.boris, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	if err := w.Name(t.Context(), w.office, w.specimen, clients.By{At: noon}); !errors.Is(err, body.ErrNobody) {
		t.Errorf("a specimen was named: %v", err)
	}
	for _, of := range []*clients.Client{c, own} {
		before := w.state(t, of.ID)
		people := []uuid.UUID{w.boris, w.citizen, w.specimen}
		if of == own {
			people = append(people, w.anna)
		}
		for _, person := range people {
			by := w.by(person)
			_, _, changed := w.registry.Replace(t.Context(), of.ID, clients.Any, of.Metadata, by)
			_, _, rotated := w.registry.Rotate(t.Context(), of.ID, clients.Any, 0, by)
			removed := w.registry.Remove(t.Context(), of.ID, clients.Any, by)
			_, proposed := w.Propose(t.Context(), of.ID, w.version(t, of), nil, by)
			_, seen := w.Client(t.Context(), of.ID, person)
			for act, err := range map[string]error{"change": changed, "rotate": rotated, "remove": removed, "propose": proposed, "see": seen} {
				if !errors.Is(err, clients.ErrUnknown) {
					t.Errorf("%s %s: %v", act, of.ID, err)
				}
			}
		}
		if after := w.state(t, of.ID); after != before {
			t.Errorf("%s: got %s, want %s", of.ID, after, before)
		}
	}
	if _, _, err := w.registry.RegisterDraft(t.Context(), "", w.office, metadata(t, portal), w.by(w.boris)); !errors.Is(err, clients.ErrUnknown) {
		t.Errorf("registered by one who was removed: %v", err)
	}
	if err := w.registry.Remove(t.Context(), c.ID, clients.Any, w.by(w.anna)); err != nil {
		t.Errorf("a draft is theirs to remove: %v", err)
	}
}

// What waits for a decision is told to whoever may look at it: all to the operator's staff and its commands, to others what is of the bodies
// that they represent.
func TestWhatWaitsIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, err := w.Add(t.Context(), clients.Texts{"": "Другое"}, clients.By{At: noon})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Name(t.Context(), other.ID, w.boris, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	ours := w.draft(t)
	theirs, _, err := w.registry.RegisterDraft(t.Context(), "", other.ID, metadata(t, portal), w.by(w.boris))
	if err != nil {
		t.Fatal(err)
	}
	ofOurs, err := w.Propose(t.Context(), ours.ID, ours.Version, nil, w.by(w.anna))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Propose(t.Context(), theirs.ID, theirs.Version, nil, w.by(w.boris)); err != nil {
		t.Fatal(err)
	}
	told := func(by clients.By) (names string) {
		t.Helper()
		found, err := w.Waiting(t.Context(), by)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range found {
			names += map[string]string{ours.ID: "ours ", theirs.ID: "theirs "}[p.ClientID]
		}
		return names
	}
	w.exec(t, `UPDATE proposal SET proposed_at = proposed_at + interval '1 hour' WHERE client_id = $1`, theirs.ID)
	for who, row := range map[string]struct {
		by   clients.By
		want string
	}{
		"the operator's command":  {clients.By{}, "ours theirs "},
		"of the operator's staff": {w.by(w.operator), "ours theirs "},
		"who represents one body": {w.by(w.anna), "ours "},
		"who represents both":     {w.by(w.boris), "ours theirs "},
		"a citizen":               {w.by(w.citizen), ""},
	} {
		if got := told(row.by); got != row.want {
			t.Errorf("%s: got %q, want %q", who, got, row.want)
		}
	}
	if err := w.Remove(t.Context(), w.office, w.anna, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	if got := told(w.by(w.anna)); got != "" {
		t.Errorf("who represents nobody any more: got %q", got)
	}
	if _, _, err := w.Approve(t.Context(), ours.ID, ofOurs.ID, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	if got := told(clients.By{}); got != "theirs " {
		t.Errorf("once one is approved: got %q", got)
	}
}

// A body gives its client nothing that is an operator's to give, neither at once nor by a proposal; what an operator gave it keeps.
func TestABodyClaimsNoMoreThanItMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.draft(t)
	for _, member := range []string{
		`"first_party":true`, `"basis":"official"`, `"scope":"openid clients:own"`, `"scope":"openid desk:act"`, `"resource_server":"https://api.example"`,
		`"resources":["https://api.example"]`, `"require_pkce":false`, `"legal_basis":"Law 1"`,
		`"grant_types":["urn:ietf:params:oauth:grant-type:token-exchange"],"resource_server":"https://a.example","token_exchange":[{"audience":"https://b.example","scope":"openid"}]`,
	} {
		m := metadata(t, `{"redirect_uris":["https://portal.example/cb"],`+member+`}`)
		_, _, registered := w.registry.RegisterDraft(t.Context(), "", w.office, m, w.by(w.anna))
		_, _, changed := w.registry.Replace(t.Context(), c.ID, clients.Any, m, w.by(w.anna))
		_, proposed := w.Propose(t.Context(), c.ID, c.Version, &m, w.by(w.anna))
		for act, err := range map[string]error{"registered": registered, "changed": changed, "proposed": proposed} {
			if !errors.Is(err, clients.ErrMetadata) {
				t.Errorf("%s with %s: %v", act, member, err)
			}
		}
	}
	given := metadata(t, `{"redirect_uris":["https://portal.example/cb"],"scope":"openid","basis":"official","legal_basis":"Law 1"}`)
	if _, _, err := w.registry.Replace(t.Context(), c.ID, clients.Any, given, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	given.Scope = "openid phone"
	if _, _, err := w.registry.Replace(t.Context(), c.ID, clients.Any, given, w.by(w.boris)); err != nil {
		t.Errorf("what the operator gave: %v", err)
	}
}

// A proposal is made over what its author has seen, and changes nothing over what anybody has changed since.
func TestAProposalIsBoundToWhatItsAuthorSaw(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.draft(t)
	for _, version := range []clients.Version{clients.Any, c.Version + 1, -1} {
		if _, err := w.Propose(t.Context(), c.ID, version, nil, w.by(w.anna)); !errors.Is(err, clients.ErrStale) {
			t.Errorf("over version %d: %v", version, err)
		}
	}
	changed := c.Metadata
	changed.RedirectURIs = []string{"https://evil.example/cb"}
	if _, _, err := w.registry.Replace(t.Context(), c.ID, clients.Any, changed, w.by(w.boris)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Propose(t.Context(), c.ID, c.Version, nil, w.by(w.anna)); !errors.Is(err, clients.ErrStale) {
		t.Errorf("what Anna has not seen: %v", err)
	}
	p := w.propose(t, c, "openid")
	if _, _, err := w.registry.Replace(t.Context(), c.ID, clients.Any, c.Metadata, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	before := w.state(t, c.ID)
	if _, _, err := w.Approve(t.Context(), c.ID, p.ID, w.by(w.boris)); !errors.Is(err, clients.ErrStale) {
		t.Errorf("approved over another's change: %v", err)
	}
	if after := w.state(t, c.ID); after != before {
		t.Errorf("got %s, want %s", after, before)
	}
	if q, err := w.Withdraw(t.Context(), c.ID, p.ID, w.by(w.anna)); err != nil || q.State != pair.Withdrawn || *q.DecidedBy != w.anna {
		t.Errorf("withdrawn: %v %v", q, err)
	}
}

// A proposal is of one version of the client, however often somebody else changes it meanwhile.
func TestAProposalIsOfOneVersion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.draft(t)
	var changing sync.WaitGroup
	changing.Go(func() {
		for i := range 50 {
			m := c.Metadata
			m.RedirectURIs = []string{fmt.Sprintf("https://portal.example/%d", i)}
			if _, _, err := w.registry.Replace(t.Context(), c.ID, clients.Any, m, w.by(w.boris)); err != nil && !errors.Is(err, clients.ErrStale) {
				t.Error(err)
			}
		}
	})
	for range 50 {
		p, err := w.Propose(t.Context(), c.ID, w.version(t, c), nil, w.by(w.anna))
		if errors.Is(err, clients.ErrStale) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var recorded bool
		const find = `SELECT metadata = base AND metadata -> 'redirect_uris' ->> 0 = $2 FROM proposal WHERE id = $1`
		if err := w.pool.QueryRow(t.Context(), find, p.ID, p.Metadata.RedirectURIs[0]).Scan(&recorded); err != nil || !recorded {
			t.Errorf("torn: %v, %v", p, err)
		}
		if _, err := w.Withdraw(t.Context(), c.ID, p.ID, w.by(w.anna)); err != nil {
			t.Fatal(err)
		}
	}
	changing.Wait()
}

// A client that is given to another body leaves the first one's people at once, at every node; what they have proposed is withdrawn, and
// the new owner's people read nothing from before.
func TestAClientLeavesItsBodyAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.draft(t)
	p := w.propose(t, c, "openid")
	registry, err := clients.New(t.Context(), clients.Config{
		Pool: w.pool, Back: w.pool, Key: make([]byte, 32), Caller: fetch.New(fetch.Config{}), Sectors: fetch.New(fetch.Config{}), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := river.NewClient(riverpgxv5.New(w.pool), &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	other := body.New(body.Config{Pool: w.pool, Clients: registry, Jobs: jobs, Denials: w.denials, Judges: w.judges}) // a node that has not heard yet
	second, err := w.Add(t.Context(), clients.Texts{"": "Другое"}, clients.By{At: noon})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Name(t.Context(), second.ID, w.citizen, clients.By{At: noon}); err != nil {
		t.Fatal(err)
	}
	heal := pgtest.FailOn(t, w.pool, "UPDATE", "proposal")
	if _, err := w.Give(t.Context(), c.ID, clients.Any, &second.ID, clients.By{At: noon}); err == nil {
		t.Error("given away over a broken table")
	}
	heal()
	given, err := w.Give(t.Context(), c.ID, clients.Any, &second.ID, clients.By{At: noon.Add(time.Hour)})
	if err != nil || *given.Owner != second.ID {
		t.Fatal(err)
	}
	_, seen := other.Client(t.Context(), c.ID, w.anna)
	_, proposed := other.Propose(t.Context(), c.ID, given.Version, nil, w.by(w.anna))
	_, refused := other.Refuse(t.Context(), c.ID, p.ID, "because", w.by(w.boris))
	_, withdrawn := other.Withdraw(t.Context(), c.ID, p.ID, w.by(w.anna))
	for act, err := range map[string]error{"see": seen, "propose": proposed, "refuse": refused, "withdraw": withdrawn} {
		if !errors.Is(err, clients.ErrUnknown) {
			t.Errorf("%s at another node: %v", act, err)
		}
	}
	if all, err := w.Proposals(t.Context(), c.ID, time.Time{}); err != nil || len(all) != 1 || all[0].State != pair.Withdrawn {
		t.Errorf("left %v, %v", all, err)
	}
	if all, err := w.Proposals(t.Context(), c.ID, *given.OwnedAt); err != nil || len(all) != 0 {
		t.Errorf("the new owner reads %v, %v", all, err)
	}
	if _, err := w.Propose(t.Context(), c.ID, given.Version, nil, w.by(w.citizen)); err != nil {
		t.Errorf("the new owner's people: %v", err)
	}
}

// A body has a hundred drafts at most, however many of its people register at once.
func TestABodyHasSoManyDrafts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(t, `INSERT INTO client (client_id, metadata, stage, owner_id, owned_at, created_at, changed_at)
		SELECT 'draft-' || n, '{}', 'draft', $1, now(), now(), now() FROM generate_series(1, 98) AS n`, w.office)
	var (
		registering sync.WaitGroup
		mu          sync.Mutex
		done        int
	)
	for range 6 {
		registering.Go(func() {
			switch _, _, err := w.registry.RegisterDraft(t.Context(), "", w.office, metadata(t, portal), w.by(w.anna)); {
			case err == nil:
				mu.Lock()
				defer mu.Unlock()
				done++
			case !errors.Is(err, clients.ErrDrafts):
				t.Error(err)
			}
		})
	}
	registering.Wait()
	if done != 2 {
		t.Errorf("%d were registered beside 98", done)
	}
}

// Of many who decide a proposal at once, in whatever way, one does.
func TestAProposalIsDecidedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.draft(t)
	p := w.propose(t, c, "openid")
	var (
		deciding sync.WaitGroup
		mu       sync.Mutex
		done     []string
	)
	for name, act := range map[string]func() error{
		"approved by one":     func() error { _, _, err := w.Approve(t.Context(), c.ID, p.ID, w.by(w.boris)); return err },
		"approved by another": func() error { _, _, err := w.Approve(t.Context(), c.ID, p.ID, w.by(w.operator)); return err },
		"approved at last":    func() error { _, _, err := w.Approve(t.Context(), c.ID, p.ID, clients.By{At: noon}); return err },
		"refused":             func() error { _, err := w.Refuse(t.Context(), c.ID, p.ID, "Не так", w.by(w.operator)); return err },
		"withdrawn":           func() error { _, err := w.Withdraw(t.Context(), c.ID, p.ID, w.by(w.anna)); return err },
	} {
		deciding.Go(func() {
			switch err := act(); {
			case err == nil:
				mu.Lock()
				defer mu.Unlock()
				done = append(done, name)
			case !errors.Is(err, pair.ErrDecided):
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	deciding.Wait()
	if len(done) != 1 {
		t.Errorf("it was %s", strings.Join(done, " and "))
	}
	for _, reason := range []string{"", " ", "line\nline", strings.Repeat("ы", 501)} {
		if _, err := w.Refuse(t.Context(), c.ID, p.ID, reason, w.by(w.operator)); !errors.Is(err, body.ErrReason) {
			t.Errorf("refused for %.10q: %v", reason, err)
		}
	}
}

// Who approves twice at one moment, as by two clicks, is told of one and the same client both times.
func TestAnApprovalThatComesTwiceIsOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.draft(t)
	p := w.propose(t, c, "openid")
	const waiting = `SELECT count(*) FROM pg_sleep(0.01), pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	var (
		told [2]*clients.Client
		errs [2]error
		both sync.WaitGroup
	)
	err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error { // both have begun before one of them is done
		_, err := tx.Exec(t.Context(), `SELECT FROM client WHERE client_id = $1 FOR UPDATE`, c.ID)
		for n := range told {
			both.Go(func() { told[n], _, errs[n] = w.Approve(t.Context(), c.ID, p.ID, w.by(w.boris)) })
		}
		for n := 0; n < len(told) && err == nil; {
			err = w.pool.QueryRow(t.Context(), waiting).Scan(&n)
		}
		return err
	})
	both.Wait()
	if err != nil {
		t.Fatal(err)
	}
	for n := range told {
		if errs[n] != nil {
			t.Fatal(errs[n])
		}
		if told[n].Stage != clients.Live || told[n].Version != c.Version+1 {
			t.Errorf("told of version %d, %s", told[n].Version, told[n].Stage)
		}
	}
	var approved int
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM event WHERE kind = 'client.approved'`).Scan(&approved); err != nil || approved != 1 {
		t.Errorf("approved %d times, %v", approved, err)
	}
}

// A client goes live whole: with the record, the decision and the end of all that made-up people had there, or not at all.
func TestGoingLiveLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.draft(t)
	if _, given := w.give(t, c, w.citizen); given {
		t.Error("a citizen was given a draft's grant")
	}
	gid, given := w.give(t, c, w.specimen)
	if !given {
		t.Fatal("a specimen was given nothing")
	}
	p := w.propose(t, c, "openid")
	before := w.state(t, c.ID)
	for _, fault := range []struct{ verb, table string }{
		{"UPDATE", "client"}, {"UPDATE", "proposal"}, {"UPDATE", "client_grant"}, {"INSERT", "event"}, {"INSERT", "river_job"},
	} {
		heal := pgtest.FailOn(t, w.pool, fault.verb, fault.table)
		if _, _, err := w.Approve(t.Context(), c.ID, p.ID, w.by(w.boris)); err == nil {
			t.Errorf("went live over a broken %s of %s", fault.verb, fault.table)
		}
		heal()
		if after := w.state(t, c.ID); after != before {
			t.Errorf("%s %s: got %s, want %s", fault.verb, fault.table, after, before)
		}
		if held, err := w.registry.Find(t.Context(), c.ID); err != nil || !held.IsDraft() {
			t.Errorf("%s %s: this node takes it for live, %v", fault.verb, fault.table, err)
		}
	}
	if _, _, err := w.Approve(t.Context(), c.ID, p.ID, w.by(w.boris)); err != nil {
		t.Fatal(err)
	}
	if denied, err := w.denials.Denied(t.Context(), gid); err != nil || !denied {
		t.Errorf("the specimen's tokens are good: %v", err)
	}
	if _, err := grant.Find(t.Context(), w.pool, gid); !errors.Is(err, grant.ErrUnknown) {
		t.Errorf("the specimen's grant: %v", err)
	}
	if _, given := w.give(t, c, w.specimen); given {
		t.Error("a specimen was given a live client's grant")
	}
	if _, given := w.give(t, c, w.citizen); !given {
		t.Error("a citizen was given nothing")
	}
}

// A body is never added, and nobody named or removed, without a record of it.
func TestABodyIsNotChangedWithoutItsRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	state := func() (s string) {
		t.Helper()
		const find = `SELECT concat((SELECT count(*) FROM body), (SELECT string_agg(concat(person_id, removed_at), ' ' ORDER BY person_id) FROM representative))`
		if err := w.pool.QueryRow(t.Context(), find).Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	by := clients.By{ClientID: "operator", At: noon}
	for name, act := range map[string]func() error{
		"add":    func() error { _, err := w.Add(t.Context(), clients.Texts{"": "Другое"}, by); return err },
		"name":   func() error { return w.Name(t.Context(), w.office, w.citizen, by) },
		"remove": func() error { return w.Remove(t.Context(), w.office, w.anna, by) },
	} {
		before := state()
		heal := pgtest.FailOn(t, w.pool, "INSERT", "event")
		if act() == nil {
			t.Errorf("%s succeeded over a broken table", name)
		}
		heal()
		if after := state(); after != before {
			t.Errorf("%s: got %s, want %s", name, after, before)
		}
	}
	if err := w.Name(t.Context(), w.office, w.citizen, by); err != nil {
		t.Fatal(err)
	}
	if err := w.Name(t.Context(), w.office, w.citizen, by); err != nil {
		t.Errorf("named again: %v", err)
	}
	const named = `SELECT count(*) FROM event WHERE kind = 'body.representative_named' AND detail ->> 'representative' = $1 AND detail ->> 'by' = 'operator'`
	var events int
	if err := w.pool.QueryRow(t.Context(), named, w.citizen.String()).Scan(&events); err != nil || events != 1 {
		t.Errorf("%d records, %v", events, err)
	}
	theirs, err := w.Of(t.Context(), w.citizen)
	if err != nil || len(theirs) != 1 || theirs[0].Names["en"] != "Office" {
		t.Errorf("represents %v, %v", theirs, err)
	}
	for _, names := range []clients.Texts{nil, {"en": "Office"}, {"": " "}, {"": "a\u202eb"}, {"": "Office", "de": "Amt"}, {"": strings.Repeat("я", 501)}} {
		if _, err := w.Add(t.Context(), names, by); !errors.Is(err, body.ErrName) {
			t.Errorf("named %.40s: %v", fmt.Sprint(names), err)
		}
	}
}
