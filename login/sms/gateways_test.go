package sms_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/sms"
	"asoba.example/login/throttle"
	"asoba.example/migrations/pgtest"
)

var errDoubt = fmt.Errorf("no answer: %w", sms.ErrDoubt)

// snoozed does the job of a message, which must put it off for a while.
func (w *world) snoozed(t *testing.T, id uuid.UUID, want time.Duration) {
	t.Helper()
	var snooze *river.JobSnoozeError
	if err := w.work(t, id, 1); !errors.As(err, &snooze) || snooze.Duration != want {
		t.Errorf("put off by %v, want %s", err, want)
	}
}

func (w *world) asked(t *testing.T, first, second int) {
	t.Helper()
	if w.gateway.asked != first || w.second.asked != second {
		t.Errorf("asked %d and %d times, want %d and %d", w.gateway.asked, w.second.asked, first, second)
	}
}

// What one gateway refuses the other takes at once. The one that failed is then asked last for a while, and first again after it.
func TestAGatewayThatFailsLeavesItsMessagesToTheOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.gateway.err = errors.New("refused")
	for range 2 {
		if err := w.work(t, w.put(t), 1); err != nil {
			t.Fatal(err)
		}
	}
	w.asked(t, 1, 2)

	w.second.err = errors.New("refused")
	w.gateway.err = nil
	if err := w.work(t, w.put(t), 1); err != nil { // a gateway at rest is better than none
		t.Fatal(err)
	}
	w.asked(t, 2, 3)

	w.now = w.now.Add(30 * time.Second)
	if err := w.work(t, w.put(t), 1); err != nil {
		t.Fatal(err)
	}
	w.asked(t, 3, 3)
	families, err := w.metrics.Gather()
	if err != nil || len(families) != 2 {
		t.Fatalf("%d metrics, %v", len(families), err)
	}
	counted := map[string]float64{}
	for _, m := range families[0].Metric {
		counted[m.Label[0].GetValue()+" "+m.Label[1].GetValue()] = m.Counter.GetValue()
	}
	want := map[string]float64{"first refused": 1, "first taken": 2, "second refused": 1, "second taken": 2}
	if !maps.Equal(counted, want) {
		t.Errorf("counted %v, want %v", counted, want)
	}
}

// What may have been taken is asked again where it was, with the same id, and for the window never of the other gateway, even once
// the first refuses: it may have taken it before.
func TestAMessageInDoubtStaysWithItsGatewayForTheWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.put(t)
	for _, err := range []error{errDoubt, errors.New("refused"), errDoubt} {
		w.gateway.err = err
		w.snoozed(t, id, 5*time.Second)
		w.stands(t, sms.Queued, false)
		w.now = w.now.Add(9 * time.Second)
	}
	w.snoozed(t, id, 3*time.Second)
	w.gateway.err = nil
	w.now = w.now.Add(2 * time.Second)
	if err := w.work(t, id, 1); err != nil {
		t.Fatal(err)
	}
	w.asked(t, 5, 0)
	w.stands(t, sms.Delivered, true)
	if w.gateway.taken[0].ID != id {
		t.Error("it came under another id")
	}
}

// A gateway that hangs keeps no code: once the window is over the other is asked first, whichever of them has failed of late, and the one
// that may have taken it is left for last.
func TestAfterTheWindowTheOtherGatewayIsAsked(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		receipts      bool
		other         error
		first, second int
		stands        sms.State
		wiped         bool
	}{
		"one that knows ids":              {false, nil, 1, 1, sms.Delivered, true},
		"one with receipts":               {true, nil, 1, 1, sms.Delivered, true},
		"and the other refuses":           {false, errors.New("refused"), 2, 1, sms.Queued, false},
		"and the other does not answer":   {true, errDoubt, 1, 1, sms.Queued, false},
		"and the other has no such phone": {false, sms.ErrNumber, 1, 1, sms.Failed, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			id := w.put(t)
			w.gateway.receipts, w.gateway.err, w.second.err = story.receipts, errDoubt, story.other
			_ = w.work(t, id, 1)
			w.asked(t, 1, 0)
			w.now = w.now.Add(30 * time.Second)
			_ = w.work(t, id, 1)
			w.asked(t, story.first, story.second)
			w.stands(t, story.stands, story.wiped)
		})
	}
}

// Where there is one gateway it is asked again after the window, for all that it may have taken: a late double is better than a person
// without a code.
func TestAGatewayAloneIsAskedAgainAfterTheWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var err error
	w.sender, err = sms.NewSender(sms.SenderConfig{
		Pool: w.Pool, Box: w.Box, First: w.gateway, Metrics: prometheus.NewRegistry(), Now: func() time.Time { return w.now },
		Throttle: &throttle.Throttle{Relaxed: true}, InAll: policy.MessagesInAll.From(nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.gateway.receipts, w.gateway.err = true, errDoubt
	id := w.put(t)
	for range 3 {
		w.snoozed(t, id, 30*time.Second)
		w.now = w.now.Add(29 * time.Second)
		w.snoozed(t, id, time.Second)
		w.now = w.now.Add(time.Second)
	}
	w.asked(t, 3, 0)
}

// A gateway that gives receipts knows no ids: in doubt it is left the window to bring one, also where the program died before it could
// hear the answer.
func TestAReceiptIsWaitedForBeforeAMessageIsSentAgain(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*world, uuid.UUID){
		"its answer was not heard": func(w *world, id uuid.UUID) {
			w.gateway.err = errDoubt
			w.snoozed(t, id, 30*time.Second)
			w.gateway.err = nil
		},
		"the program died before its answer": func(w *world, id uuid.UUID) {
			w.Exec(t, `UPDATE sms_message SET gateway = 'first', asked_at = $2 WHERE id = $1`, id, w.now)
		},
		"the database failed after its answer": func(w *world, id uuid.UUID) {
			heal := pgtest.FailOn(t, w.Pool, "UPDATE OF state", "sms_message")
			if err := w.work(t, id, 1); err == nil {
				t.Error("it went well over a broken table")
			}
			heal()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.gateway.receipts, w.second.receipts = true, true
			id := w.put(t)
			lose(w, id)
			w.stands(t, sms.Queued, false)
			asked := w.gateway.asked
			w.now = w.now.Add(20 * time.Second)
			w.snoozed(t, id, 10*time.Second)
			w.asked(t, asked, 0)

			w.now = w.now.Add(10 * time.Second)
			w.snoozed(t, id, 270*time.Second) // taken now; the receipt may come until its term
			w.asked(t, asked, 1)
			w.stands(t, sms.Queued, true)

			w.now = w.now.Add(270 * time.Second)
			if err := w.work(t, id, 1); err != nil {
				t.Fatal(err)
			}
			w.stands(t, sms.Failed, true)
		})
	}
}

// No gateway is asked before it is written down which; a message stays whole and is not lost where that cannot be.
func TestNoGatewayIsAskedWithoutItsClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.put(t)
	heal := pgtest.FailOn(t, w.Pool, "UPDATE", "sms_message")
	if err := w.work(t, id, 1); err == nil {
		t.Error("it went well over a broken table")
	}
	heal()
	w.asked(t, 0, 0)
	w.stands(t, sms.Queued, false)
	if err := w.work(t, id, 2); err != nil {
		t.Fatal(err)
	}
	w.asked(t, 1, 0)
	w.stands(t, sms.Delivered, true)
}

// By what the first gateway answers over HTTP, the second is asked at once or not at all. No message is handed to both that one
// may have taken; what no phone can take is failed, and the desk need not wait for its term.
func TestTheSecondGatewayIsAskedByWhatTheFirstAnswers(t *testing.T) {
	t.Parallel()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	for name, story := range map[string]struct {
		first  http.HandlerFunc // nil: nobody listens
		second int              // times that it is asked
		stands sms.State
	}{
		"takes it":                       {status(http.StatusAccepted), 0, sms.Delivered},
		"nobody listens":                 {nil, 1, sms.Delivered},
		"refuses us":                     {status(http.StatusForbidden), 1, sms.Delivered},
		"is broken":                      {status(http.StatusInternalServerError), 1, sms.Delivered},
		"is busy":                        {status(http.StatusTooManyRequests), 1, sms.Delivered},
		"sends elsewhere":                {http.RedirectHandler("https://evil.example", http.StatusTemporaryRedirect).ServeHTTP, 1, sms.Delivered},
		"says that no phone has it":      {status(http.StatusUnprocessableEntity), 0, sms.Failed},
		"hangs up in place of an answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, sms.Queued},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			asked := 0
			first := httptest.NewServer(story.first)
			if story.first == nil {
				first.Close()
			}
			second := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
			t.Cleanup(first.Close)
			t.Cleanup(second.Close)
			cfg := sms.SenderConfig{
				Pool: w.Pool, Box: w.Box, Metrics: prometheus.NewRegistry(), Now: func() time.Time { return w.now },
				Throttle: &throttle.Throttle{Relaxed: true}, InAll: policy.MessagesInAll.From(nil),
			}
			var err error
			if cfg.First, err = sms.NewGateway(first.URL, nil); err != nil {
				t.Fatal(err)
			}
			if cfg.Second, err = sms.NewGateway(second.URL, nil); err != nil {
				t.Fatal(err)
			}
			if w.sender, err = sms.NewSender(cfg); err != nil {
				t.Fatal(err)
			}
			if err := w.work(t, w.put(t), 1); (err != nil) != (story.stands == sms.Queued) {
				t.Errorf("got %v", err)
			}
			w.stands(t, story.stands, story.stands != sms.Queued)
			if asked != story.second {
				t.Errorf("the second was asked %d times, want %d", asked, story.second)
			}
		})
	}
}

// A number that no phone has is no fault of the gateway's: the next message is its again.
func TestAGatewayThatKnowsOfNoSuchPhoneIsAskedFirstAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.gateway.err = sms.ErrNumber
	if err := w.work(t, w.put(t), 1); err != nil {
		t.Fatal(err)
	}
	w.stands(t, sms.Failed, true)
	w.gateway.err = nil
	if err := w.work(t, w.put(t), 1); err != nil {
		t.Fatal(err)
	}
	w.asked(t, 2, 0)
}

// A gateway that was never reached has taken nothing. One that was reached may have, whatever became of its answer.
func TestOnlyAGatewayThatWasReachedLeavesDoubt(t *testing.T) {
	t.Parallel()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	receipts := newWorld(t).receipts()
	for name, story := range map[string]struct {
		answer http.HandlerFunc
		doubt  bool
	}{
		"nobody listens":                    {nil, false},
		"refused":                           {status(http.StatusForbidden), false},
		"busy":                              {status(http.StatusServiceUnavailable), false},
		"a proxy's gateway did not answer":  {status(http.StatusGatewayTimeout), true},
		"a proxy did not get the answer":    {status(http.StatusBadGateway), true},
		"it hangs up in place of an answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(story.answer)
			if story.answer == nil {
				server.Close()
			}
			t.Cleanup(server.Close)
			for _, address := range []string{server.URL, strings.Replace(server.URL, "http://", "kannel+http://idp:hush@", 1)} {
				g, err := sms.NewGateway(address, receipts)
				if err != nil {
					t.Fatal(err)
				}
				err = g.Send(t.Context(), sms.Message{ID: uuid.New(), Kind: identity.CodeMessage, To: "+375294911911", Text: "код 123456"})
				if err == nil || errors.Is(err, sms.ErrDoubt) != story.doubt {
					t.Errorf("%v, doubt: want %t", err, story.doubt)
				}
			}
		})
	}
}

// A gateway that has read a message and says nothing may have taken it.
func TestAnAnswerThatDoesNotComeLeavesDoubt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel() // who asked has lost patience
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	g, err := sms.NewHTTPGateway(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Send(ctx, sms.Message{ID: uuid.New()}); !errors.Is(err, sms.ErrDoubt) {
		t.Errorf("got %v", err)
	}
}

// What a Kannel is asked: sendsms by headers, UCS-2 where a text has other letters than ASCII, until the message's term.
func TestAKannelIsAskedByHeaders(t *testing.T) {
	t.Parallel()
	var asked http.Header
	var path, text string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		asked, path, text = r.Header, r.Method+" "+r.URL.String(), string(body)
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	g, err := sms.NewGateway(strings.Replace(server.URL, "http://", "kannel+http://idp:hush@", 1)+"/cgi-bin/sendsms", newWorld(t).receipts())
	if err != nil {
		t.Fatal(err)
	}
	for sent, coding := range map[string]string{"код ў і 123456": "2", "code 123456": "0"} {
		m := sms.Message{ID: uuid.New(), Kind: identity.CodeMessage, To: "+375294911911", Text: sent, For: 290 * time.Second, Via: "second"}
		if err := g.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if path != "POST /cgi-bin/sendsms" || text != sent {
			t.Errorf("asked %s %q", path, text)
		}
		for name, want := range map[string]string{
			"Content-Type": "text/plain; charset=UTF-8", "X-Kannel-Username": "idp", "X-Kannel-Password": "hush", "X-Kannel-To": m.To,
			"X-Kannel-Coding": coding, "X-Kannel-Validity": "4", "X-Kannel-Dlr-Mask": "31", "Authorization": "",
		} {
			if got := asked.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
		if at := asked.Get("X-Kannel-Dlr-Url"); !strings.HasPrefix(at, "https://idp.example/sms/receipts/second/") || !strings.HasSuffix(at, "?type=%d") {
			t.Errorf("receipts go to %q", at)
		}
	}
}
