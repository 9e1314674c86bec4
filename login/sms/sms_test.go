package sms_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
	"asoba.example/login/policy"
	"asoba.example/login/sms"
	"asoba.example/login/throttle"
	"asoba.example/migrations/redistest"
)

// A gateway that takes what it is handed, or fails as it is told.
type gateway struct {
	taken    []sms.Message
	asked    int
	receipts bool
	err      error
}

func (g *gateway) Send(_ context.Context, m sms.Message) error {
	g.asked++
	if g.err == nil {
		g.taken = append(g.taken, m)
	}
	return g.err
}

func (g *gateway) Receipts() bool { return g.receipts }

type world struct {
	*identitytest.World
	gateway, second *gateway
	sender          *sms.Sender
	metrics         *prometheus.Registry
	person          uuid.UUID
	now             time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		World: identitytest.New(t), gateway: new(gateway), second: new(gateway), metrics: prometheus.NewRegistry(), now: identitytest.Noon,
	}
	w.person, _ = w.Person(t)
	var err error
	w.sender, err = sms.NewSender(sms.SenderConfig{
		Pool: w.Pool, Box: w.Box, First: w.gateway, Second: w.second, Metrics: w.metrics, Now: func() time.Time { return w.now },
		Throttle: &throttle.Throttle{Relaxed: true}, InAll: policy.MessagesInAll.From(nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// put puts a code that is good for five minutes into the outbox.
func (w *world) put(t *testing.T) uuid.UUID {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
		return w.Outbox.Put(t.Context(), tx, identity.Message{
			Person: w.person, Phone: w.Phone(t, 1), Kind: identity.CodeMessage, Text: "код 123456",
			At: identitytest.Noon, Till: identitytest.Noon.Add(5 * time.Minute),
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	var id uuid.UUID
	if err := w.Pool.QueryRow(t.Context(), `SELECT (args->>'id')::uuid FROM river_job WHERE kind = 'sms_delivery' ORDER BY id DESC LIMIT 1`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

// work does the job of a message, for the nth time.
func (w *world) work(t *testing.T, id uuid.UUID, attempt int) error {
	t.Helper()
	return w.sender.Work(t.Context(), &river.Job[sms.Delivery]{JobRow: &rivertype.JobRow{Attempt: attempt}, Args: sms.Delivery{ID: id}})
}

func (w *world) stands(t *testing.T, want sms.State, wiped bool) {
	t.Helper()
	got, err := w.Outbox.Last(t.Context(), w.person, identity.CodeMessage)
	if err != nil || got != want {
		t.Errorf("the message is %s, %v, want %s", got, err, want)
	}
	if n := w.Count(t, `sms_message WHERE text IS NULL AND phone IS NULL`); (n == 1) != wiped {
		t.Errorf("wiped: %d, want %v", n, wiped)
	}
}

func TestAMessageLeavesOnceAndIsWiped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.put(t)
	if all := w.Contents(t); strings.Contains(all, "123456") || strings.Contains(all, w.Phone(t, 1).Reveal()) {
		t.Error("the message lies open")
	}
	w.stands(t, sms.Queued, false)
	for attempt := range 2 {
		if err := w.work(t, id, attempt+1); err != nil {
			t.Fatal(err)
		}
	}
	w.stands(t, sms.Delivered, true)
	want := sms.Message{ID: id, Kind: identity.CodeMessage, To: w.Phone(t, 1).Reveal(), Text: "код 123456", For: 5 * time.Minute, Via: "first"}
	if len(w.gateway.taken) != 1 || w.gateway.taken[0] != want {
		t.Errorf("the gateway took %d messages: %v", len(w.gateway.taken), w.gateway.taken)
	}
}

// A gateway that is down is asked again for as long as the message is worth something.
func TestAMessageWaitsForTheGatewayUntilItsTerm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.put(t)
	w.gateway.err, w.second.err = errors.New("down"), errors.New("down")
	tries := 0
	for cancelled := false; !cancelled; {
		tries++
		err := w.work(t, id, tries)
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), "123456") {
			t.Fatalf("try %d: %v", tries, err)
		}
		var cancel *river.JobCancelError
		if cancelled = errors.As(err, &cancel); !cancelled {
			w.stands(t, sms.Queued, false)
			w.now = w.sender.NextRetry(&river.Job[sms.Delivery]{JobRow: &rivertype.JobRow{Attempt: tries}})
		}
	}
	w.stands(t, sms.Failed, true)
	if tries != 9 {
		t.Errorf("%d tries in five minutes", tries)
	}
}

func TestAMessagePastItsTermIsNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.put(t)
	w.now = w.now.Add(5 * time.Minute)
	if err := w.work(t, id, 1); err != nil {
		t.Fatal(err)
	}
	w.stands(t, sms.Failed, true)
	if len(w.gateway.taken) != 0 {
		t.Error("it was sent")
	}
}

// What is told later, for all that happens till then, waits for its time.
func TestAMessageIsNotSentBeforeItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.put(t)
	w.now = identitytest.Noon.Add(-time.Hour)
	var snooze *river.JobSnoozeError
	if err := w.work(t, id, 1); !errors.As(err, &snooze) || snooze.Duration != time.Hour {
		t.Errorf("an hour before: %v", err)
	}
	w.stands(t, sms.Queued, false)
	w.now = identitytest.Noon
	if err := w.work(t, id, 1); err != nil {
		t.Fatal(err)
	}
	w.stands(t, sms.Delivered, true)
}

// What an operator's gateway is asked: POST {"id","kind","to","text"}; 2xx means taken.
func TestAnHTTPGatewayIsAskedByPost(t *testing.T) {
	t.Parallel()
	var (
		asked  []string
		status = http.StatusAccepted
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked = append(asked, r.Method+" "+r.URL.Path+" "+r.Header.Get("Content-Type")+" "+string(text))
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	g, err := sms.NewHTTPGateway(server.URL + "/sms")
	if err != nil {
		t.Fatal(err)
	}
	m := sms.Message{ID: uuid.MustParse("01890000-0000-7000-8000-000000000000"), Kind: identity.NoticeMessage, To: "+375294911911", Text: "ў"}
	if err := g.Send(t.Context(), m); err != nil {
		t.Error(err)
	}
	want := `POST /sms application/json {"id":"01890000-0000-7000-8000-000000000000","kind":"notice","to":"+375294911911","text":"ў"}`
	if len(asked) != 1 || asked[0] != want {
		t.Errorf("asked %q", asked)
	}
	for _, status = range []int{301, 307, 400, 500} {
		if err := g.Send(t.Context(), m); err == nil {
			t.Errorf("%d was taken for taken", status)
		}
	}
	if len(asked) != 5 {
		t.Errorf("asked %d times: a redirect was followed", len(asked))
	}
}

// Neither a message nor a gateway's own password gets into a log by way of an error.
func TestAGatewayErrorTellsNothing(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	address := strings.Replace(server.URL, "http://", "http://user:hush@", 1) + "/?key=hush"
	server.Close()
	g, err := sms.NewHTTPGateway(address)
	if err != nil {
		t.Fatal(err)
	}
	m := sms.Message{ID: uuid.New(), Kind: identity.CodeMessage, To: "+375294911911", Text: "код 123456"}
	err = g.Send(t.Context(), m)
	if err == nil {
		t.Fatal("nobody took it")
	}
	for _, text := range []string{err.Error(), fmt.Sprintf("%v %+v %#v %s", m, m, m, m)} {
		for _, secret := range []string{"hush", "123456", "4911911"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q tells %q", text, secret)
			}
		}
	}
	for _, address := range []string{
		"", "gateway", "ftp://hush", "http://", "http://hush%", "kannel://idp:hush@gateway", "kannel+ftp://idp:hush@gateway",
		"kannel+http://hush", "kannel+http://idp@hush", "kannel+http://:hush@gateway",
	} {
		_, err := sms.NewGateway(address, nil)
		if err == nil {
			t.Errorf("%q was taken for an address", address)
		} else if strings.Contains(err.Error(), "hush") {
			t.Errorf("%q tells of %q", err, address)
		}
	}
}

// Who asks for a code by a number cannot tell whether it is anybody's: a message to nobody is put by as many statements
// as any other, and no gateway hears of it.
func TestAMessageToNobodyIsPutAndNotSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put(t) // the first teaches the connection its statements
	w.Trips.Take()
	w.put(t)
	usual := w.Trips.Take()
	w.person, w.gateway.err = uuid.Nil, errors.New("asked")
	var id uuid.UUID
	err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
		return w.Outbox.Put(t.Context(), tx, identity.Message{Kind: identity.CodeMessage, Text: "код 123456", At: w.now, Till: w.now})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Pool.QueryRow(t.Context(), `SELECT id FROM sms_message WHERE person_id IS NULL`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	if trips := w.Trips.Take(); trips != usual {
		t.Errorf("put after %d statements, and others after %d", trips, usual)
	}
	if err := w.work(t, id, 1); err != nil || w.gateway.asked+w.second.asked != 0 {
		t.Errorf("it went to a gateway %d times, %v", w.gateway.asked+w.second.asked, err)
	}
	if n := w.Count(t, `sms_message WHERE id = $1 AND state = 'failed' AND text IS NULL`, id); n != 1 {
		t.Error("it is not wiped")
	}
}

// All messages count that a gateway has taken, whatever they are of, and none is held back when they are more than all may cost: the operator sees it.
func TestNoMessageIsHeldBackByWhatAllMayCost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	inAll := throttle.Limit{Name: "sms.in_all", Tries: 3, In: 10 * time.Minute}
	metrics := prometheus.NewRegistry()
	tries := &throttle.Throttle{Redis: redistest.New(t), Key: []byte("tries"), Now: func() time.Time { return w.now }}
	var err error
	w.sender, err = sms.NewSender(sms.SenderConfig{
		Pool: w.Pool, Box: w.Box, First: w.gateway, Metrics: metrics, Now: func() time.Time { return w.now },
		Throttle: tries, InAll: func() throttle.Limit { return inAll },
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		wait, err := tries.Look(t.Context(), throttle.Try{Limit: inAll})
		if over := n >= 3; err != nil || (wait > 0) != over {
			t.Errorf("after %d messages those to come wait %s, %v", n, wait, err)
		}
		if err := w.work(t, w.put(t), 1); err != nil || len(w.gateway.taken) != n+1 {
			t.Fatalf("%d messages were sent, %v, want %d", len(w.gateway.taken), err, n+1)
		}
	}
	families, err := metrics.Gather()
	if err != nil || len(families) != 2 || families[1].GetName() != "idp_sms_over_budget_total" {
		t.Fatalf("metrics %v, %v", families, err)
	}
	if got := families[1].Metric[0].Counter.GetValue(); got != 2 {
		t.Errorf("%v messages are told to be over it, want 2", got)
	}
}
