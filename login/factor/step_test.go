package factor

import (
	"testing"
	"time"
)

// RFC 6238 appendix B, by its last six digits.
func TestAnAppShowsWhatTheSpecificationDoes(t *testing.T) {
	t.Parallel()
	secret := []byte("12345678901234567890")
	for at, digits := range map[int64]string{
		1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		for name, try := range map[string]struct {
			late, last int64
			want       bool
		}{
			"at its time":                        {0, 0, true},
			"a step late":                        {30, 0, true},
			"a step early":                       {-30, 0, true},
			"two steps late":                     {60, 0, false},
			"two steps early":                    {-60, 0, false},
			"after the step before":              {0, at/30 - 1, true},
			"once more":                          {0, at / 30, false},
			"once more, a step late":             {30, at / 30, false},
			"where a later one was used already": {0, at/30 + 1, false},
		} {
			if step, right := shows(secret, digits, time.Unix(at+try.late, 0), try.last); right != try.want || right && step != at/30 {
				t.Errorf("%s %s: step %d, %v", digits, name, step, right)
			}
		}
	}
}
