package limit_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"asoba.example/provider/limit"
)

var (
	noon  = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	three = limit.Limit{Burst: 3, Every: time.Second}
)

func TestACallerHasABurstAndThenOneEverySoOften(t *testing.T) {
	t.Parallel()
	b := limit.New(three)
	for i, step := range []struct {
		after time.Duration
		take  bool
		want  time.Duration
	}{
		{0, true, 0},
		{0, true, 0},
		{0, false, 0}, // to look takes nothing
		{0, false, 0},
		{0, true, 0},
		{0, false, time.Second},
		{0, true, time.Second},
		{0, true, time.Second}, // to be refused costs nothing
		{600 * time.Millisecond, true, 400 * time.Millisecond},
		{time.Second, true, 0},
		{time.Second, true, time.Second},
		{time.Hour, true, 0}, // a rest wins back the burst, and no more
		{time.Hour, true, 0},
		{time.Hour, true, 0},
		{time.Hour, true, time.Second},
	} {
		ask := b.Wait
		if step.take {
			ask = b.Take
		}
		if got := ask("a", noon.Add(step.after)); got != step.want {
			t.Fatalf("step %d: got %v, want %v", i, got, step.want)
		}
	}
	if got := b.Take("b", noon); got != 0 {
		t.Errorf("another caller waits %v", got)
	}
}

// A stranger with as many names as there are IPv6 networks makes the table no larger, and no debt of his is forgotten.
func TestACrowdNeitherGrowsTheTableNorWipesADebt(t *testing.T) { // not parallel: allocations are the process's
	b := limit.New(three)
	for range three.Burst {
		b.Take("guesser", noon)
	}
	names := make([]string, 300_000) // more than there are buckets
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	grown := testing.AllocsPerRun(1, func() {
		for _, name := range names {
			b.Take(name, noon)
		}
	})
	if grown != 0 {
		t.Errorf("%v allocations", grown)
	}
	if got := b.Wait("guesser", noon); got != time.Second {
		t.Errorf("the guesser waits %v", got)
	}
	if got := b.Take("newcomer", noon); got != 0 {
		t.Errorf("a newcomer waits %v", got)
	}
}

func TestManyAtOnceTakeNoMoreThanThereIs(t *testing.T) {
	t.Parallel()
	b := limit.New(limit.Limit{Burst: 100, Every: time.Second})
	var (
		all   sync.WaitGroup
		taken atomic.Int64
	)
	for range 16 {
		all.Go(func() {
			for range 50 {
				if b.Take("a", noon) == 0 {
					taken.Add(1)
				}
			}
		})
	}
	all.Wait()
	if got := taken.Load(); got != 100 {
		t.Errorf("took %d, want 100", got)
	}
}
