package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"asoba.example/provider/fetch"
)

// A number is the document of these tests: how often it was asked for, unless there is trouble.
type keeper struct {
	asked   atomic.Int32
	trouble atomic.Bool
	clock   atomic.Int64

	uri       string
	documents *fetch.Documents[int]
}

func newKeeper(t *testing.T) *keeper {
	t.Helper()
	k := new(keeper)
	server, _ := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, _ *http.Request) {
		n := k.asked.Add(1)
		if k.trouble.Load() {
			fmt.Fprint(w, "not a number")
			return
		}
		fmt.Fprint(w, n)
	})
	k.uri = server.URL
	k.documents = fetch.NewDocuments(fetch.DocumentsConfig[int]{
		Caller: fetch.New(fetch.Config{AllowLoopback: true}),
		Parse:  func(body []byte) (int, error) { return strconv.Atoi(string(body)) },
		Now:    func() time.Time { return time.Unix(k.clock.Load(), 0) },
	})
	k.clock.Store(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC).Unix())
	return k
}

// The life of a document, as doc.go draws it.
func TestADocumentIsReadWhenItMustBe(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	const no = 0 // document
	for _, step := range []struct {
		name    string
		pass    time.Duration
		trouble bool
		least   int // what is looked for: a document of no less
		want    int
		asked   int32
	}{
		{"at first it is read", 0, false, 1, 1, 1},
		{"then it is taken as it is", 9 * time.Minute, false, 1, 1, 1},
		{"after ten minutes it is read again", time.Minute, false, 1, 2, 2},
		{"what is not in it has it read again, but not at once", 9 * time.Second, false, 3, 2, 2},
		{"and then", time.Second, false, 3, 3, 3},
		{"what it never has makes it read every ten seconds", 10 * time.Second, false, 9, 4, 4},
		{"and no more often", time.Second, false, 9, 4, 4},
		{"when it cannot be read, the last one is taken", 10 * time.Minute, true, 1, 4, 5},
		{"and who asks at once does not make it tried again", 9 * time.Second, true, 1, 4, 5},
		{"after a pause it is tried again", time.Second, true, 1, 4, 6},
		{"until it is an hour old", 49 * time.Minute, true, 1, 4, 7},
		{"from then on it is not there", time.Minute, true, 1, no, 8},
		{"of which there is no doubt for a while", 9 * time.Second, false, 1, no, 8},
		{"then it is read again", time.Second, false, 1, 9, 9},
	} {
		k.clock.Add(int64(step.pass / time.Second))
		k.trouble.Store(step.trouble)
		got, err := k.documents.Find(t.Context(), k.uri, func(n int) bool { return n >= step.least })
		if got != step.want || (err != nil) != (step.want == no) || k.asked.Load() != step.asked {
			t.Errorf("%s: got %d, %v, having asked %d times; want %d, %d", step.name, got, err, k.asked.Load(), step.want, step.asked)
		}
	}
}

// Many who ask at once make one call.
func TestManyWaitForOneCall(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if n, err := k.documents.Find(t.Context(), k.uri, func(n int) bool { return n == 1 }); n != 1 || err != nil {
				t.Errorf("got %d, %v", n, err)
			}
		})
	}
	wait.Wait()
	if n := k.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// Who stops waiting takes nobody's call away, and a keeper that does not answer holds up no other.
func TestASlowKeeperHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	arrived, release := make(chan struct{}), make(chan struct{})
	slow, _ := serve(t, (*httptest.Server).Start, func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-release
		fmt.Fprint(w, 7)
	})
	has := func(n int) bool { return n != 0 }
	impatient, leave := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, err := k.documents.Find(impatient, slow.URL, has); !errors.Is(err, impatient.Err()) {
			t.Errorf("got %v", err)
		}
	})
	<-arrived
	if n, err := k.documents.Find(t.Context(), k.uri, has); n != 1 || err != nil {
		t.Errorf("another document: got %d, %v", n, err)
	}
	leave()
	wait.Wait()
	wait.Go(func() {
		if n, err := k.documents.Find(t.Context(), slow.URL, has); n != 7 || err != nil {
			t.Errorf("who stayed got %d, %v", n, err)
		}
	})
	close(release)
	wait.Wait()
}

// Addresses that nobody asks for any more are forgotten, or whoever names ever new ones would fill our memory.
func TestDocumentsOfOldAreForgotten(t *testing.T) {
	t.Parallel()
	k := newKeeper(t)
	for i := range 5 {
		k.clock.Add(int64(2 * time.Hour / time.Second))
		if _, err := k.documents.Find(t.Context(), fmt.Sprint(k.uri, "/?", i), func(int) bool { return true }); err != nil {
			t.Fatal(err)
		}
	}
	if held := k.documents.Held(); held != 1 {
		t.Errorf("%d are held", held)
	}
}
