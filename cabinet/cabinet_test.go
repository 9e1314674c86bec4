package cabinet

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/contact"
	"asoba.example/cabinet/dispute"
	"asoba.example/cabinet/issuer/issuertest"
	"asoba.example/cabinet/keys"
	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/signal"
	"asoba.example/cabinet/wall"
	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
	"asoba.example/provider/answer"
	"asoba.example/provider/fetch"
	"asoba.example/provider/seal"
)

// The people of the tests.
var (
	anna  = uuid.MustParse("018f0000-0000-7000-8000-000000000001")
	grant = uuid.MustParse("018f0000-0000-7000-8000-0000000000aa")
	noon  = time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC) // in Minsk
)

const (
	annasNumber = "0000000A000PB2"
	sid         = "annas-session" // at the provider
)

// world is a cabinet on real stores, in front of a provider.
type world struct {
	url      string
	cabinet  *Cabinet
	pool     *pgxpool.Pool // which sees all
	doors    *pgxpool.Pool // of the cabinet's, behind the wall
	trips    *pgtest.Trips
	redis    redis.UniversalClient
	metrics  *prometheus.Registry
	keys     keys.Ring
	signals  *signal.Feed
	asker    profile.Asker
	answers  *answer.Book
	provider *issuertest.Provider
	later    atomic.Int64 // how much later than noon it is
}

func newWorld(t *testing.T, sources ...profile.Source) *world {
	t.Helper()
	w := &world{redis: redistest.New(t), metrics: prometheus.NewRegistry()}
	now := func() time.Time { return noon.Add(time.Duration(w.later.Load())) }
	w.provider = issuertest.New(t, now)
	w.pool, w.trips = pgtest.CountingCabinet(t)
	server := httptest.NewUnstartedServer(nil)
	w.url = "http://" + server.Listener.Addr().String()
	box, err := seal.Open(t.Context(), w.pool, []byte("01234567890123456789012345678901"), noon)
	if err != nil {
		t.Fatal(err)
	}
	w.doors = pgtest.With(t, w.pool, wall.Settings())
	w.answers = &answer.Book{Pool: w.doors, Box: box, Now: now}
	w.signals = &signal.Feed{Pool: w.pool, Now: now, Log: slog.New(slog.DiscardHandler)}
	w.keys = keys.Ring{Pool: w.pool, Box: box, Now: now}
	known := profile.NewSources(box)
	if _, err := profile.Put(t.Context(), w.doors, sources, "Operator", noon); err != nil {
		t.Fatal(err)
	}
	if err := known.Read(t.Context(), w.doors); err != nil {
		t.Fatal(err)
	}
	w.asker = profile.Asker{Sources: known, Pool: w.pool, Caller: fetch.New(fetch.Config{AllowLoopback: true}), Now: now}
	c, err := New(Config{
		URL: w.url, ClientID: issuertest.ClientID, IssuerURL: w.provider.URL, Issuer: w.provider.Issuer(t, w.url+"/callback"),
		Pool: w.doors, Redis: w.redis, Box: box, Keys: w.keys, Contacts: contact.Book{Pool: w.doors, Box: box},
		Sources:  w.asker.Sources,
		Disputes: dispute.Book{Pool: w.doors, Box: box},
		Answers:  w.answers, Signals: w.signals, Calls: fetch.New(fetch.Config{}).Calls,
		JournalYears: 3, SessionIdle: 15 * time.Minute, SessionTotal: 12 * time.Hour,
		Metrics: w.metrics, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.cabinet = c
	server.Config.Handler = c.Handler()
	server.Start()
	t.Cleanup(server.Close)
	w.register(t, "")
	w.hear(t, noon)
	return w
}

// register applies what the register says of Anna; gone is "" while she lives.
func (w *world) register(t *testing.T, gone profile.Reason) {
	t.Helper()
	limited := time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC)
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		return profile.Apply(ctx, tx, []profile.Person{{
			ID: anna, Number: annasNumber, Sex: "F", BirthDate: "1956-03", Citizenship: "BY", Gone: gone, Limited: &limited,
		}}, noon.Add(-48*time.Hour))
	})
}

// hear has the feed speak at a moment.
func (w *world) hear(t *testing.T, at time.Time) {
	t.Helper()
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE follow SET heard_at = $1`, at)
		return err
	})
}

// end ends sign-ins, as the feed would.
func (w *world) end(t *testing.T, ended access.Ended) {
	t.Helper()
	w.write(t, func(ctx context.Context, tx pgx.Tx) error {
		return access.End(ctx, tx, []access.Ended{ended}, noon.Add(-time.Hour))
	})
}

func (w *world) write(t *testing.T, act func(ctx context.Context, tx pgx.Tx) error) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error { return act(t.Context(), tx) })
	if err != nil {
		t.Fatal(err)
	}
}

// signIn is what the provider says of Anna's sign-in.
func signIn() map[string]any {
	return map[string]any{
		"sub": annasNumber, "gid": grant.String(), "sid": sid, "acr": "substantial", "auth_time": noon.Add(-time.Minute).Unix(),
		"scope": "openid cabinet.profile cabinet.journal.read",
	}
}
