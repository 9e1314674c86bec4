package idp

import "testing"

func TestTheOperatorMayHashFewerPasswordsThanThereAreCores(t *testing.T) {
	t.Parallel()
	for set, want := range map[int]int{0: 16, 2: 2, 40: 40} {
		if got := (Config{Hashers: set}).hashers(16); got != want {
			t.Errorf("IDP_HASHERS=%d on 16 cores: %d at once, want %d", set, got, want)
		}
	}
}
