package pgtest

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// Trips counts round trips to PostgreSQL: a statement is one, a batch is one. It
// is a tracer of pgx. Statements prepared on first use are not counted, since a
// connection that has served does not need them. The connections go by wires of its own, which it can cut.
type Trips struct {
	n, fail atomic.Int64
	lose    atomic.Int64 // the COMMITs until the one whose answer is lost
	cutAt   atomic.Int64 // the trip before which the network is cut
	cut     atomic.Bool

	mu    sync.Mutex
	heard *[]string // under mu: the texts of statements; nil while nobody listens
}

var (
	_ pgx.QueryTracer    = (*Trips)(nil)
	_ pgx.BatchTracer    = (*Trips)(nil)
	_ pgx.CopyFromTracer = (*Trips)(nil)
)

// Take gives the count so far and begins anew.
func (t *Trips) Take() int { return int(t.n.Swap(0)) }

// FailAt begins the count anew and makes the nth trip fail, be it a COMMIT; the
// others go. With 0 all go. So a test can break an act at each of its statements
// without knowing them.
func (t *Trips) FailAt(n int) {
	t.n.Store(0)
	t.fail.Store(int64(n))
}

// Hear keeps the texts of statements from now on. What it gives ends that, and tells them in their order.
func (t *Trips) Hear() func() []string {
	var texts []string
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heard = &texts
	return func() []string {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.heard = nil
		return texts
	}
}

func (t *Trips) hear(sql string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.heard != nil {
		*t.heard = append(*t.heard, sql)
	}
}

// set counts a trip; one that is to fail gets a context that is over.
func (t *Trips) set(ctx context.Context) context.Context {
	n := t.n.Add(1)
	if n == t.cutAt.Load() {
		t.cut.Store(true)
	}
	if n != t.fail.Load() {
		return ctx
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return ctx
}

// TraceQueryStart counts a statement.
func (t *Trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	t.hear(data.SQL)
	return t.set(ctx)
}

// TraceQueryEnd has nothing to count.
func (*Trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart counts a batch.
func (t *Trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return t.set(ctx)
}

// TraceBatchQuery has nothing to count.
func (t *Trips) TraceBatchQuery(_ context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	t.hear(data.SQL)
}

// TraceBatchEnd has nothing to count.
func (*Trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TraceCopyFromStart counts a copy.
func (t *Trips) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	return t.set(ctx)
}

// TraceCopyFromEnd has nothing to count.
func (*Trips) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}
