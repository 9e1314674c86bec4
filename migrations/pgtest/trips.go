package pgtest

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// Trips counts round trips to PostgreSQL: a statement is one, a batch is one. It
// is a tracer of pgx. Statements prepared on first use are not counted, since a
// connection that has served does not need them.
type Trips struct{ n atomic.Int64 }

var (
	_ pgx.QueryTracer    = (*Trips)(nil)
	_ pgx.BatchTracer    = (*Trips)(nil)
	_ pgx.CopyFromTracer = (*Trips)(nil)
)

// Take gives the count so far and begins anew.
func (t *Trips) Take() int { return int(t.n.Swap(0)) }

// TraceQueryStart counts a statement.
func (t *Trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	t.n.Add(1)
	return ctx
}

// TraceQueryEnd has nothing to count.
func (*Trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart counts a batch.
func (t *Trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	t.n.Add(1)
	return ctx
}

// TraceBatchQuery has nothing to count.
func (*Trips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd has nothing to count.
func (*Trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// TraceCopyFromStart counts a copy.
func (t *Trips) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceCopyFromStartData) context.Context {
	t.n.Add(1)
	return ctx
}

// TraceCopyFromEnd has nothing to count.
func (*Trips) TraceCopyFromEnd(context.Context, *pgx.Conn, pgx.TraceCopyFromEndData) {}
