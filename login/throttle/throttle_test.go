package throttle_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"asoba.example/login/throttle"
	"asoba.example/migrations/redistest"
)

var limit = throttle.Limit{Name: "test", Tries: 3, In: time.Minute}

// A clock that tests turn.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// onEach runs a test on a real Redis and on the one inside the demo.
func onEach(t *testing.T, test func(*testing.T, *throttle.Throttle, *clock)) {
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
			c := &clock{time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)}
			test(t, &throttle.Throttle{Redis: open(t), Key: []byte("key"), Now: c.now}, c)
		})
	}
}

func take(t *testing.T, th *throttle.Throttle, tries ...throttle.Try) time.Duration {
	t.Helper()
	wait, err := th.Take(t.Context(), tries...)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

// In no window of the limit's length are there more tries than the limit allows; and who waits as long as
// was said, and no longer, may go on.
func TestTakeHoldsInEveryWindow(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, th *throttle.Throttle, c *clock) {
		random := rand.New(rand.NewPCG(1, 2))
		try := throttle.Try{Limit: limit, By: "somebody"}
		var taken []time.Time
		for range 300 {
			c.at = c.at.Add(time.Duration(random.IntN(40_000)) * time.Millisecond)
			wait := take(t, th, try)
			young := 0
			for _, at := range taken {
				if c.at.Sub(at) < limit.In {
					young++
				}
			}
			if got, want := wait == 0, young < limit.Tries; got != want {
				t.Fatalf("with %d tries in the window: let through %t, want %t", young, got, want)
			}
			if wait > 0 {
				c.at = c.at.Add(wait - time.Millisecond)
				if take(t, th, try) == 0 {
					t.Fatalf("let through before the %v it told to wait", wait)
				}
				c.at = c.at.Add(time.Millisecond)
				if again := take(t, th, try); again != 0 {
					t.Fatalf("told to wait %v, then %v more", wait, again)
				}
			}
			taken = append(taken, c.at)
		}
	})
}

// Three tries follow at once; then each waits longer than the one before, until the window has passed. Who is told to wait is let
// through after that, and not a moment earlier.
func TestPausesGrow(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, th *throttle.Throttle, c *clock) {
		const s, m = time.Second, time.Minute
		try := throttle.Try{By: "somebody", Limit: throttle.Limit{Name: "growing", Tries: 8, In: 15 * m, Pauses: []time.Duration{10 * s, 20 * s, m}}}
		var waited []time.Duration
		for range 10 {
			wait := take(t, th, try)
			if wait > 0 {
				c.at = c.at.Add(wait - time.Millisecond)
				if again := take(t, th, try); again != time.Millisecond {
					t.Fatalf("a moment before the end of %v: has to wait %v", wait, again)
				}
				c.at = c.at.Add(time.Millisecond)
				if again := take(t, th, try); again != 0 {
					t.Fatalf("told to wait %v, then %v more", wait, again)
				}
			}
			waited = append(waited, wait)
		}
		window := 15*m - 210*s // since the first three
		if want := []time.Duration{0, 0, 0, 10 * s, 20 * s, m, m, m, window, m}; !slices.Equal(waited, want) {
			t.Errorf("waited %v, want %v", waited, want)
		}
		c.at = c.at.Add(15 * m)
		if wait := take(t, th, try); wait != 0 {
			t.Errorf("has to wait %v after the window", wait)
		}
	})
}

// What is refused for one reason uses up nobody else's budget.
func TestTakeStopsAtTheFirstRefusal(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, th *throttle.Throttle, _ *clock) {
		network := throttle.Try{Limit: throttle.Limit{Name: "network", Tries: 1, In: time.Hour}, By: "192.0.2.1"}
		number := throttle.Try{Limit: limit, By: "number"}
		take(t, th, network)
		for range 2 * limit.Tries {
			if take(t, th, network, number) == 0 {
				t.Fatal("a network over its limit was let through")
			}
		}
		for i := range limit.Tries {
			if wait, err := th.Look(t.Context(), number); wait != 0 || err != nil {
				t.Fatalf("a look at own try %d: %v, %v", i+1, wait, err)
			}
			if wait := take(t, th, number); wait != 0 {
				t.Fatalf("own try %d has to wait %v", i+1, wait)
			}
		}
		if wait, err := th.Look(t.Context(), number); wait != limit.In || err != nil {
			t.Fatalf("a look at one too many: %v, %v; want %v", wait, err, limit.In)
		}
	})
}

func TestForgiveGivesTheWholeBudgetBack(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, th *throttle.Throttle, _ *clock) {
		try := throttle.Try{Limit: limit, By: "somebody"}
		for range limit.Tries {
			take(t, th, try)
		}
		if err := th.Forgive(t.Context(), try); err != nil {
			t.Fatal(err)
		}
		if wait := take(t, th, try); wait != 0 {
			t.Fatalf("has to wait %v", wait)
		}
	})
}

// What came to nothing is as if it had not been tried, whether or not anything is kept of it.
func TestReturnGivesOneTryBack(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, th *throttle.Throttle, _ *clock) {
		try := throttle.Try{Limit: limit, By: "somebody"}
		if err := th.Return(t.Context(), try); err != nil {
			t.Fatal(err)
		}
		for range limit.Tries {
			take(t, th, try)
		}
		if err := th.Return(t.Context(), try); err != nil {
			t.Fatal(err)
		}
		if wait := take(t, th, try); wait != 0 {
			t.Fatalf("has to wait %v for the one given back", wait)
		}
		if take(t, th, try) == 0 {
			t.Fatal("more than one was given back")
		}
	})
}

// Redis learns neither numbers nor addresses, and forgets by itself.
func TestKeysNameNobodyAndEnd(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, th *throttle.Throttle, _ *clock) {
		take(t, th, throttle.Try{Limit: limit, By: "0000000A000PB2"})
		keys, err := th.Redis.Keys(t.Context(), "*").Result()
		if err != nil || len(keys) != 1 {
			t.Fatalf("keys %v, %v", keys, err)
		}
		if strings.Contains(keys[0], "0000000A000PB2") {
			t.Errorf("the key %s names the number", keys[0])
		}
		if ttl := th.Redis.TTL(t.Context(), keys[0]).Val(); ttl <= 0 || ttl > limit.In {
			t.Errorf("the key ends in %v", ttl)
		}
	})
}

// A Redis that is away refuses; it lets nobody try as often as they like.
func TestTakeFailsWithoutRedis(t *testing.T) {
	t.Parallel()
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", DialerRetries: 1, MaxRetries: -1})
	defer client.Close()
	th := &throttle.Throttle{Redis: client, Now: time.Now}
	if _, err := th.Take(t.Context(), throttle.Try{Limit: limit}); err == nil {
		t.Fatal("Take went through")
	}
}
