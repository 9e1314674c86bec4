package register

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"asoba.example/provider/fetch"
)

// ErrAway says that the register's owner does not answer.
var ErrAway = errors.New("the population register does not answer")

// A Source is the register of population itself, which its owner keeps, asked about one person over HTTP:
//
//	POST {"identification_number": "…"}
//	200  {"at": "2026-11-20T10:00:00+03:00", "person": {a row of an edition}}, with "former_number" where the number has become another one;
//	     {} where it knows nobody of that number
//
// Everything personal is in the body, so that no log of addresses has it. Whatever else comes of the call is no answer.
type Source struct {
	URL    string
	Caller *fetch.Caller
}

// asking is how long somebody waits for what the register says, and for it to be known.
const asking = 4 * time.Second

// Refresh asks the register about one person and takes in what it says, as an event of its own. Without a Source there is nobody to ask. Where
// more is known of the person already, that is no error; whatever is one, what is known is the best there is.
func (g *Register) Refresh(ctx context.Context, number string, at time.Time) error {
	if g.Source == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	e, err := g.Source.ask(ctx, number)
	if err != nil || e.Person == nil {
		return err
	}
	e.ID, e.ToldAt = "asked "+uuid.NewString(), at
	if _, err := g.Take(ctx, e); err != nil && !errors.Is(err, ErrOlderEvent) {
		return err
	}
	return nil
}

// ask asks about one person; an event of nobody where the register knows none.
func (s *Source) ask(ctx context.Context, number string) (e Event, err error) {
	question, err := json.Marshal(struct {
		Number string `json:"identification_number"`
	}{number})
	if err != nil {
		return Event{}, fmt.Errorf("ask the register: %w", err)
	}
	answer, err := s.Caller.Ask(ctx, s.URL, question)
	if err != nil {
		return Event{}, fmt.Errorf("%w: %w", ErrAway, err)
	}
	if json.Unmarshal(answer, &e) != nil { // the cause may repeat what it says
		return Event{}, fmt.Errorf("%w: what it says is no JSON of the form", ErrAway)
	}
	if e.Person != nil && e.Former != number && e.Person[fileColumns[0]] != number {
		return Event{}, fmt.Errorf("%w: it tells of somebody else", ErrAway)
	}
	return e, nil
}
