package sms_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"asoba.example/login/identity/identitytest"
	"asoba.example/login/sms"
	"asoba.example/migrations/pgtest"
)

// In whatever order gateways take, refuse and fall silent, receipts come, the database fails and time goes by: within the window no
// gateway is asked for what the other may have taken, none that gives receipts is asked twice, and after it the other comes first; what is
// settled stays so, what has left is wiped, and the term ends all.
func TestNoOrderOfEventsSendsAMessageTwiceInTheWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answers := []error{nil, errors.New("refused"), errDoubt, sms.ErrNumber}
	rapid.Check(t, func(rt *rapid.T) {
		w.now = identitytest.Noon
		w.gateway.receipts, w.second.receipts = rapid.Bool().Draw(rt, "first gives receipts"), rapid.Bool().Draw(rt, "second gives receipts")
		id := w.put(t)
		names := map[*gateway]string{w.gateway: "first", w.second: "second"}

		read := func() (state sms.State, wiped bool) {
			const read = `SELECT state, text IS NULL AND phone IS NULL FROM sms_message WHERE id = $1`
			if err := w.Pool.QueryRow(t.Context(), read, id).Scan(&state, &wiped); err != nil {
				rt.Fatal(err)
			}
			return state, wiped
		}
		other := map[*gateway]*gateway{w.gateway: w.second, w.second: w.gateway}
		var (
			holder *gateway // who may have taken it
			since  time.Time
			state  = sms.Queued
		)
		work := func() {
			w.gateway.err = rapid.SampledFrom(answers).Draw(rt, "first answers")
			w.second.err = rapid.SampledFrom(answers).Draw(rt, "second answers")
			before := map[*gateway]int{w.gateway: w.gateway.asked, w.second: w.second.asked}
			_ = w.work(t, id, 1)
			within := holder != nil && w.now.Sub(since) < 30*time.Second
			var doubtful *gateway
			for g, n := range before {
				if g.asked == n {
					continue
				}
				if state != sms.Queued || g.asked > n+1 {
					rt.Fatalf("asked too often, or for what is %s", state)
				}
				if within && (holder != g || g.receipts) {
					rt.Fatal("sent twice in the window")
				}
				if g.err == nil || errors.Is(g.err, sms.ErrDoubt) {
					doubtful = g
				}
			}
			over := holder != nil && !within && state == sms.Queued && w.now.Sub(identitytest.Noon) < 5*time.Minute
			if over && before[other[holder]] == other[holder].asked && before[holder] != holder.asked {
				rt.Fatal("the other was left out after the window")
			}
			switch {
			case within: // it holds on
			case doubtful != nil:
				holder, since = doubtful, w.now
			case over: // all have refused
				holder = nil
			}
		}
		for range rapid.IntRange(1, 12).Draw(rt, "events") {
			switch event := rapid.SampledFrom([]string{"work", "die", "receipt", "clock"}).Draw(rt, "event"); {
			case event == "work":
				work()
			case event == "die":
				heal := pgtest.FailOn(t, w.Pool, "UPDATE OF state", "sms_message")
				work()
				heal()
			case event == "clock":
				w.now = w.now.Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "seconds")) * time.Second)
			case holder != nil && holder.receipts:
				w.receive(t, w.address(t, id, names[holder])+rapid.SampledFrom([]string{"1", "2", "4", "8", "16"}).Draw(rt, "receipt"))
			}
			next, wiped := read()
			if next != state && (state == sms.Delivered || state == sms.Failed) {
				rt.Fatalf("%s became %s", state, next)
			}
			if wiped != (next != sms.Queued) {
				rt.Fatalf("%s, wiped: %t", next, wiped)
			}
			state = next
		}
		w.now = identitytest.Noon.Add(5 * time.Minute)
		work()
		if state, _ = read(); state != sms.Delivered && state != sms.Failed {
			rt.Fatalf("%s after its term", state)
		}
	})
}
