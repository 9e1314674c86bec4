package pair

import (
	"errors"

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
	ErrOwn     = errors.New("nobody decides what they have proposed themselves")
	ErrDecided = errors.New("the proposal was decided")
)

// Decide tells whether somebody may bring an author's proposal from one state to another. Nobody, uuid.Nil, is the operator's command at the
// terminal, which decides all.
func Decide(author, by uuid.UUID, from, to State) error {
	switch {
	case from != Open:
		return ErrDecided
	case by != uuid.Nil && (by == author) != (to == Withdrawn):
		return ErrOwn
	}
	return nil
}
