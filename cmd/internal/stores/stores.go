// Package stores opens a program's PostgreSQL and Redis. Of a store that gives no
// answer it tells in one line, with its setting: what libraries say instead has
// several lines, may repeat a password, and names no setting.
package stores

import (
	"context"
	"fmt"
	"maps"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"asoba.example/migrations"
)

// Config says which stores to open.
type Config struct {
	Program     string // what its settings begin with: IDP, CABINET
	Schema      migrations.Schema
	DatabaseURL string
	RedisURL    string
	Connections int32                 // for requests
	Background  int32                 // for everything else
	Metrics     prometheus.Registerer // in which stands how often requests asked a store
	Settings    map[string]string     // that PostgreSQL gives connections for requests; may be nil
}

// Stores are where a program keeps everything.
type Stores struct {
	Pool  *pgxpool.Pool // for requests
	Back  *pgxpool.Pool // for jobs and notifications, so that a crowd of requests cannot starve them
	Redis redis.UniversalClient
}

// Open opens the stores of a program whose database is migrated. PostgreSQL must
// answer; Redis is first asked when it is needed.
func Open(ctx context.Context, cfg Config) (*Stores, error) {
	setting := cfg.Program + "_DATABASE_URL"
	redisSettings, err := redis.ParseURL(cfg.RedisURL)
	if err != nil {
		return nil, notRedis(cfg.Program + "_REDIS_URL")
	}
	count, err := newTrips(cfg.Program, cfg.Metrics)
	if err != nil {
		return nil, err
	}
	s := &Stores{}
	if s.Back, err = Database(ctx, setting, cfg.DatabaseURL, cfg.Background); err != nil {
		return nil, err
	}
	if s.Pool, err = database(ctx, setting, cfg.DatabaseURL, cfg.Connections, func(c *pgx.ConnConfig) {
		c.Tracer = toPostgreSQL{count}
		maps.Copy(c.RuntimeParams, cfg.Settings)
	}); err != nil {
		s.Close()
		return nil, err
	}
	redisSettings.DialerRetries, redisSettings.MaxRetries = 1, 1
	s.Redis = redis.NewClient(redisSettings)
	s.Redis.AddHook(toRedis{count})
	if err := migrations.Check(ctx, s.Back, cfg.Schema); err != nil {
		s.Close()
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	return s, nil
}

// Database opens the database that a setting names, once it has answered.
func Database(ctx context.Context, setting, url string, connections int32) (*pgxpool.Pool, error) {
	return database(ctx, setting, url, connections, func(*pgx.ConnConfig) {})
}

func database(ctx context.Context, setting, url string, connections int32, furnish func(*pgx.ConnConfig)) (*pgxpool.Pool, error) {
	if err := PostgreSQL(ctx, setting, url); err != nil {
		return nil, err
	}
	settings, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, notPostgreSQL(setting)
	}
	settings.MaxConns = connections
	furnish(settings.ConnConfig)
	return pgxpool.NewWithConfig(ctx, settings)
}

// Close gives the stores back.
func (s *Stores) Close() {
	if s.Redis != nil {
		s.Redis.Close()
	}
	if s.Pool != nil {
		s.Pool.Close()
	}
	s.Back.Close()
}

// Ready tells why the stores cannot be used at the moment.
func (s *Stores) Ready(ctx context.Context) error {
	if err := s.Pool.Ping(ctx); err != nil {
		return fmt.Errorf("PostgreSQL: %w", err)
	}
	if err := s.Redis.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("redis: %w", err)
	}
	return nil
}
