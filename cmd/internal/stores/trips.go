package stores

import (
	"context"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

// trips counts the round trips that requests make to each store; a batch or a
// pipeline is one. Jobs and notifications have connections of their own and do not count.
type trips struct{ postgresql, redis prometheus.Counter }

func newTrips(program string, metrics prometheus.Registerer) (*trips, error) {
	count := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: strings.ToLower(program) + "_round_trips_total",
		Help: "Round trips to a store on behalf of requests.",
	}, []string{"store"})
	if err := metrics.Register(count); err != nil {
		return nil, err
	}
	return &trips{count.WithLabelValues("postgresql"), count.WithLabelValues("redis")}, nil
}

// toPostgreSQL is a tracer of pgx.
type toPostgreSQL struct{ *trips }

func (t toPostgreSQL) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	t.postgresql.Inc()
	return ctx
}

func (t toPostgreSQL) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	t.postgresql.Inc()
	return ctx
}

func (toPostgreSQL) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData)     {}
func (toPostgreSQL) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}
func (toPostgreSQL) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// toRedis is a hook of go-redis.
type toRedis struct{ *trips }

func (toRedis) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (t toRedis) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		t.redis.Inc()
		return next(ctx, cmd)
	}
}

func (t toRedis) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		t.redis.Inc()
		return next(ctx, cmds)
	}
}

var (
	_ pgx.QueryTracer = toPostgreSQL{}
	_ pgx.BatchTracer = toPostgreSQL{}
	_ redis.Hook      = toRedis{}
)
