package pair_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"

	"asoba.example/provider/pair"
)

// Nobody decides alone, nor takes back what is another's, and nothing is decided twice.
func TestTwoPeopleDecide(t *testing.T) {
	t.Parallel()
	author, other := uuid.New(), uuid.New()
	for _, to := range []pair.State{pair.Approved, pair.Refused, pair.Withdrawn} {
		own, others := pair.ErrOwn, error(nil)
		if to == pair.Withdrawn {
			own, others = nil, pair.ErrOwn
		}
		for by, want := range map[uuid.UUID]error{author: own, other: others, uuid.Nil: nil} {
			if got := pair.Decide(author, by, pair.Open, to); !errors.Is(got, want) {
				t.Errorf("%s by %s: got %v, want %v", to, by, got, want)
			}
			for _, from := range []pair.State{pair.Approved, pair.Refused, pair.Withdrawn} {
				if got := pair.Decide(author, by, from, to); !errors.Is(got, pair.ErrDecided) {
					t.Errorf("%s once it is %s: got %v", to, from, got)
				}
			}
		}
	}
}
