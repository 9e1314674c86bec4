package agreement_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"asoba.example/consent/agreement"
	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/session"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const term = 365 * 24 * time.Hour

// A world holds one person who signed in at noon, and the clients portal and library.
type world struct {
	pool       *pgxpool.Pool
	denials    *grant.Denials
	agreements *agreement.Agreements
	session    session.Session
	portal     *clients.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{pool: pgtest.New(t), portal: &clients.Client{ID: "portal"}}
	w.session = session.Session{SID: "s", Person: uuid.Must(uuid.NewV7()), AuthTime: noon, ACR: "low"}
	w.denials = grant.NewDenials(w.pool, redistest.New(t), 5*time.Minute, func() time.Time { return noon })
	jobs, err := river.NewClient(riverpgxv5.New(w.pool), &river.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w.agreements, err = agreement.New(agreement.Config{Pool: w.pool, Jobs: jobs, Denials: w.denials, For: func() time.Duration { return term }})
	if err != nil {
		t.Fatal(err)
	}
	w.exec(t, `INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
		VALUES ($1, '3080356A001PB5', 'F', '1956-03-08', 'BY', 1)`, w.session.Person)
	w.exec(t, `INSERT INTO identity (person_id, state, phone, phone_index, issued_at, changed_at)
		VALUES ($1, 'active', '\x00', '\x00', now(), now())`, w.session.Person)
	w.exec(t, `INSERT INTO client (client_id, metadata, created_at, changed_at)
		VALUES ('portal', '{}', now(), now()), ('library', '{}', now(), now())`)
	return w
}

func (w *world) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := w.pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (w *world) count(t *testing.T, sql string) (n int) {
	t.Helper()
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM `+sql).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func (w *world) give(t *testing.T, at time.Time, scopes ...string) {
	t.Helper()
	if err := w.agreements.Give(t.Context(), w.session, w.portal, scopes, at); err != nil {
		t.Fatal(err)
	}
}

func (w *world) covers(t *testing.T, client *clients.Client, at time.Time, scopes ...string) (covered bool) {
	t.Helper()
	b := new(pgx.Batch)
	w.agreements.Covers(b, w.session.Person, client, scopes, at, &covered)
	if err := w.pool.SendBatch(t.Context(), b).Close(); err != nil {
		t.Fatal(err)
	}
	return covered
}

// grant tries to give the portal a grant of the sign-in, as a code exchange does.
func (w *world) grant(t *testing.T, scopes ...string) (gid uuid.UUID, given bool) {
	t.Helper()
	gid = uuid.Must(uuid.NewV7())
	b := new(pgx.Batch)
	grant.Give(b, grant.Grant{
		ID: gid, Person: w.session.Person, ClientID: "portal", SID: "s", Scopes: scopes, Audience: []string{"a"},
		AuthTime: noon, ACR: "low", AMR: []string{"pwd"}, At: noon.Add(time.Second), Till: noon.Add(time.Hour),
	}, nil, &given)
	if err := w.pool.SendBatch(t.Context(), b).Close(); err != nil {
		t.Fatal(err)
	}
	return gid, given
}

func TestAnAgreementCoversWhatWasAgreedToAndNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(t, noon, "openid", "profile")
	w.give(t, noon.Add(time.Hour), "phone", "openid") // the second page takes nothing of the first one back
	official := &clients.Client{ID: "portal", Metadata: clients.Metadata{Basis: clients.BasisOfficial}}

	for _, row := range []struct {
		name   string
		client *clients.Client
		at     time.Time
		scopes []string
		want   bool
	}{
		{"all that was agreed to", w.portal, noon.Add(time.Hour), []string{"openid", "profile", "phone"}, true},
		{"less", w.portal, noon.Add(time.Hour), []string{"openid"}, true},
		{"one scope more", w.portal, noon.Add(time.Hour), []string{"openid", "citizenship"}, false},
		{"another client", &clients.Client{ID: "library"}, noon.Add(time.Hour), []string{"openid"}, false},
		{"another basis", official, noon.Add(time.Hour), []string{"openid"}, false},
		{"at the end of the first page's term", w.portal, noon.Add(term), []string{"profile"}, false},
		{"while the second page's term lasts", w.portal, noon.Add(term), []string{"openid", "phone"}, true},
	} {
		if got := w.covers(t, row.client, row.at, row.scopes...); got != row.want {
			t.Errorf("%s: covered %t, want %t", row.name, got, row.want)
		}
	}

	// To be informed is not to agree: the client's basis changes, and the person is asked.
	if err := w.agreements.Give(t.Context(), w.session, official, []string{"citizenship"}, noon); err != nil {
		t.Fatal(err)
	}
	if !w.covers(t, official, noon, "citizenship") || w.covers(t, w.portal, noon, "citizenship") {
		t.Error("what the person was informed of counts as agreed to")
	}
}

func TestNothingIsAgreedToBySomebodyWhoseSignInWasEnded(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{
		"ended":     `INSERT INTO ended (person_id, at, why) SELECT id, '2026-11-22 12:00Z', 'password' FROM person`,
		"incapable": `UPDATE person SET incapable_date = '2026-11-01'`,
		"blocked":   `UPDATE identity SET state = 'blocked', block_reason = 'self'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.exec(t, end)
			err := w.agreements.Give(t.Context(), w.session, w.portal, []string{"openid"}, noon.Add(time.Hour))
			if !errors.Is(err, agreement.ErrEnded) {
				t.Errorf("got %v, want %v", err, agreement.ErrEnded)
			}
			if n := w.count(t, `agreement`) + w.count(t, `event`); n != 0 {
				t.Errorf("%d rows of it remain", n)
			}
		})
	}
}

func TestWithdrawingEndsWhatWasGivenAndWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(t, noon, "openid", "phone")
	gid, given := w.grant(t, "openid", "phone")
	if !given {
		t.Fatal("nothing was given to begin with")
	}
	if err := w.agreements.Withdraw(t.Context(), w.session, "portal", noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if w.covers(t, w.portal, noon.Add(time.Minute), "openid") {
		t.Error("what was withdrawn still covers")
	}
	if denied, err := w.denials.Denied(t.Context(), gid); err != nil || !denied {
		t.Errorf("the access token is denied: %t, %v", denied, err)
	}
	if n := w.count(t, `client_grant WHERE ended_why = 'withdrawn'`); n != 1 {
		t.Errorf("%d grants ended, want 1", n)
	}
	if _, given := w.grant(t, "openid"); given {
		t.Error("a code that was on its way became a grant")
	}

	// Twice is once; and the person may agree again.
	if err := w.agreements.Withdraw(t.Context(), w.session, "portal", noon.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	if n := w.count(t, `event WHERE kind = 'agreement.withdrawn'`); n != 1 {
		t.Errorf("recorded %d times, want once", n)
	}
	w.give(t, noon.Add(time.Hour), "openid")
	if _, given := w.grant(t, "openid"); !given {
		t.Error("nothing is given though the person agreed again")
	}
	if _, given := w.grant(t, "openid", "phone"); given {
		t.Error("the phone is given though only the rest was agreed to again")
	}
	list, err := w.agreements.List(t.Context(), w.session.Person, noon.Add(time.Hour))
	if err != nil || len(list) != 1 || len(list[0].Scopes) != 1 || !list[0].Till.Equal(noon.Add(time.Hour+term)) {
		t.Errorf("the list is %+v, %v; want openid at the portal", list, err)
	}
}

func TestAnOfficialBasisCannotBeWithdrawn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.portal.Metadata.Basis = clients.BasisOfficial
	w.give(t, noon, "openid")
	if err := w.agreements.Withdraw(t.Context(), w.session, "portal", noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if !w.covers(t, w.portal, noon.Add(time.Minute), "openid") {
		t.Error("the person took back what was not the person's to give")
	}
}

// Neither act is done without its record, and a retry works.
func TestNothingIsLeftHalfDone(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct{ act, verb, table string }{
		{"give", "INSERT", "agreement"},
		{"give", "INSERT", "event"},
		{"withdraw", "UPDATE", "agreement"},
		{"withdraw", "INSERT", "event"},
		{"withdraw", "UPDATE", "client_grant"},
		{"withdraw", "INSERT", "river_job"},
	} {
		t.Run(fault.act+", "+fault.verb+" "+fault.table, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			act := func() error {
				return w.agreements.Give(t.Context(), w.session, w.portal, []string{"openid"}, noon)
			}
			if fault.act == "withdraw" {
				w.give(t, noon, "openid")
				w.grant(t, "openid")
				act = func() error {
					return w.agreements.Withdraw(t.Context(), w.session, "portal", noon.Add(time.Minute))
				}
			}
			state := func() [5]int {
				return [5]int{
					w.count(t, `agreement WHERE withdrawn_at IS NULL`), w.count(t, `agreement WHERE withdrawn_at IS NOT NULL`),
					w.count(t, `client_grant WHERE ended_at IS NOT NULL`), w.count(t, `event`), w.count(t, `river_job`),
				}
			}
			before := state()
			heal := pgtest.FailOn(t, w.pool, fault.verb, fault.table)
			if err := act(); err == nil {
				t.Fatal("it succeeded over a broken table")
			}
			if after := state(); after != before {
				t.Errorf("it left %v, want %v as before", after, before)
			}
			heal()
			if err := act(); err != nil {
				t.Fatalf("the retry failed: %v", err)
			}
			if after := state(); after == before {
				t.Error("the retry did nothing")
			}
		})
	}
}
