// Package standing knows how the demo's people stand, from the provider's feed of changes: the workbench is a
// follower like the cabinet and asks nobody's database.
//
//	none ── issued ──► temporary ── activated ──► active
//	                     ▲    └─ blocked ─┐         │ blocked
//	                     │                ▼         ▼
//	                     └─ unblocked ─── blocked(reason)     by the desk
//	                                      └─ unblocked ► active   by the citizen
package standing

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"asoba.example/cmd/internal/demo/management"
)

// A Standing is how a person's identifier stands.
type Standing struct {
	State       string // none, temporary, active, blocked
	BlockReason string
	Formed      int // how often a static password was formed
}

// A Follower reads the feed.
type Follower struct {
	log    *slog.Logger
	cursor string              // Run's
	ids    map[string]string   // Run's: identification number by the person's id
	unmet  map[string]Standing // Run's: by the person's id, of those of whom it was not read yet who they are

	caughtUp chan struct{} // closed when everything there was at the start has been read

	mu       sync.Mutex
	standing map[string]Standing // by identification number; of those only who are followed
	met      map[string]bool     // of those, who is in the register
	changed  chan struct{}       // closed and replaced when something changed
}

// New makes a Follower of some people, by their identification numbers, that begins at the feed's beginning.
func New(numbers []string, log *slog.Logger) *Follower {
	f := &Follower{
		log: log,
		ids: map[string]string{}, unmet: map[string]Standing{}, standing: map[string]Standing{}, met: map[string]bool{}, changed: make(chan struct{}),
		caughtUp: make(chan struct{}),
	}
	for _, number := range numbers {
		f.standing[number] = Standing{State: "none"}
	}
	return f
}

// longPoll is how long the provider may wait for news before it answers that there are none.
const longPoll = 20 * time.Second

// pause is between tries while the provider does not answer.
const pause = time.Second

// Run follows until ctx ends, calling as a client with the scope changes:read.
func (f *Follower) Run(ctx context.Context, api management.Caller) error {
	wait := time.Duration(0) // until we have caught up
	for ctx.Err() == nil {
		news, err := f.read(ctx, api, wait)
		switch {
		case err != nil && ctx.Err() == nil:
			f.log.Warn("the feed of changes was not read; will be tried again", "err", err)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		case err == nil && !news && wait == 0:
			close(f.caughtUp)
			wait = longPoll
		}
	}
	return nil
}

// CaughtUp is closed when everything there was at the start has been read.
func (f *Follower) CaughtUp() <-chan struct{} { return f.caughtUp }

// Of gives a person's standing by identification number.
func (f *Follower) Of(number string) Standing {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.standing[number]
}

// Met tells whether somebody is in the register, so far as has been read.
func (f *Follower) Met(number string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.met[number]
}

// Changed is closed at the next change.
func (f *Follower) Changed() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.changed
}

// Await returns when somebody stands as wanted.
func (f *Follower) Await(ctx context.Context, number string, as func(Standing) bool) error {
	for {
		changed := f.Changed()
		if as(f.Of(number)) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("the feed has not told: %w", ctx.Err())
		}
	}
}

type entry struct {
	Kind    string            `json:"kind"`
	Person  string            `json:"person"`
	Edition int64             `json:"edition"`
	Staff   bool              `json:"staff"`
	Detail  map[string]string `json:"detail"`
}

// read takes what came after the cursor, waiting for it at most so long.
func (f *Follower) read(ctx context.Context, api management.Caller, wait time.Duration) (news bool, err error) {
	query := url.Values{"wait": {strconv.Itoa(int(wait.Seconds()))}}
	if f.cursor != "" {
		query.Set("after", f.cursor)
	}
	var page struct {
		Entries []entry `json:"entries"`
		Cursor  string  `json:"cursor"`
	}
	if err := api.Call(ctx, http.MethodGet, "/changes?"+query.Encode(), nil, &page); err != nil {
		return false, err
	}
	for _, e := range page.Entries {
		if e.Kind == "edition.applied" || e.Kind == "person.changed" { // whoever changed since belongs to their own change
			if err := f.meet(ctx, api, e.Edition); err != nil {
				return false, err
			}
		}
	}
	f.take(page.Entries)
	news = page.Cursor != f.cursor // it moves past what is not for us as well
	f.cursor = page.Cursor
	return news, nil
}

// meet learns who is in the register: the feed names people by their ids alone.
func (f *Follower) meet(ctx context.Context, api management.Caller, edition int64) error {
	query := url.Values{"limit": {"1000"}}
	for {
		var page struct {
			People []struct {
				ID     string `json:"id"`
				Number string `json:"identification_number"`
			} `json:"people"`
			Next string `json:"next"`
		}
		path := fmt.Sprintf("/register/editions/%d/people?%s", edition, query.Encode())
		if err := api.Call(ctx, http.MethodGet, path, nil, &page); err != nil {
			return err
		}
		for _, p := range page.People {
			if f.Of(p.Number) != (Standing{}) {
				f.know(p.ID, p.Number)
			}
		}
		if page.Next == "" {
			return nil
		}
		query.Set("after", page.Next)
	}
}

// know takes in who somebody is, and what was read of them before: whoever has changed since is in no earlier edition any more.
func (f *Follower) know(id, number string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ids[id], f.met[number] = number, true
	if s, read := f.unmet[id]; read {
		delete(f.unmet, id)
		f.stands(number, s)
	}
}

func (f *Follower) take(entries []entry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range entries {
		if number, known := f.ids[e.Person]; known {
			f.stands(number, f.standing[number].after(e))
		} else if e.Person != "" {
			f.unmet[e.Person] = cmp.Or(f.unmet[e.Person], Standing{State: "none"}).after(e)
		}
	}
}

// stands has everybody know how a person stands now. f.mu is held.
func (f *Follower) stands(number string, s Standing) {
	if f.standing[number] != s {
		f.standing[number] = s
		close(f.changed)
		f.changed = make(chan struct{})
	}
}

func (s Standing) after(e entry) Standing {
	switch e.Kind {
	case "identifier.issued":
		s.State, s.BlockReason = "temporary", ""
	case "identifier.activated":
		s.State, s.BlockReason = "active", ""
		s.Formed++
	case "password.changed", "password.recovered":
		s.Formed++
	case "identifier.blocked":
		s.State, s.BlockReason = "blocked", e.Detail["reason"]
	case "identifier.unblocked":
		s.State, s.BlockReason = "temporary", ""
		if !e.Staff {
			s.State = "active"
		}
	}
	return s
}
