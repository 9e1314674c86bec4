package page_test

import (
	"fmt"
	"testing"
	"time"

	"asoba.example/provider/page"
)

func TestAWaitIsNeverSaidTooShort(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]string{
		time.Millisecond:                 "1 seconds",
		time.Minute:                      "60 seconds",
		time.Minute + time.Millisecond:   "2 minutes",
		89*time.Minute + 1:               "90 minutes",
		90*time.Minute + 1:               "2 hours",
		23*time.Hour + time.Millisecond:  "24 hours",
		12*time.Second + time.Nanosecond: "13 seconds",
	} {
		unit, count := page.InWords(wait)
		if got := fmt.Sprint(count, " ", unit); got != want {
			t.Errorf("%v: got %s, want %s", wait, got, want)
		}
	}
}
