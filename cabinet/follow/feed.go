package follow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/uuid"

	"asoba.example/cabinet/journal"
)

const (
	// wait is how long the provider holds a request until there is something to say. It is well under the silence
	// after which tokens are put before the provider.
	wait = 2 * time.Second
	// patience is for an answer, beyond wait, and for more of one that brings people.
	patience = 10 * time.Second
	// entriesAtOnce is how many entries are asked for and applied together.
	entriesAtOnce = 1000
	// peopleAtOnce is how many people of all are read and applied together.
	peopleAtOnce = 5000
	// touchedAtOnce is how many people of an edition are applied together; an answer brings answerPages times as many, the most that may be asked for.
	touchedAtOnce = 2500
	answerPages   = 4
	// answerLimit is well above peopleAtOnce people.
	answerLimit = 16 << 20
)

var (
	errRefused = errors.New("the feed refuses our token")
	errSilent  = errors.New("the feed says no more")
	errDropped = errors.New("the feed has dropped what comes next")
)

// entry is one change, as the feed says it.
type entry struct {
	Cursor   string            `json:"cursor"`
	ID       uuid.UUID         `json:"id"`
	Kind     string            `json:"kind"`
	At       time.Time         `json:"at"`
	Person   uuid.UUID         `json:"person"`
	ClientID string            `json:"client_id"`
	Office   string            `json:"office"`
	Staff    bool              `json:"staff"`
	GID      uuid.UUID         `json:"gid"`
	ACR      string            `json:"acr"`
	Agent    string            `json:"agent"`
	Edition  int64             `json:"edition"`
	Detail   map[string]string `json:"detail"`
}

// changes is one answer of the feed: entries after a cursor, and the cursor to ask from next, which moves past what is
// not told as well.
type changes struct {
	Entries []entry                  `json:"entries"`
	Clients map[string]journal.Names `json:"clients"` // what those of the entries are called
	Cursor  string                   `json:"cursor"`
	anew    bool                     // some of what came before Cursor was dropped: everybody is to be read
}

// people is one page of everybody. Next is nil on the last one.
type people struct {
	People []person   `json:"people"`
	Next   *uuid.UUID `json:"next"`
}

// person is somebody in the register.
type person struct {
	ID                   uuid.UUID `json:"id"`
	IdentificationNumber string    `json:"identification_number"`
	Sex                  string    `json:"sex"`
	BirthDate            string    `json:"birth_date"`
	Citizenship          string    `json:"citizenship"`
	Death                *fact     `json:"death"`
	DeclaredDead         *fact     `json:"declared_dead"`
	Missing              *fact     `json:"missing"`
	Incapable            *fact     `json:"incapable"`
	Limited              *fact     `json:"limited"`
	DeactivatedFor       string    `json:"deactivated_for"`
	Identifier           string    `json:"identifier"` // none, temporary, active, blocked
}

// fact is a status with the date it holds from (order 82, p. 5).
type fact struct {
	Date date `json:"date"`
}

type date struct{ time.Time }

// UnmarshalJSON reads YYYY-MM-DD.
func (d *date) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	var err error
	d.Time, err = time.Parse(time.DateOnly, s)
	return err
}

// A Feed is the provider's management API, as far as a follower reads it.
type Feed struct {
	URL  string // of the management API
	HTTP *http.Client
	// Token gives an access token of scope changes:read; refused is one that would not be taken, or "".
	Token func(ctx context.Context, refused string) (string, error)
}

// changes asks what happened after a cursor; without news it answers, empty, once that was waited for. Where that was dropped, it gives the cursor to go on from
// once everybody was read.
func (f Feed) changes(ctx context.Context, after string, wait time.Duration) (c changes, err error) {
	query := url.Values{
		"after": {after}, "wait": {strconv.Itoa(int(wait / time.Second))}, "limit": {strconv.Itoa(entriesAtOnce)},
	}
	err = f.get(ctx, "/changes", query, &c)
	if errors.Is(err, errDropped) {
		c.anew, err = true, nil
	}
	if err == nil && c.Cursor == "" {
		err = errors.New("GET /changes: no cursor in the answer")
	}
	for _, e := range c.Entries {
		if err == nil && e.Person != uuid.Nil && e.ID == uuid.Nil {
			err = errors.New("GET /changes: an entry without an id")
		}
	}
	return c, err
}

// touched hands over, one by one, whom an edition touched after a person: limit of them in the order of their ids, or where that is 0 all of them
// in no order.
func (f Feed) touched(ctx context.Context, edition int64, after uuid.UUID, limit int, take func(next func() (person, error)) error) error {
	query := url.Values{}
	if after != uuid.Nil {
		query.Set("after", after.String())
	}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(patience, func() { cancel(errSilent) })
	defer silence.Stop()
	path := "/register/editions/" + strconv.FormatInt(edition, 10) + "/people"
	err := f.trying(ctx, func(token string) error {
		return f.ask(ctx, token, path, query, "text/csv", func(answer io.Reader) error {
			people, err := openTable(stream{answer, silence})
			if err != nil {
				return err
			}
			return take(people.next)
		})
	})
	if errors.Is(context.Cause(ctx), errSilent) {
		err = fmt.Errorf("GET %s: %w", path, errSilent)
	}
	return err
}

// A stream is an answer that may take as long as it takes, but for its silence.
type stream struct {
	io.Reader
	silence *time.Timer
}

func (s stream) Read(p []byte) (int, error) {
	s.silence.Reset(patience)
	defer s.silence.Stop() // whoever reads may take their time
	return s.Reader.Read(p)
}

// everybody asks for all people of the register, after one.
func (f Feed) everybody(ctx context.Context, after uuid.UUID, limit int) (p people, err error) {
	query := url.Values{"limit": {strconv.Itoa(limit)}}
	if after != uuid.Nil {
		query.Set("after", after.String())
	}
	err = f.get(ctx, "/register/people", query, &p)
	return p, err
}

// get asks for JSON.
func (f Feed) get(ctx context.Context, path string, query url.Values, into any) error {
	ctx, cancel := context.WithTimeout(ctx, wait+patience)
	defer cancel()
	return f.trying(ctx, func(token string) error {
		return f.ask(ctx, token, path, query, "application/json", func(answer io.Reader) error {
			return json.NewDecoder(io.LimitReader(answer, answerLimit)).Decode(into)
		})
	})
}

// trying asks once more with another token when the first is refused: the provider may have ended it.
func (f Feed) trying(ctx context.Context, ask func(token string) error) error {
	token, err := f.Token(ctx, "")
	if err != nil {
		return err
	}
	err = ask(token)
	if errors.Is(err, errRefused) {
		if token, err = f.Token(ctx, token); err == nil {
			err = ask(token)
		}
	}
	return err
}

func (f Feed) ask(ctx context.Context, token, path string, query url.Values, kind string, take func(answer io.Reader) error) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.URL+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", kind)
	answer, err := f.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var gone error
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusGone:
		gone = errDropped // and the rest of it says from where on there is more
	case http.StatusUnauthorized:
		return errRefused
	default:
		return fmt.Errorf("GET %s: %s", path, answer.Status)
	}
	if err := take(answer.Body); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return gone
}
