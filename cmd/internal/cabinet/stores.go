package cabinet

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"asoba.example/cmd/internal/reach"
	"asoba.example/migrations"
)

// backConnections are for following the feed, apart, so that a crowd of requests cannot keep a block from being heard.
const backConnections = 4

// stores is where everything is kept.
type stores struct {
	pool  *pgxpool.Pool // for requests
	back  *pgxpool.Pool
	redis redis.UniversalClient
}

// The words of a URL's parser would repeat the password, so they are not passed on.
var (
	errDatabaseURL = errors.New("CABINET_DATABASE_URL is not the URL of a PostgreSQL database")
	errRedisURL    = errors.New("CABINET_REDIS_URL is not the URL of a Redis")
)

// openStores connects, or says in one line what is wrong.
func openStores(ctx context.Context, cfg Config) (*stores, error) {
	if err := reach.Redis(ctx, "CABINET_REDIS_URL", cfg.RedisURL); err != nil {
		return nil, err
	}
	settings, err := redis.ParseURL(cfg.RedisURL)
	if err != nil {
		return nil, errRedisURL
	}
	s := &stores{}
	if s.back, err = connect(ctx, cfg.DatabaseURL, backConnections); err != nil {
		return nil, err
	}
	if s.pool, err = connect(ctx, cfg.DatabaseURL, cfg.DatabaseConnections); err != nil {
		s.close()
		return nil, err
	}
	settings.DialerRetries, settings.MaxRetries = 1, 1
	s.redis = redis.NewClient(settings)
	if err := migrations.Check(ctx, s.back, migrations.Cabinet); err != nil {
		s.close()
		return nil, fmt.Errorf("the database of cabinet: %w", err)
	}
	return s, nil
}

func connect(ctx context.Context, url string, connections int32) (*pgxpool.Pool, error) {
	if err := reach.PostgreSQL(ctx, "CABINET_DATABASE_URL", url); err != nil {
		return nil, err
	}
	settings, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errDatabaseURL
	}
	settings.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("the database of cabinet: %w", err)
	}
	return pool, nil
}

func (s *stores) close() {
	if s.redis != nil {
		s.redis.Close()
	}
	if s.pool != nil {
		s.pool.Close()
	}
	s.back.Close()
}

// ready tells why the stores cannot be used at the moment. The provider may be away: those who are in can then be
// told so, and it is no reason to take this node out.
func (s *stores) ready(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	if err := s.redis.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}
