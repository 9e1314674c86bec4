package signal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/cabinet/keys"
	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/signal"
	"asoba.example/cabinet/wall"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/fetch"
	"asoba.example/provider/seal"
)

const annasNumber = "0000000A000PB2"

var (
	anna = uuid.MustParse("018f0000-0000-7000-8000-000000000001")
	noon = time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)
)

// world is one citizen, and e-services that may read.
type world struct {
	pool *pgxpool.Pool
	feed *signal.Feed
	log  bytes.Buffer // of the feed
	now  time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{pool: pgtest.NewCabinet(t), now: noon}
	w.feed = &signal.Feed{Pool: w.pool, Now: func() time.Time { return w.now }, Log: slog.New(slog.NewTextHandler(&w.log, nil))}
	w.citizen(t, "BY")
	return w
}

func (w *world) act(t *testing.T, act func(ctx context.Context, tx pgx.Tx) error) {
	t.Helper()
	if err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error { return act(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// citizen has the register say of which citizenship Anna is.
func (w *world) citizen(t *testing.T, citizenship string) {
	t.Helper()
	w.act(t, func(ctx context.Context, tx pgx.Tx) error { return w.apply(ctx, tx, citizenship) })
}

func (w *world) apply(ctx context.Context, tx pgx.Tx, citizenship string) error {
	person := profile.Person{ID: anna, Number: annasNumber, Sex: "F", BirthDate: "1956", Citizenship: citizenship}
	return profile.Apply(ctx, tx, []profile.Person{person}, w.now)
}

// give gives an e-service a grant.
func (w *world) give(t *testing.T, client, scope string) uuid.UUID {
	t.Helper()
	g := signal.Grant{ID: uuid.Must(uuid.NewV7()), Person: anna, ClientID: client, Scope: scope, At: w.now}
	w.act(t, func(ctx context.Context, tx pgx.Tx) error { return signal.Hold(ctx, tx, []signal.Grant{g}, w.now) })
	return g.ID
}

func (w *world) end(t *testing.T, e signal.End) {
	t.Helper()
	w.act(t, func(ctx context.Context, tx pgx.Tx) error { return signal.Over(ctx, tx, []signal.End{e}) })
}

func (w *world) seal(t *testing.T) {
	t.Helper()
	if err := w.feed.Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (w *world) ask(t *testing.T, q signal.Question) signal.Answer {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	var (
		b      pgx.Batch
		answer signal.Answer
	)
	w.feed.Queue(&b, q, &answer)
	if err := w.pool.SendBatch(t.Context(), &b).Close(); err != nil {
		t.Fatal(err)
	}
	return answer
}

// told is what an e-service is told by all that was committed, in order.
func (w *world) told(t *testing.T, client string) string {
	t.Helper()
	w.seal(t)
	var all []string
	for _, s := range w.ask(t, signal.Question{ClientID: client}).Signals {
		all = append(all, strings.Join(append([]string{string(s.Kind), s.Detail.Why}, s.Detail.Fields...), " "))
	}
	return strings.Join(all, ", ")
}

const reads = "openid offline_access cabinet.profile.read"

// Whoever may read a profile while its citizen is away is told what becomes of it, until that ends, and of the end, once; and nobody else is.
func TestWhoMayReadIsToldUntilItMayNot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	grant := w.give(t, "tax", reads)
	w.give(t, "bank", "openid offline_access cabinet.profile")
	w.give(t, "bank", reads)
	w.give(t, "visited", "openid cabinet.profile.read")
	w.give(t, "other", "openid offline_access cabinet.journal.read")
	w.now = noon.Add(time.Hour)
	w.citizen(t, "PL")
	w.citizen(t, "PL") // nothing new
	w.now = noon.Add(90 * time.Minute)
	for range 2 { // the feed may be read anew
		w.end(t, signal.End{Event: grant, Grant: grant, Why: signal.Withdrawn, At: w.now})
	}
	w.now = noon.Add(2 * time.Hour)
	w.citizen(t, "stateless")
	w.now = noon.Add(150 * time.Minute)
	for range 2 {
		w.end(t, signal.End{Event: anna, Person: anna, Why: "blocked", At: w.now})
	}
	w.citizen(t, "BY")
	for client, want := range map[string]string{
		"tax":     "profile-changed  citizenship, access-ended withdrawn",
		"bank":    "profile-changed  citizenship, profile-changed  citizenship, access-ended ",
		"visited": "",
		"other":   "",
	} {
		if got := w.told(t, client); got != want {
			t.Errorf("%s was told %q, want %q", client, got, want)
		}
	}
	if _, err := w.pool.Exec(t.Context(), `INSERT INTO ended (id, at) VALUES ($1, $2)`, anna, w.now); err != nil {
		t.Fatal(err)
	}
	w.give(t, "late", reads) // of a sign-in that was over before it was heard of
	w.now = noon.Add(3 * time.Hour)
	w.give(t, "again", reads)
	w.now = noon.Add(31 * 24 * time.Hour)
	w.give(t, "fresh", reads)
	w.citizen(t, "PL")
	for client, want := range map[string]string{"late": "", "again": "", "fresh": "profile-changed  citizenship"} {
		if got := w.told(t, client); got != want {
			t.Errorf("%s was told %q, want %q", client, got, want)
		}
	}
}

// What was told of a citizen is theirs whatever their number was then, and nobody's who has that number later; so is what was told of whoever turned
// out to be the same.
func TestWhatWasToldIsTheCitizensUnderEachNumber(t *testing.T) {
	t.Parallel()
	const next, another = "7000000A000PB1", "7000001A000PB8"
	w := newWorld(t)
	doors := pgtest.With(t, w.pool, wall.Settings())
	numbered := func(person uuid.UUID, number string) {
		t.Helper()
		w.now = w.now.Add(time.Minute)
		w.act(t, func(ctx context.Context, tx pgx.Tx) error {
			return profile.Apply(ctx, tx, []profile.Person{{ID: person, Number: number, Sex: "F", BirthDate: "1956", Citizenship: "BY"}}, w.now)
		})
	}
	held := func(number string) (all string) {
		t.Helper()
		var (
			b       pgx.Batch
			readers []signal.Reader
			told    []signal.Told
		)
		signal.QueueHeld(&b, number, &readers, &told)
		if err := doors.SendBatch(t.Context(), &b).Close(); err != nil {
			t.Fatal(err)
		}
		for _, r := range readers {
			all += r.ClientID + " reads; "
		}
		for _, s := range told {
			all += s.ClientID + " " + strings.Join(append([]string{string(s.Kind)}, s.Detail.Fields...), " ") + "; "
		}
		return all
	}
	grant := w.give(t, "tax", reads)
	w.give(t, "bank", reads)
	numbered(anna, next)
	w.now = w.now.Add(time.Minute)
	w.end(t, signal.End{Event: grant, Grant: grant, At: w.now})
	w.act(t, func(ctx context.Context, tx pgx.Tx) error { // by a node of before it was kept whom a signal is about
		_, err := tx.Exec(ctx, `INSERT INTO signal (id, client_id, subject, at, kind, detail) VALUES (gen_random_uuid(), 'bank', $1, $2, 'profile-changed', '{}')`, next, w.now.Add(time.Second))
		return err
	})
	numbered(anna, another)
	want := "bank reads; bank profile-changed sub; tax profile-changed sub; tax access-ended; bank profile-changed; bank profile-changed sub; "
	if got := held(another); got != want {
		t.Errorf("of her: got %s, want %s", got, want)
	}
	boris := uuid.Must(uuid.NewV7())
	numbered(boris, annasNumber)
	if got := held(annasNumber) + held(next); got != "" {
		t.Errorf("of whoever has her numbers: got %s", got)
	}
	w.act(t, func(ctx context.Context, tx pgx.Tx) error { return profile.Join(ctx, tx, anna, boris) })
	if got := held(annasNumber); got != want {
		t.Errorf("of both, who are one: got %s, want %s", got, want)
	}
}

// No value changes without being told, and none is told of that did not change.
func TestAChangeAndItsSignalAreOneAct(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(t, "tax", reads)
	for _, broken := range []struct{ verb, table string }{{"INSERT", "signal"}, {"UPDATE", "cabinet"}} {
		heal := pgtest.FailOn(t, w.pool, broken.verb, broken.table)
		err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error { return w.apply(t.Context(), tx, "PL") })
		heal()
		if got := w.told(t, "tax"); err == nil || got != "" {
			t.Errorf("%s %s: %v, and told %q", broken.verb, broken.table, err, got)
		}
	}
	w.citizen(t, "PL")
	if got := w.told(t, "tax"); got != "profile-changed  citizenship" {
		t.Errorf("told %q", got)
	}
}

// A client that goes on from a cursor misses nothing, though acts commit in another order than they began; whoever was away for so long that
// what it did not read was dropped is told so.
func TestTheFeedGoesOnFromAnyPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(t, "tax", reads)
	slow, err := w.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const tell = `
		INSERT INTO signal (id, client_id, subject, at, kind, detail) VALUES (gen_random_uuid(), $1, '', $2, 'access-ended', '{}')`
	if _, err := slow.Exec(t.Context(), tell, "tax", noon.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, citizenship := range []string{"PL", "LT", "LV"} {
		w.now = w.now.Add(time.Minute)
		w.citizen(t, citizenship)
	}
	w.seal(t)
	one := w.ask(t, signal.Question{ClientID: "tax", Limit: 2})
	two := w.ask(t, signal.Question{ClientID: "tax", After: one.Place, Limit: 2})
	if len(one.Signals) != 2 || len(two.Signals) != 1 {
		t.Fatalf("pages of %d and %d", len(one.Signals), len(two.Signals))
	}
	if n := len(w.ask(t, signal.Question{ClientID: "tax", Since: noon.Add(2 * time.Minute)}).Signals); n != 2 {
		t.Errorf("%d since two minutes past noon, want 2", n)
	}
	if err := slow.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.seal(t)
	three := w.ask(t, signal.Question{ClientID: "tax", After: two.Place})
	if len(three.Signals) != 1 || three.Signals[0].Kind != signal.AccessEnded {
		t.Errorf("what was committed late: got %v", three.Signals)
	}
	last := w.ask(t, signal.Question{ClientID: "tax", After: three.Place})
	if len(last.Signals) != 0 || last.Place != three.Place || last.Err() != nil {
		t.Errorf("after the last one: %v", last)
	}
	if err := w.ask(t, signal.Question{ClientID: "tax", After: three.Place + 1}).Err(); !errors.Is(err, signal.ErrGone) {
		t.Errorf("a place that is still to come: %v", err)
	}

	var waiting sync.WaitGroup
	waiting.Go(func() {
		if !w.feed.Wait(t.Context(), last) {
			t.Error("nothing came")
		}
	})
	w.now = noon.Add(20 * 24 * time.Hour)
	w.give(t, "tax", reads)
	w.citizen(t, "BY")
	w.seal(t)
	waiting.Wait()
	w.now = noon.Add(31 * 24 * time.Hour)
	if err := w.feed.Wipe(t.Context()); err != nil {
		t.Fatal(err)
	}
	for story, c := range map[string]struct {
		asked signal.Question
		err   error
		n     int
	}{
		"away too long":  {signal.Question{ClientID: "tax", After: one.Place}, signal.ErrGone, 1},
		"away for long":  {signal.Question{ClientID: "tax", After: three.Place}, nil, 1},
		"from the start": {signal.Question{ClientID: "tax"}, nil, 1},
		"long ago":       {signal.Question{ClientID: "tax", Since: noon}, signal.ErrGone, 1},
	} {
		if got := w.ask(t, c.asked); !errors.Is(got.Err(), c.err) || len(got.Signals) != c.n {
			t.Errorf("%s: %d signals, %v", story, len(got.Signals), got.Err())
		}
	}
}

// Whoever waits when the database is another one, which is behind, is woken once, and whoever waits then waits for what comes, as before.
func TestWaitingGoesOnAfterADatabaseThatIsBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(t, "tax", reads)
	w.citizen(t, "PL")
	w.seal(t)
	for _, notices := range []struct {
		story string
		this  func()
	}{
		{"whoever seals", func() { w.seal(t) }},
		{"whoever asks", func() { w.ask(t, signal.Question{ClientID: "bank"}) }},
	} {
		behind := w.ask(t, signal.Question{ClientID: "tax"})
		w.citizen(t, "LT")
		w.citizen(t, "BY")
		w.seal(t)
		ahead := w.ask(t, signal.Question{ClientID: "tax"})
		w.act(t, func(ctx context.Context, tx pgx.Tx) error {
			for _, lose := range []string{
				`DELETE FROM signal WHERE place > $1`, `UPDATE subscriber SET head = $1`, `UPDATE signal_count SET placed = $1`,
			} {
				if _, err := tx.Exec(ctx, lose, int64(behind.Place)); err != nil {
					return err
				}
			}
			return nil
		})
		waits := func(there signal.Answer, long time.Duration) bool {
			ctx, cancel := context.WithTimeout(t.Context(), long)
			defer cancel()
			return !w.feed.Wait(ctx, there)
		}
		var waiting sync.WaitGroup
		waiting.Go(func() {
			if waits(ahead, 5*time.Second) {
				t.Errorf("%s has noticed, and nobody was woken", notices.story)
			}
		})
		for !w.feed.Waited() {
			<-time.After(time.Millisecond)
		}
		notices.this()
		waiting.Wait()
		if err := w.ask(t, signal.Question{ClientID: "tax", After: ahead.Place}).Err(); !errors.Is(err, signal.ErrGone) {
			t.Errorf("%s: a place that is lost: %v", notices.story, err)
		}
		there := w.ask(t, signal.Question{ClientID: "tax", After: behind.Place})
		if !waits(there, 50*time.Millisecond) {
			t.Errorf("%s has noticed, and nothing is waited for", notices.story)
		}
		w.citizen(t, "LV")
		w.seal(t)
		if waits(there, 5*time.Second) {
			t.Errorf("%s has noticed, and nobody is woken by what comes", notices.story)
		}
	}
}

// How far a client has come tells it of nothing that others were told, and of its own signals misses none, whoever's come between; and so
// it is with how far it was told at its address.
func TestAPlaceTellsOfNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.give(t, "tax", reads)
	w.citizen(t, "PL")
	w.seal(t)
	alone := w.ask(t, signal.Question{ClientID: "tax"}).Place
	w.give(t, "bank", reads)
	w.give(t, "post", reads)
	for _, citizenship := range []string{"LT", "LV", "BY"} {
		w.citizen(t, citizenship)
		w.seal(t)
	}
	w.citizen(t, "PL")
	w.citizen(t, "LT")
	w.seal(t) // two of each at once
	var places []signal.Place
	for _, s := range w.ask(t, signal.Question{ClientID: "tax", After: alone}).Signals {
		places = append(places, s.Place)
	}
	if want := []signal.Place{alone + 1, alone + 2, alone + 3, alone + 4, alone + 5}; !slices.Equal(places, want) {
		t.Errorf("the places are %v, want %v", places, want)
	}
	var (
		b          pgx.Batch
		subscriber signal.Subscriber
	)
	beyond := signal.Place(100)
	signal.Subscribe(&b, "nobody's", "https://service.example/", &beyond, w.now)
	signal.QueueSubscriber(&b, "nobody's", &subscriber)
	if err := w.pool.SendBatch(t.Context(), &b).Close(); err != nil {
		t.Fatal(err)
	}
	if got := w.ask(t, signal.Question{ClientID: "nobody's"}); got.Place != 0 || subscriber.Told != 0 {
		t.Errorf("a client that was told nothing is at %d, and was told up to %d", got.Place, subscriber.Told)
	}
}

// receiver is an e-service that is told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int      // under mu: what it answers
	tokens []string // under mu: what came
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{status: http.StatusAccepted}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		if q.Method != http.MethodPost || q.Header.Get("Content-Type") != "application/secevent+jwt" { // RFC 8935 §2
			t.Errorf("%s of %s", q.Method, q.Header.Get("Content-Type"))
		}
		r.tokens = append(r.tokens, string(body))
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

// took gives what came, and answers otherwise from now on.
func (r *receiver) took(status int) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer func() { r.tokens, r.status = nil, status }()
	return r.tokens
}

// event is what a Security Event Token says.
type event struct {
	Iss, Aud, Jti string
	Toe           int64
	Sub           map[string]string                    `json:"sub_id"`
	Events        map[string]struct{ Fields []string } `json:"events"`
}

// A signal is told as a Security Event Token (RFC 8417, RFC 8935), signed, in order, again and again after growing pauses until it is taken, under
// one name even where the program dies in between; given up after a day, with what comes next told all the same; and told anew on demand.
func TestASignalArrivesHoweverOftenItFails(t *testing.T) {
	t.Parallel()
	w, to := newWorld(t), newReceiver(t)
	box, err := seal.Open(t.Context(), w.pool, []byte("01234567890123456789012345678901"), noon)
	if err != nil {
		t.Fatal(err)
	}
	ring := keys.Ring{Pool: w.pool, Box: box, Now: func() time.Time { return w.now }}
	deliverer := signal.Deliverer{
		Pool: w.pool, Caller: fetch.New(fetch.Config{AllowLoopback: true}), Sign: ring.Sign, URL: "https://cabinet.example", Issuer: "https://idp.example",
		Now: func() time.Time { return w.now }, Log: slog.New(slog.DiscardHandler),
	}
	deliver := func() error { return deliverer.Deliver(t.Context()) }
	subscribe := func(url string, after *signal.Place) {
		t.Helper()
		var b pgx.Batch
		signal.Subscribe(&b, "tax", url, after, w.now)
		if err := w.pool.SendBatch(t.Context(), &b).Close(); err != nil {
			t.Fatal(err)
		}
	}
	state := func() (s signal.Subscriber) {
		t.Helper()
		var b pgx.Batch
		signal.QueueSubscriber(&b, "tax", &s)
		if err := w.pool.SendBatch(t.Context(), &b).Close(); err != nil {
			t.Fatal(err)
		}
		return s
	}
	// open reads a token as a receiver does (RFC 8417 §4).
	open := func(token string) (claims event) {
		t.Helper()
		jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		if typ := jws.Signatures[0].Header.ExtraHeaders[jose.HeaderType]; typ != "secevent+jwt" {
			t.Errorf("typ is %v", typ)
		}
		key, err := ring.Find(t.Context(), jws.Signatures[0].Header.KeyID)
		if err != nil {
			t.Fatal(err)
		}
		payload, err := jws.Verify(key)
		if err == nil {
			err = json.Unmarshal(payload, &claims)
		}
		if err != nil {
			t.Fatal(err)
		}
		return claims
	}
	jtis := func(tokens []string) (all []string) {
		for _, token := range tokens {
			all = append(all, open(token).Jti)
		}
		return all
	}

	w.give(t, "tax", reads)
	w.citizen(t, "PL") // before anybody wanted to be told
	w.seal(t)
	subscribe(to.URL, nil)
	for _, citizenship := range []string{"LT", "LV"} {
		w.now = w.now.Add(time.Minute)
		w.citizen(t, citizenship)
	}
	w.seal(t)
	to.took(http.StatusServiceUnavailable)
	var first string
	for try, pause := range []time.Duration{1 * time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
		for range 2 { // the second time it is not its turn
			if err := deliver(); err != nil {
				t.Fatal(err)
			}
		}
		came := jtis(to.took(http.StatusServiceUnavailable))
		if first == "" && len(came) == 1 {
			first = came[0]
		}
		if s := state(); len(came) != 1 || came[0] != first || s.Tries != try+1 || *s.Status != 503 || s.Waiting != 2 || !s.NextAt.Equal(w.now.Add(pause)) {
			t.Errorf("try %d: %v came, %+v", try, came, s)
		}
		w.now = w.now.Add(pause)
	}
	watched := func() (values []float64) {
		t.Helper()
		metrics := prometheus.NewRegistry()
		metrics.MustRegister(signal.Watch{Pool: w.pool})
		families, err := metrics.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families { // in the order of their names
			values = append(values, family.GetMetric()[0].GetGauge().GetValue())
		}
		return values
	}
	if got := watched(); !slices.Equal(got, []float64{2, 1}) {
		t.Errorf("waiting and failing are %v, want two signals of one e-service", got)
	}
	for disabled, want := range map[bool][]float64{true: {0, 0}, false: {2, 1}} {
		const put = `
			INSERT INTO disabled_client (client_id, disabled, at) VALUES ('tax', $1, now())
			ON CONFLICT (client_id) DO UPDATE SET disabled = excluded.disabled`
		if _, err := w.pool.Exec(t.Context(), put, disabled); err != nil {
			t.Fatal(err)
		}
		if got := watched(); !slices.Equal(got, want) {
			t.Errorf("disabled %t: waiting and failing are %v, want %v", disabled, got, want)
		}
	}
	if _, err := w.pool.Exec(t.Context(), `DELETE FROM disabled_client`); err != nil {
		t.Fatal(err)
	}
	to.took(http.StatusAccepted)
	heal := pgtest.FailOn(t, w.pool, "UPDATE", "subscriber")
	if err := deliver(); err == nil || len(to.took(http.StatusAccepted)) != 0 {
		t.Errorf("told though nobody could take the turn: %v", err)
	}
	heal()
	// The program dies once the e-service has taken it, before it is written down.
	const dead = `CREATE TRIGGER dead BEFORE UPDATE ON subscriber FOR EACH ROW WHEN (NEW.told > OLD.told) EXECUTE FUNCTION broken_on_purpose()`
	if _, err := w.pool.Exec(t.Context(), dead); err != nil {
		t.Fatal(err)
	}
	if err := deliver(); err == nil {
		t.Error("written down over a broken table")
	}
	if _, err := w.pool.Exec(t.Context(), `DROP TRIGGER dead ON subscriber`); err != nil {
		t.Fatal(err)
	}
	if err := deliver(); err != nil { // by another node, which does not know yet that this one is dead
		t.Fatal(err)
	}
	if came := jtis(to.took(http.StatusAccepted)); !slices.Equal(came, []string{first}) {
		t.Errorf("came %v, want %s once", came, first)
	}
	w.now = w.now.Add(time.Minute) // the turn of the dead is over
	if err := deliver(); err != nil {
		t.Fatal(err)
	}
	tokens := to.took(http.StatusInternalServerError)
	came := jtis(tokens)
	if len(came) != 2 || came[0] != first || came[1] == first {
		t.Fatalf("came %v, the first is %s", came, first)
	}
	got := open(tokens[1])
	if got.Iss != "https://cabinet.example" || got.Aud != "tax" || got.Toe != noon.Add(2*time.Minute).Unix() ||
		got.Sub["format"] != "iss_sub" || got.Sub["iss"] != "https://idp.example" || got.Sub["sub"] != annasNumber ||
		!slices.Equal(got.Events["https://cabinet.example/events/profile-changed"].Fields, []string{"citizenship"}) {
		t.Errorf("told %+v", got)
	}
	if s := state(); s.Waiting != 0 || s.Tries != 0 || s.Missed != 0 || !slices.Equal(watched(), []float64{0, 0}) {
		t.Errorf("all was taken: %+v", s)
	}

	w.citizen(t, "PL")
	w.seal(t)
	for range 40 {
		if err := deliver(); err != nil {
			t.Fatal(err)
		}
		w.now = w.now.Add(time.Hour)
	}
	tried := len(to.took(http.StatusAccepted))
	if s := state(); s.Missed != 1 || s.Waiting != 0 || tried < 24 || tried > 40 {
		t.Errorf("after %d tries: %+v", tried, s)
	}
	w.citizen(t, "LT")
	w.seal(t)
	if err := deliver(); err != nil || len(to.took(http.StatusAccepted)) != 1 {
		t.Errorf("the next one was not told: %v", err)
	}

	start := signal.Place(0)
	subscribe(to.URL, &start)
	if err := deliver(); err != nil {
		t.Fatal(err)
	}
	if again := jtis(to.took(http.StatusAccepted)); len(again) != 5 || again[1] != first {
		t.Errorf("told anew: %v, the second should be %s", again, first)
	}
	if _, err := w.pool.Exec(t.Context(), `INSERT INTO disabled_client (client_id, disabled, at) VALUES ('tax', true, now())`); err != nil {
		t.Fatal(err)
	}
	subscribe(to.URL, &start)
	if err := deliver(); err != nil || len(to.took(http.StatusAccepted)) != 0 {
		t.Errorf("a disabled client was told: %v", err)
	}
}

// What is kept no longer is missed by whom it waited for, and by nobody else: of several, by each for itself. What is kept comes next, as if it had
// never been tried.
func TestWhatIsDroppedUntoldIsMissed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	clients := []string{"bank", "tax", "post", "asks"}
	var b pgx.Batch
	for _, client := range clients {
		w.give(t, client, reads)
		if client != "asks" {
			signal.Subscribe(&b, client, "https://"+client+".example/", nil, w.now)
		}
	}
	if err := w.pool.SendBatch(t.Context(), &b).Close(); err != nil {
		t.Fatal(err)
	}
	for _, citizenship := range []string{"PL", "LT", "LV"} {
		w.citizen(t, citizenship)
	}
	w.seal(t)
	w.now = noon.Add(20 * 24 * time.Hour)
	for _, client := range clients {
		w.give(t, client, reads)
	}
	w.citizen(t, "BY")
	w.seal(t)
	const tried = `UPDATE subscriber SET tries = 9, first_at = $1, told = CASE client_id WHEN 'tax' THEN 1 WHEN 'post' THEN 3 ELSE told END WHERE url IS NOT NULL`
	if _, err := w.pool.Exec(t.Context(), tried, w.now); err != nil {
		t.Fatal(err)
	}
	w.now = noon.Add(31 * 24 * time.Hour)
	for range 2 { // the second time nothing is left to do
		if err := w.feed.Wipe(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for client, want := range map[string]signal.Subscriber{
		"bank": {Told: 3, Waiting: 1, Missed: 3},
		"tax":  {Told: 3, Waiting: 1, Missed: 2},
		"post": {Told: 3, Waiting: 1, Tries: 9},
		"asks": {Waiting: 1},
	} {
		var (
			b   pgx.Batch
			got signal.Subscriber
		)
		signal.QueueSubscriber(&b, client, &got)
		if err := w.pool.SendBatch(t.Context(), &b).Close(); err != nil {
			t.Fatal(err)
		}
		if got.Told != want.Told || got.Waiting != want.Waiting || got.Missed != want.Missed || got.Tries != want.Tries || got.Dropped != 3 {
			t.Errorf("%s: got %+v, want %+v", client, got, want)
		}
		if says := fmt.Sprintf("client=%s signals=%d\n", client, want.Missed); strings.Contains(w.log.String(), says) != (want.Missed > 0) {
			t.Errorf("%s: the log has %s", client, &w.log)
		}
	}
	if n := strings.Count(w.log.String(), "signals given up"); n != 2 {
		t.Errorf("the log says so %d times: %s", n, &w.log)
	}
}

// What stands in a query is a place as it was given, and nothing that looks like one.
func TestAPlaceIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{"0": true, "17": true, "": false, "-1": false, "+1": false, "01": false, "1 ": false, "9223372036854775808": false} {
		p, err := signal.ParsePlace(text)
		if (err == nil) != good || good && strconv.FormatInt(int64(p), 10) != text {
			t.Errorf("%q: %d, %v", text, p, err)
		}
	}
}
