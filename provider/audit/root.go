package audit

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

// A Root is the end of the chain as it was on a day. Who keeps it, signed, away
// from the database can prove that nothing before it was changed afterwards, not
// even by whoever owns the database.
type Root struct {
	Issuer string     `json:"iss"`
	Day    string     `json:"day"` // UTC, YYYY-MM-DD
	Place  int64      `json:"place"`
	Link   chain.Link `json:"link"`
	At     int64      `json:"iat"` // in seconds since 1970
}

// rootType is the typ of a signed Root.
const rootType = "audit-root+jwt"

// A SignedRoot is a Root as a compact JWS.
type SignedRoot struct {
	Day    time.Time
	Place  Cursor
	Signed string
}

// Roots signs one a day.
type Roots struct {
	Pool   *pgxpool.Pool
	Issuer string
	Sign   func(typ string, claims any) (string, error)
	Now    func() time.Time
}

// SignToday signs today's root, unless that is done or there is nothing to sign yet. Any number of nodes may call it, every minute say.
func (r Roots) SignToday(ctx context.Context) error {
	const head = `
		SELECT place, link FROM event_head
		WHERE place > 0 AND NOT EXISTS (SELECT FROM audit_root WHERE day = $1)`
	const keep = `INSERT INTO audit_root (day, place, signed, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`

	at := r.Now().UTC()
	root := Root{Issuer: r.Issuer, Day: at.Format(time.DateOnly), At: at.Unix()}
	var link []byte
	switch err := r.Pool.QueryRow(ctx, head, root.Day).Scan(&root.Place, &link); {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("sign the root of the audit: %w", err)
	}
	root.Link = chain.Link(link)
	signed, err := r.Sign(rootType, root)
	if err != nil {
		return fmt.Errorf("sign the root of the audit: %w", err)
	}
	if _, err := r.Pool.Exec(ctx, keep, root.Day, root.Place, signed, at); err != nil {
		return fmt.Errorf("keep the root of the audit: %w", err)
	}
	return nil
}

// List gives at most limit roots of after a day, in their order.
func (r Roots) List(ctx context.Context, after time.Time, limit int) ([]SignedRoot, error) {
	const find = `SELECT day, place, signed FROM audit_root WHERE day > $1 ORDER BY day LIMIT $2`

	rows, _ := r.Pool.Query(ctx, find, after, limit)
	roots, err := pgx.CollectRows(rows, pgx.RowToStructByPos[SignedRoot])
	if err != nil {
		return nil, fmt.Errorf("find the roots of the audit: %w", err)
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
