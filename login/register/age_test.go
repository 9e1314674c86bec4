package register

import (
	"testing"
	"time"
)

// Of somebody whose day of birth is not known it is certain only at the end of what is known.
func TestAgeIsReachedWhenItIsCertain(t *testing.T) {
	t.Parallel()
	for born, first := range map[string]string{
		"2012": "2026-12-31", "2012-11": "2026-11-30", "2012-11-22": "2026-11-22", "2012-02": "2026-02-28", "2012-02-29": "2026-03-01",
	} {
		day, err := time.Parse(time.DateOnly, first)
		if err != nil {
			t.Fatal(err)
		}
		p := Person{BirthDate: born}
		if p.OfAge(14, day.Add(-time.Second)) || !p.OfAge(14, day) {
			t.Errorf("born %s: fourteen on %s is not what is said", born, first)
		}
	}
	if (Person{}).OfAge(0, time.Now()) {
		t.Error("somebody who is not known is of age")
	}
}
