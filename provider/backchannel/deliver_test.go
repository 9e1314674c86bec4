package backchannel

import (
	"fmt"
	"testing"
)

// Clients that did not answer well the last time have half of the calls together, and one each: however many they are, those that answer are
// told at once.
func TestClientsThatFailLeaveHalfToOthers(t *testing.T) {
	t.Parallel()
	d := &Deliverer{calls: map[string]int{}, failed: map[string]bool{}}
	enter := func(client string, want bool) (leave func()) {
		t.Helper()
		leave, entered := d.enter(client)
		if entered != want {
			t.Errorf("%s was called: %v", client, entered)
		}
		return leave
	}
	var leave func()
	for i := range DeliveryWorkers / 2 {
		client := fmt.Sprint("failing", i)
		d.remember(client, false)
		leave = enter(client, true)
		enter(client, false)
	}
	d.remember("one more", false)
	enter("one more", false)
	for range atOnce {
		enter("portal", true)
	}
	enter("portal", false)
	leave()
	leave = enter("one more", true)
	leave()
	d.remember("one more", true)
	for range atOnce {
		enter("one more", true)
	}
	enter("failing0", false) // which is under way
}
