package idp

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

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

// backConnections: two nodes' worth of jobs, one listener for jobs, one for the feed, one for the clients.
const backConnections = 8

// openStores connects, or says in one line what is wrong. The words of a URL parser
// would repeat the password, so they are not passed on.
func openStores(ctx context.Context, cfg Config, count *trips) (*stores, error) {
	master, err := masterKey(cfg.MasterKeyFile)
	if err != nil {
		return nil, err
	}
	settings, err := pgxpool.ParseConfig(cfg.DatabaseURL)
	if err != nil {
		return nil, errors.New("IDP_DATABASE_URL is not the URL of a PostgreSQL database")
	}
	redisSettings, err := redis.ParseURL(cfg.RedisURL)
	if err != nil {
		return nil, errors.New("IDP_REDIS_URL is not the URL of a Redis")
	}
	s := &stores{}
	settings.MaxConns = backConnections
	if s.back, err = pgxpool.NewWithConfig(ctx, settings.Copy()); err != nil {
		return nil, err
	}
	settings.MaxConns = cfg.DatabaseConnections
	if count != nil {
		settings.ConnConfig.Tracer = toPostgreSQL{count}
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, settings); err != nil {
		s.close()
		return nil, err
	}
	if err := migrations.Check(ctx, s.back, migrations.IDP); err != nil {
		s.close()
		return nil, fmt.Errorf("the database of idp: %w", err)
	}
	redisSettings.DialerRetries = 1
	redisSettings.MaxRetries = 1
	s.redis = redis.NewClient(redisSettings)
	if count != nil {
		s.redis.AddHook(toRedis{count})
	}
	if s.box, err = seal.Open(ctx, s.back, master, time.Now()); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *stores) close() {
	if s.redis != nil {
		s.redis.Close()
	}
	if s.pool != nil {
		s.pool.Close()
	}
	if s.back != nil {
		s.back.Close()
	}
}

// masterKey reads 32 bytes in base64.
func masterKey(file string) ([]byte, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read IDP_MASTER_KEY_FILE: %w", err)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, errors.New("IDP_MASTER_KEY_FILE does not hold 32 bytes in base64: make one with idp key master")
	}
	return key, nil
}

var _ = []any{slog.Default, runtime.NumCPU, pgx.ErrNoRows, river.QueueDefault, riverpgxv5.New}
