package pair_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"asoba.example/provider/pair"
)

// Nobody decides alone, nor takes back what is another's, and nothing is decided twice: who decides the same once more is told of it, and
// anybody else how it was decided, and by whom.
func TestTwoPeopleDecide(t *testing.T) {
	t.Parallel()
	author, other, third := uuid.New(), uuid.New(), uuid.New()
	for _, to := range []pair.State{pair.Approved, pair.Refused, pair.Withdrawn} {
		own, others := pair.ErrOwn, error(nil)
		if to == pair.Withdrawn {
			own, others = nil, pair.ErrOwn
		}
		for by, want := range map[uuid.UUID]error{author: own, other: others, uuid.Nil: nil} {
			open := pair.Proposal{Author: author, State: pair.Open}
			if again, got := open.Decide(by, to); again || !errors.Is(got, want) {
				t.Errorf("%s by %s: got %t, %v, want %v", to, by, again, got, want)
			}
			for _, from := range []pair.State{pair.Approved, pair.Refused, pair.Withdrawn} {
				decided := pair.Proposal{Author: author, State: from, DecidedBy: &by}
				if again, got := decided.Decide(by, to); again != (from == to) || errors.Is(got, pair.ErrDecided) != (from != to) {
					t.Errorf("%s by the same, once it is %s: got %t, %v", to, from, again, got)
				}
				again, got := decided.Decide(third, to)
				told, ok := errors.AsType[*pair.DecidedError](got)
				if again || !ok || !errors.Is(got, pair.ErrDecided) || told.State != from || told.By != by {
					t.Errorf("%s by another, once it is %s: got %t, %v", to, from, again, got)
				}
			}
		}
	}
	if again, err := (pair.Proposal{Author: author, State: pair.Approved}).Decide(uuid.Nil, pair.Approved); !again || err != nil {
		t.Errorf("the operator's command once more: %t, %v", again, err)
	}
}
