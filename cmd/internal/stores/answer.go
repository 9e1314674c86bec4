package stores

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/redis/go-redis/v9"
)

// patience is for one answer.
const patience = 5 * time.Second

// The words of a URL's parser would repeat the password, so they are not passed on.
func notPostgreSQL(setting string) error {
	return fmt.Errorf("%s is not the URL of a PostgreSQL database", setting)
}

func notRedis(setting string) error { return fmt.Errorf("%s is not the URL of a Redis", setting) }

// PostgreSQL tells why the database that a setting names does not let us in.
func PostgreSQL(ctx context.Context, setting, url string) error {
	settings, err := pgx.ParseConfig(url)
	if err != nil {
		return notPostgreSQL(setting)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return fmt.Errorf("%s: %w", setting, plain(err))
	}
	return conn.Close(ctx)
}

// Redis tells why the Redis that a setting names does not answer.
func Redis(ctx context.Context, setting, url string) error {
	settings, err := redis.ParseURL(url)
	if err != nil {
		return notRedis(setting)
	}
	settings.DialerRetries, settings.MaxRetries = 1, -1
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := redis.NewClient(settings)
	defer client.Close()
	if err := client.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("%s: %w", setting, plain(err))
	}
	return nil
}

// plain is the cause alone: pgx tells each of a host's addresses in a line of its own.
func plain(err error) error {
	var refused *pgconn.PgError
	var network *net.OpError
	var name *net.DNSError
	switch {
	case errors.As(err, &refused):
		return errors.New(refused.Message)
	case errors.As(err, &name):
		return name
	case errors.As(err, &network):
		return network
	}
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}
