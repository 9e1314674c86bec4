package register

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"asoba.example/provider/fetch"
)

// Why nothing was learned of a person who was asked about.
var (
	ErrAway = errors.New("the population register does not answer")
	ErrNone = errors.New("the population register knows nobody of the number")
	ErrGone = errors.New("the population register says that the person is gone, and it could not be taken in")
)

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
// more is known of the person already, that is no error; whatever is one but ErrGone, what is known is the best there is. ErrGone it is where they
// are gone by what it says and not by what is known, whatever the reason for which it could not be taken in.
func (g *Register) Refresh(ctx context.Context, number string, at time.Time) error {
	if g.Source == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, asking)
	defer cancel()
	e, err := g.Source.ask(ctx, number)
	switch {
	case err != nil:
		return err
	case e.Person == nil:
		return ErrNone
	}
	e.ID, e.ToldAt, e.asked = "asked "+uuid.NewString(), at, true
	_, err = g.Take(ctx, e)
	if err != nil && g.gone(e.Person) {
		if known, unknown := Find(ctx, g.Pool, number); unknown != nil || !known.Gone() {
			return fmt.Errorf("%w: %w", ErrGone, err)
		}
	}
	if errors.Is(err, ErrOlderEvent) {
		return nil
	}
	return err
}

// gone tells whether a row, however badly written, ends what its person may do.
func (g *Register) gone(r Row) bool {
	return cmp.Or(r["death_date"], r["declared_dead_date"], r["missing_date"]) != "" || r["incapable_date"] != "" && g.deactivatesIncapable()
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
