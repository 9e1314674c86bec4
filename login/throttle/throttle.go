// Package throttle limits tries. It never changes an identifier's state.
package throttle

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// Throttle counts tries in short windows, in Redis; keys are digests.
type Throttle struct {
	Redis   redis.UniversalClient
	Relaxed bool // the demo's --relaxed: nothing is limited
	Now     func() time.Time
}

// A Limit is how many tries in how long.
type Limit struct {
	Name  string // bounded: from source code
	Tries int
	In    time.Duration
}

// Take counts one try for each key against its limit; wait is how long to wait where any is over, zero where none.
func (t *Throttle) Take(ctx context.Context, tries map[string]Limit) (wait time.Duration, err error) {
	panic("unwritten")
}
