package pair

import (
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// A State is how a proposal stands.
type State string

// The states, drawn in doc.go.
const (
	Open      State = "open"
	Approved  State = "approved"
	Refused   State = "refused"
	Withdrawn State = "withdrawn"
)

// Meanings.
var (
	ErrOwn     = errors.New("whoever has proposed or brought it does not decide on it, and nobody else withdraws it")
	ErrDecided = errors.New("the proposal was decided")
)

// A DecidedError says how a proposal was decided, and by whom.
type DecidedError struct {
	State State
	By    uuid.UUID // uuid.Nil where it was nobody
}

func (e *DecidedError) Error() string {
	if e.By == uuid.Nil {
		return fmt.Sprintf("the proposal was decided: %s", e.State)
	}
	return fmt.Sprintf("the proposal was decided: %s by %s", e.State, e.By)
}

// Is makes it an ErrDecided.
func (e *DecidedError) Is(target error) bool { return target == ErrDecided }

// A Proposal is whose it is, how it stands, and who has decided it. Nobody, uuid.Nil, is the operator's command at the terminal, which
// decides all.
type Proposal struct {
	Author    uuid.UUID
	State     State
	DecidedBy *uuid.UUID // nil where it was nobody
}

// Decide tells whether somebody may bring an open proposal to another state; or that they have done so before, and there is nothing to do
// again but to tell them what became of it.
func (p Proposal) Decide(by uuid.UUID, to State) (again bool, err error) {
	var decided uuid.UUID
	if p.DecidedBy != nil {
		decided = *p.DecidedBy
	}
	switch {
	case p.State == to && decided == by:
		return true, nil
	case p.State != Open:
		return false, &DecidedError{p.State, decided}
	case by != uuid.Nil && (by == p.Author) != (to == Withdrawn):
		return false, ErrOwn
	}
	return false, nil
}
