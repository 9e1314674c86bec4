package code_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
)

// A phone is the outbox of these tests: it keeps what was put into it.
type phone struct{ texts []string }

func (p *phone) Put(_ context.Context, _ pgx.Tx, m identity.Message) error {
	p.texts = append(p.texts, m.Text)
	return nil
}

func (p *phone) last() string { return p.texts[len(p.texts)-1] }

// A world is what a test of codes needs.
type world struct {
	*testing.T
	codes  *code.Codes
	phone  *phone
	pool   *pgxpool.Pool
	person uuid.UUID
	at     time.Time
}

// onEach runs a test on a real Redis and on the one inside the demo.
func onEach(t *testing.T, test func(*world)) {
	t.Helper()
	for name, open := range map[string]func(*testing.T) redis.UniversalClient{
		"Redis": func(t *testing.T) redis.UniversalClient { return redistest.New(t) },
		"demo": func(t *testing.T) redis.UniversalClient {
			client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
			t.Cleanup(func() { _ = client.Close() })
			return client
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &world{
				T: t, phone: new(phone), pool: pgtest.New(t), person: uuid.Must(uuid.NewV7()),
				at: time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC),
			}
			w.codes = &code.Codes{
				Redis: open(t), Key: []byte("key"), Outbox: w.phone, Pool: w.pool,
				Say: func(_, _ string, args map[string]any) string { return args["Code"].(string) },
				Now: func() time.Time { return w.at },
			}
			test(w)
		})
	}
}

const occasion = "an interaction"

func (w *world) send() error {
	_, err := w.codes.Send(w.Context(), code.SignIn, w.person, occasion, identity.Phone{}, "ru")
	return err
}

func (w *world) mustSend() string {
	w.Helper()
	if err := w.send(); err != nil {
		w.Fatal(err)
	}
	return w.phone.last()
}

func (w *world) check(digits string) error {
	return w.codes.Check(w.Context(), code.SignIn, w.person, occasion, digits)
}

func (w *world) want(what string, got, want error) {
	w.Helper()
	if !errors.Is(got, want) {
		w.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// other is a code, but not this one.
func other(digits string) string {
	if digits == "000000" {
		return "000001"
	}
	return "000000"
}

func TestACodeIsGoodOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		sent := w.mustSend()
		if _, ok := code.Parse(sent); !ok {
			w.Fatalf("%q is no code", sent)
		}
		w.want("a wrong one", w.check(other(sent)), code.ErrWrong)
		w.want("the right one", w.check(sent), nil)
		w.want("the right one again", w.check(sent), code.ErrOver)
	})
}

// Of many who bring the right code at once, one gets through.
func TestACodeIsGoodOnceAtOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		sent := w.mustSend()
		var (
			all    sync.WaitGroup
			passed = make(chan error, 20)
		)
		for range cap(passed) {
			all.Go(func() { passed <- w.check(sent) })
		}
		all.Wait()
		close(passed)
		n := 0
		for err := range passed {
			if err == nil {
				n++
			}
		}
		if n != 1 {
			w.Fatalf("%d got through, want 1", n)
		}
	})
}

func TestFiveWrongTriesVoidACode(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		sent := w.mustSend()
		for range 4 {
			w.want("a wrong one", w.check(other(sent)), code.ErrWrong)
		}
		w.want("the fifth wrong one", w.check(other(sent)), code.ErrOver)
		w.want("the right one", w.check(sent), code.ErrOver)
	})
}

func TestACodeEndsAfterFiveMinutes(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		sent := w.mustSend()
		w.at = w.at.Add(policy.CodeFor.In(nil) - time.Millisecond)
		state, err := w.codes.Standing(w.Context(), code.SignIn, w.person, occasion)
		if err != nil || !state.Till.After(w.at) {
			w.Fatalf("just before its end: %v, %v", state, err)
		}
		w.at = w.at.Add(time.Millisecond)
		if state, err = w.codes.Standing(w.Context(), code.SignIn, w.person, occasion); err != nil || !state.Till.IsZero() {
			w.Fatalf("at its end: %v, %v", state, err)
		}
		w.want("the right one", w.check(sent), code.ErrOver)
	})
}

func TestOnlyTheNewestIsGood(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		first := w.mustSend()
		w.at = w.at.Add(time.Minute)
		second := w.mustSend()
		if first != second { // one in a million
			w.want("the first", w.check(first), code.ErrWrong)
		}
		w.want("the second", w.check(second), nil)
	})
}

// A code is good for the person, the purpose and the occasion that it was sent for, and nothing else.
func TestACodeIsBound(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		sent := w.mustSend()
		for _, try := range []struct {
			purpose  code.Purpose
			person   uuid.UUID
			occasion string
		}{
			{code.ConfirmPhone, w.person, occasion},
			{code.SignIn, uuid.New(), occasion},
			{code.SignIn, w.person, "another interaction"},
		} {
			w.want("elsewhere", w.codes.Check(w.Context(), try.purpose, try.person, try.occasion, sent), code.ErrOver)
		}
		w.want("where it belongs", w.check(sent), nil)
	})
}

// Pauses grow; five go in an hour and ten in a day, whatever they are for. Each refusal says from when, and then it goes.
func TestPausesAndLimits(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		begun := w.at
		var got []time.Duration
		for len(got) < 11 {
			w.mustSend()
			got = append(got, w.at.Sub(begun))
			err := w.send()
			var early *code.WaitError
			if !errors.As(err, &early) {
				w.Fatalf("another at once: %v", err)
			}
			w.at = early.Till.Add(-time.Millisecond)
			w.want("a moment too early", w.send(), code.ErrWait)
			w.at = early.Till
		}
		const m, h = time.Minute, time.Hour
		want := []time.Duration{0, m, 3 * m, 8 * m, 13 * m, h, h + 5*m, h + 10*m, h + 15*m, h + 20*m, 24 * h}
		if !slices.Equal(got, want) {
			w.Errorf("sent after\n%v, want\n%v", got, want)
		}
	})
}

// Another occasion has no pause of its own, but the person's limits hold there too.
func TestLimitsHoldAcrossOccasions(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		at := func(occasion string) error {
			_, err := w.codes.Send(w.Context(), code.SignIn, w.person, occasion, identity.Phone{}, "ru")
			return err
		}
		for _, occasion := range []string{"1", "2", "3", "4", "5"} {
			w.want(occasion, at(occasion), nil)
		}
		w.want("the sixth", at("6"), code.ErrWait)
		w.codes.Relaxed = true
		w.want("the sixth, relaxed", at("6"), nil)
		w.want("and again at once", at("6"), nil)
	})
}

// A code that could not be put on its way is not recorded as sent, and keeps nobody waiting.
func TestSendLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		heal := pgtest.FailOn(w.T, w.pool, "INSERT", "event")
		if err := w.send(); err == nil {
			w.Fatal("Send succeeded over a broken table")
		}
		heal()
		w.want("the code nobody got", w.check(w.phone.last()), code.ErrOver)
		sent := w.mustSend()
		w.want("the retry's", w.check(sent), nil)
		var events int
		if err := w.pool.QueryRow(w.Context(), `SELECT count(*) FROM event WHERE kind = 'code.sent'`).Scan(&events); err != nil || events != 1 {
			w.Fatalf("%d events, %v", events, err)
		}
	})
}

// Redis holds no code, names nobody, and forgets by itself.
func TestRedisLearnsNothing(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		sent := w.mustSend()
		keys, err := w.codes.Redis.Keys(w.Context(), "*").Result()
		if err != nil || len(keys) != 2 {
			w.Fatalf("keys %v, %v", keys, err)
		}
		for _, key := range keys {
			held := key
			if strings.HasSuffix(key, ":sent") {
				held += strings.Join(w.codes.Redis.LRange(w.Context(), key, 0, -1).Val(), " ")
			} else {
				held += w.codes.Redis.HGet(w.Context(), key, "digest").Val()
			}
			for _, secret := range []string{sent, w.person.String(), occasion} {
				if strings.Contains(held, secret) && secret != "" {
					w.Errorf("%s holds %s", held, secret)
				}
			}
			if ttl := w.codes.Redis.TTL(w.Context(), key).Val(); ttl <= 0 || ttl > 24*time.Hour {
				w.Errorf("%s ends in %v", key, ttl)
			}
		}
	})
}

func TestParse(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"123456": "123456", " 123 456\u00a0": "123456", "123-456": "123456", "000000": "000000",
		"": "", "12345": "", "1234567": "", "12345a": "", "１２３４５６": "",
	} {
		got, ok := code.Parse(typed)
		if ok != (want != "") || ok && got != want {
			t.Errorf("Parse(%q) = %q, %t; want %q", typed, got, ok, want)
		}
	}
}
