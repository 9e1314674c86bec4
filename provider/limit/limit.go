package limit

import (
	"hash/maphash"
	"sync"
	"time"
)

// A Limit lets each caller take Burst tokens at once, and then one Every so often.
type Limit struct {
	Burst int
	Every time.Duration
}

// Buckets hold one limit for many callers.
type Buckets struct {
	limit Limit
	seed  maphash.Seed // unknown to callers, so that nobody picks names that push out another's

	mu   sync.Mutex
	rows [rows][4]bucket // under mu; a caller's bucket is somewhere in one row
}

// rows × 4 buckets of 16 bytes are a mebibyte.
const rows = 1 << 14

// A bucket is a caller's: full tells when it is full again, in nanoseconds. One that is full is free for others.
type bucket struct {
	caller uint64 // a keyed digest: names are not kept
	full   int64
}

// New makes the buckets of a limit.
func New(l Limit) *Buckets { return &Buckets{limit: l, seed: maphash.MakeSeed()} }

// Wait tells how long a caller has to wait for its next token; zero means not at all. It takes none.
func (b *Buckets) Wait(caller string, now time.Time) time.Duration { return b.ask(caller, now, false) }

// Take takes a token of a caller's, or takes none and tells how long to wait for it.
func (b *Buckets) Take(caller string, now time.Time) time.Duration { return b.ask(caller, now, true) }

func (b *Buckets) ask(caller string, now time.Time, take bool) time.Duration {
	digest, at := maphash.String(b.seed, caller), now.UnixNano()
	b.mu.Lock()
	defer b.mu.Unlock()
	row := &b.rows[digest%rows]
	own := &row[0]
	for i := range row {
		if row[i].caller == digest {
			own = &row[i]
			break
		}
		if row[i].full < own.full {
			own = &row[i]
		}
	}
	full := at
	if own.caller == digest {
		full = max(full, own.full)
	}
	full += int64(b.limit.Every)
	if wait := full - at - int64(b.limit.Every)*int64(b.limit.Burst); wait > 0 {
		return time.Duration(wait)
	}
	if take {
		*own = bucket{digest, full}
	}
	return 0
}
