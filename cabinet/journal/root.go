package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/chain"
)

// A Root is how far the chains of the journal had come on a day. Who keeps it, signed, away from the database can prove that nothing before it
// was changed afterwards, not even by whoever owns the database.
type Root struct {
	Issuer string `json:"iss"`
	Day    string `json:"day"` // UTC, YYYY-MM-DD
	Heads  []Head `json:"heads"`
	At     int64  `json:"iat"` // in seconds since 1970
}

// A Head is the end of a month's chain.
type Head struct {
	Month string     `json:"month"` // UTC, YYYY-MM
	Place int64      `json:"place"`
	Link  chain.Link `json:"link"`
}

// rootType is the typ of a signed Root.
const rootType = "journal-root+jwt"

// Roots signs one a day.
type Roots struct {
	Pool   *pgxpool.Pool
	Issuer string
	Sign   func(ctx context.Context, typ string, claims any) (string, error)
	Now    func() time.Time
}

// SignToday signs today's root, unless that is done or there is nothing to sign yet. Any number of nodes may call it, every minute say.
func (r Roots) SignToday(ctx context.Context) error {
	const done = `SELECT EXISTS (SELECT FROM journal_root WHERE day = $1)`
	const keep = `INSERT INTO journal_root (day, signed, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`

	at := r.Now().UTC()
	root := Root{Issuer: r.Issuer, Day: at.Format(time.DateOnly), At: at.Unix()}
	var signed bool
	err := r.Pool.QueryRow(ctx, done, root.Day).Scan(&signed)
	if err == nil && !signed {
		root.Heads, err = heads(ctx, r.Pool)
	}
	if err != nil {
		return fmt.Errorf("sign the root of the journal: %w", err)
	}
	if len(root.Heads) == 0 {
		return nil
	}
	text, err := r.Sign(ctx, rootType, root)
	if err == nil {
		_, err = r.Pool.Exec(ctx, keep, root.Day, text, at)
	}
	if err != nil {
		return fmt.Errorf("sign the root of the journal: %w", err)
	}
	return nil
}

// A querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// heads are the ends of all chains.
func heads(ctx context.Context, db querier) (all []Head, err error) {
	const find = `SELECT month, place, link FROM journal_head ORDER BY month`
	var (
		month time.Time
		head  Head
		link  []byte
	)
	rows, _ := db.Query(ctx, find)
	_, err = pgx.ForEachRow(rows, []any{&month, &head.Place, &link}, func() error {
		head.Month, head.Link = month.Format(monthLayout), chain.Link(link)
		all = append(all, head)
		return nil
	})
	return all, err
}

const monthLayout = "2006-01"

// List gives all signed roots, in the order of their days.
func (r Roots) List(ctx context.Context) ([]string, error) {
	const find = `SELECT signed FROM journal_root ORDER BY day`

	rows, _ := r.Pool.Query(ctx, find)
	roots, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("find the roots of the journal: %w", err)
	}
	return roots, nil
}

// A KeyFinder finds a public key that we sign with, or once did, by its kid.
type KeyFinder func(ctx context.Context, kid string) (jose.JSONWebKey, error)

// open reads a signed root.
func (find KeyFinder) open(ctx context.Context, signed string) (root Root, err error) {
	jws, err := jose.ParseSignedCompact(signed, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return root, errors.New("is not a signed root")
	}
	header := jws.Signatures[0].Header
	if header.ExtraHeaders[jose.HeaderType] != rootType {
		return root, errors.New("is a signature of something else")
	}
	key, err := find(ctx, header.KeyID)
	if err != nil {
		return root, fmt.Errorf("its key %s: %w", header.KeyID, err)
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return root, errors.New("has a signature that is not ours")
	}
	return root, json.Unmarshal(payload, &root)
}
