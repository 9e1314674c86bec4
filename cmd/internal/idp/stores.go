package idp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"asoba.example/cmd/internal/reach"
	"asoba.example/migrations"
	"asoba.example/provider/seal"
)

// stores is where everything is kept.
type stores struct {
	pool  *pgxpool.Pool // for requests
	back  *pgxpool.Pool // for jobs and notifications, so that a crowd of requests cannot starve them
	redis redis.UniversalClient
	box   *seal.Box
}

// backConnections are for jobs, for listening to the feed, to clients and to jobs, and for refreshing what is kept in process.
const backConnections = 8

// openStores connects, or says in one line what is wrong.
func openStores(ctx context.Context, cfg Config, count *trips) (*stores, error) {
	master, err := masterKey(cfg.MasterKeyFile)
	if err != nil {
		return nil, err
	}
	if err := reach.PostgreSQL(ctx, "IDP_DATABASE_URL", cfg.DatabaseURL); err != nil {
		return nil, err
	}
	settings, err := pgxpool.ParseConfig(cfg.DatabaseURL)
	if err != nil {
		return nil, errDatabaseURL
	}
	redisSettings, err := redis.ParseURL(cfg.RedisURL)
	if err != nil {
		return nil, errRedisURL
	}
	s := &stores{}
	backSettings := settings.Copy()
	backSettings.MaxConns = backConnections
	if s.back, err = pgxpool.NewWithConfig(ctx, backSettings); err != nil {
		return nil, fmt.Errorf("the database of idp: %w", err)
	}
	settings.MaxConns = cfg.DatabaseConnections
	settings.ConnConfig.Tracer = toPostgreSQL{count}
	if s.pool, err = pgxpool.NewWithConfig(ctx, settings); err != nil {
		s.close()
		return nil, fmt.Errorf("the database of idp: %w", err)
	}
	redisSettings.DialerRetries, redisSettings.MaxRetries = 1, 1
	s.redis = redis.NewClient(redisSettings)
	s.redis.AddHook(toRedis{count})

	if err = migrations.Check(ctx, s.back, migrations.IDP); err != nil {
		s.close()
		return nil, fmt.Errorf("the database of idp: %w", err)
	}
	if s.box, err = seal.Open(ctx, s.back, master, time.Now()); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// The words of a URL's parser would repeat the password, so they are not passed on.
var (
	errDatabaseURL = errors.New("IDP_DATABASE_URL is not the URL of a PostgreSQL database")
	errRedisURL    = errors.New("IDP_REDIS_URL is not the URL of a Redis")
)

func (s *stores) close() {
	if s.redis != nil {
		s.redis.Close()
	}
	if s.pool != nil {
		s.pool.Close()
	}
	s.back.Close()
}

// ready tells why the stores cannot be used at the moment.
func (s *stores) ready(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	if err := s.redis.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}
