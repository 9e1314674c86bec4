package chain_test

import (
	"testing"

	"pgregory.net/rapid"

	"asoba.example/provider/chain"
)

// The form is fixed: links outlive the program that made them.
func TestTheForm(t *testing.T) {
	t.Parallel()
	a, empty := "a", ""
	got := chain.Link{}.Next(&a, nil, &empty).Next(nil)
	// sha256(sha256(32 × 00 ‖ "1:a:0:") ‖ ":")
	if want := "10e749ff59cde770e3fd97df0fdf85d338b8dbe9b5189c16cc874c1cfc2b9505"; got.String() != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var back chain.Link
	if text, _ := got.MarshalText(); back.UnmarshalText(text) != nil || back != got {
		t.Errorf("%s comes back as %s", got, back)
	}
	if back.UnmarshalText([]byte("00")) == nil {
		t.Error("a short one was taken")
	}
}

// Two lists of records have one last link only where they are the same list.
func TestALinkStandsForAllThatLedToIt(t *testing.T) {
	t.Parallel()
	record := rapid.SliceOfN(rapid.Ptr(rapid.StringMatching(`[-:0-9a]{0,3}`), true), 0, 3)
	records := rapid.SliceOfN(record, 0, 3)
	last := func(records [][]*string) (l chain.Link) {
		for _, r := range records {
			l = l.Next(r...)
		}
		return l
	}
	same := func(a, b [][]*string) bool {
		if len(a) != len(b) {
			return false
		}
		for i := range a {
			if len(a[i]) != len(b[i]) {
				return false
			}
			for j := range a[i] {
				if (a[i][j] == nil) != (b[i][j] == nil) || a[i][j] != nil && *a[i][j] != *b[i][j] {
					return false
				}
			}
		}
		return true
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := records.Draw(t, "a"), records.Draw(t, "b")
		if got, want := last(a) == last(b), same(a, b); got != want {
			t.Errorf("one link: %t, one list: %t", got, want)
		}
	})
}
