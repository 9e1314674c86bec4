package code_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	return w.sendFor(w.here())
}

func (w *world) sendFor(f code.For) error {
	_, err := w.codes.Send(w.Context(), f, "ru", nil)
	return err
}

// here is what a code of these tests is good for.
func (w *world) here() code.For {
	return code.For{Purpose: code.SignIn, Person: w.person, Occasion: occasion, Phone: w.number(1)}
}

// number is the nth phone.
func (w *world) number(n int) identity.Phone {
	w.Helper()
	phone, err := identity.ParsePhone(fmt.Sprintf("+37529491191%d", n))
	if err != nil {
		w.Fatal(err)
	}
	return phone
}

func (w *world) mustSend() string {
	w.Helper()
	if err := w.send(); err != nil {
		w.Fatal(err)
	}
	return w.phone.last()
}

func (w *world) check(digits string) error {
	return w.codes.Check(w.Context(), w.here(), digits)
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

// A code is as long as is settled, and one that was sent before is good still.
func TestACodeIsAsLongAsIsSettled(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		before := w.mustSend()
		const settle = `
			WITH people AS (
				INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
				VALUES ($1, '3080356A001PB5', 'F', '1856', 'BY', 1), ($2, '1010130K001PB9', 'F', '1856', 'BY', 1)
			)
			INSERT INTO policy (id, name, value, in_force_from, ground_title, ground_number, ground_date, state, author, proposed_at, decided_by, decided_at)
			VALUES ($1, 'code.digits', '8', $3, 'Rules', '1', '2026-01-01', 'approved', $1, $3, $2, $3)`
		if _, err := w.pool.Exec(w.Context(), settle, uuid.New(), uuid.New(), w.at); err != nil {
			w.Fatal(err)
		}
		var err error
		if w.codes.Policies, err = policy.New(w.Context(), w.pool, func() time.Time { return w.at }); err != nil {
			w.Fatal(err)
		}
		typed, ok := code.Parse(before)
		if !ok {
			w.Errorf("%q is no code any more", before)
		}
		w.want("the one before", w.check(typed), nil)
		sent := w.mustSend()
		if len(sent) != 8 {
			w.Errorf("%q has not eight digits", sent)
		}
		w.want("the right one", w.check(sent), nil)
	})
}

// A right code that is only tried is good until it is spent; a wrong one costs a try all the same. One that was sent since is nobody's to spend.
func TestACodeThatIsTriedIsGoodUntilItIsSpent(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		try := func(digits string) error { return w.codes.Try(w.Context(), w.here(), digits) }
		spend := func(digits string) {
			w.Helper()
			w.want("to spend", w.codes.Spend(w.Context(), w.here(), digits), nil)
		}
		sent := w.mustSend()
		for range 2 {
			w.want("the right one", try(sent), nil)
			w.want("a wrong one", try(other(sent)), code.ErrWrong)
		}
		w.want("another at once", w.send(), code.ErrWait)
		spend(other(sent))
		w.want("the right one, once another was spent", try(sent), nil)
		spend(sent)
		w.want("the right one, once it was spent", try(sent), code.ErrOver)
		next := w.mustSend() // at once: nobody waits any more
		for sent == next {   // one in a million
			w.at = w.at.Add(10 * time.Minute)
			next = w.mustSend()
		}
		spend(sent)
		for range 4 {
			w.want("a wrong one", try(other(next)), code.ErrWrong)
		}
		w.want("the fifth wrong one", try(other(next)), code.ErrLast)
		w.want("the next", try(next), code.ErrOver)
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
		w.want("the fifth wrong one", w.check(other(sent)), code.ErrLast)
		w.want("the right one", w.check(sent), code.ErrOver)
	})
}

func TestACodeEndsAfterFiveMinutes(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		sent := w.mustSend()
		w.at = w.at.Add(policy.CodeFor.In(nil) - time.Millisecond)
		state, err := w.codes.Standing(w.Context(), w.here())
		if err != nil || !state.Till.After(w.at) {
			w.Fatalf("just before its end: %v, %v", state, err)
		}
		w.at = w.at.Add(time.Millisecond)
		if state, err = w.codes.Standing(w.Context(), w.here()); err != nil || !state.Till.IsZero() {
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

// A code is good for the person, the purpose, the occasion and the phone that it was sent for, and nothing else;
// elsewhere no try is taken at it.
func TestACodeIsBound(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		sent := w.mustSend()
		for what, change := range map[string]func(*code.For){
			"another purpose":  func(f *code.For) { f.Purpose = code.ConfirmPhone },
			"another person":   func(f *code.For) { f.Person = uuid.New() },
			"another occasion": func(f *code.For) { f.Occasion = "another interaction" },
		} {
			f := w.here()
			change(&f)
			for range policy.CodeTries.In(nil) {
				w.want(what, w.codes.Check(w.Context(), f, sent), code.ErrOver)
			}
			if state, err := w.codes.Standing(w.Context(), f); err != nil || !state.Till.IsZero() {
				w.Errorf("%s: %v, %v", what, state, err)
			}
		}
		elsewhere := w.here()
		elsewhere.Phone = w.number(2)
		w.want("another phone", w.codes.Check(w.Context(), elsewhere, sent), code.ErrWrong)
		w.want("where it belongs", w.check(sent), nil)
	})
}

// Who has proved a password or a session is sent as many codes as for a sign-in; who has typed a number fewer.
func TestTheBudgetIsThePurposes(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		for purpose, want := range map[code.Purpose]int{
			code.SignIn: 5, code.ConfirmPhone: 5, code.ChangePhone: 5, code.Unblock: 5, code.Recover: 3, code.Block: 3,
		} {
			sent, f := 0, w.here()
			f.Purpose = purpose
			for start := w.at; w.at.Before(start.Add(59 * time.Minute)); w.at = w.at.Add(6 * time.Minute) {
				if err := w.sendFor(f); err == nil {
					sent++
				}
			}
			if sent != want {
				w.Errorf("%s: %d in an hour, want %d", purpose, sent, want)
			}
		}
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

// Another occasion gives nobody another code sooner, and ends the one that is under way. Another purpose does neither:
// codes that strangers can ask for use up nobody's for a sign-in.
func TestPausesAndLimitsGoByThePersonAndThePurpose(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		first := w.mustSend()
		another, stranger := w.here(), w.here()
		another.Occasion = "another interaction"
		stranger.Purpose, stranger.Occasion = code.ConfirmPhone, "a visit"
		w.want("at another occasion", w.sendFor(another), code.ErrWait)
		w.want("for another purpose", w.sendFor(stranger), nil)
		w.want("the first, which is good still", w.check(first), nil)
		w.want("after the right one", w.sendFor(another), nil)

		second := w.phone.last()
		w.at = w.at.Add(time.Minute)
		w.mustSend()
		w.want("what a newer one has ended", w.codes.Check(w.Context(), another, second), code.ErrOver)

		for n := range 2 { // the fourth and the fifth
			w.at = w.at.Add(5 * time.Minute)
			another.Occasion = fmt.Sprint("interaction ", n)
			w.want(another.Occasion, w.sendFor(another), nil)
		}
		w.at = w.at.Add(5 * time.Minute)
		w.want("the sixth in an hour", w.sendFor(another), code.ErrWait)
		w.want("for another purpose", w.sendFor(stranger), nil)
		w.codes.Relaxed = true
		w.want("the sixth, relaxed", w.sendFor(another), nil)
		w.want("and again at once", w.sendFor(another), nil)
	})
}

// Nobody's phone is filled by codes for many people who say that it is theirs.
func TestPausesAndLimitsGoByThePhone(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		begun := w.at
		var got []time.Duration
		for len(got) < 6 {
			f := w.here()
			f.Purpose, f.Person, f.Occasion = code.ConfirmPhone, uuid.New(), uuid.NewString()
			w.want("to somebody new", w.sendFor(f), nil)
			got = append(got, w.at.Sub(begun))
			f.Person = uuid.New()
			err := w.sendFor(f)
			var early *code.WaitError
			if !errors.As(err, &early) {
				w.Fatalf("another at once: %v", err)
			}
			if state, err := w.codes.Standing(w.Context(), f); err != nil || !state.Again.Equal(early.Till) {
				w.Errorf("it is said from %v on, %v; want %v", state.Again, err, early.Till)
			}
			f.Phone = w.number(2)
			if w.at.Equal(begun) {
				w.want("to another phone", w.sendFor(f), nil)
			}
			w.at = early.Till
		}
		const m, h = time.Minute, time.Hour
		if want := []time.Duration{0, m, 3 * m, 8 * m, 13 * m, h}; !slices.Equal(got, want) {
			w.Errorf("sent after\n%v, want\n%v", got, want)
		}
	})
}

// A cluster of Redis shares the load, for each person has a slot; and what is decided upon together lies in one.
func TestEachPersonHasASlot(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		slots := map[string]int{}
		for _, purpose := range []code.Purpose{code.SignIn, code.ChangePhone} {
			for n := range 3 {
				f := w.here()
				f.Purpose, f.Person, f.Phone = purpose, uuid.New(), w.number(n)
				w.want(string(purpose), w.sendFor(f), nil)
			}
		}
		for _, key := range w.codes.Redis.Keys(w.Context(), "*").Val() {
			_, tagged, _ := strings.Cut(key, "{")
			tag, _, _ := strings.Cut(tagged, "}")
			slots[tag]++
		}
		if got, want := slices.Sorted(maps.Values(slots)), []int{2, 2, 2, 12}; !slices.Equal(got, want) {
			w.Errorf("%d keys lie in each slot, want %d", got, want)
		}
	})
}

// What goes with a code is done with it or not at all; where none may go, nothing is tried.
func TestWhatGoesWithACodeIsDoneWithIt(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		called, refuse := 0, errors.New("not now")
		within := func(answer error) func(context.Context, pgx.Tx) error {
			return func(ctx context.Context, tx pgx.Tx) error {
				called++
				_, err := tx.Exec(ctx, `CREATE TABLE done (n int)`)
				return errors.Join(answer, err)
			}
		}
		_, err := w.codes.Send(w.Context(), w.here(), "ru", within(refuse))
		w.want("what is refused within", err, refuse)
		if len(w.phone.texts) != 0 {
			w.Error("a code went all the same")
		}
		_, err = w.codes.Send(w.Context(), w.here(), "ru", within(nil))
		w.want("at once, for nobody got one", err, nil)
		_, err = w.codes.Send(w.Context(), w.here(), "ru", within(nil))
		w.want("too early", err, code.ErrWait)
		if called != 2 {
			w.Errorf("called %d times, want 2", called)
		}
	})
}

// A code that could not be put on its way is not recorded as sent, and keeps nobody waiting.
func TestSendLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	onEach(t, func(w *world) {
		heal := pgtest.FailOn(w.T, w.pool, "INSERT", "event")
		for range 1 + policy.CodesInDay.In(nil) {
			if err := w.send(); err == nil || errors.Is(err, code.ErrWait) {
				w.Fatalf("sent over a broken table: %v", err)
			}
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
				held += fmt.Sprint(w.codes.Redis.HGetAll(w.Context(), key).Val())
			}
			for _, secret := range []string{sent, w.person.String(), occasion, "294911911"} {
				if strings.Contains(held, secret) {
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
		"123456": "123456", " 123 456\u00a0": "123456", "123-456": "123456", "000000": "000000", "1234 5678": "12345678",
		"": "", "12345": "", "123456789": "", "12345a": "", "１２３４５６": "",
	} {
		got, ok := code.Parse(typed)
		if ok != (want != "") || ok && got != want {
			t.Errorf("Parse(%q) = %q, %t; want %q", typed, got, ok, want)
		}
	}
}
