package clients

import (
	"bytes"
	"context"
	"crypto/hmac"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// ErrToken says that a token lets nobody register, or manage, a client: it is unknown, used up, over, or another client's.
var ErrToken = errors.New("the token is not good for this client")

// An Initial is what an initial access token is good for (RFC 7591 §3).
type Initial struct {
	ID    uuid.UUID // by which it can be revoked; no secret
	Scope string    // the most that a client may be registered for
	Uses  int       // how many clients more
	Till  time.Time
}

// IssueInitial makes an initial access token, told this once. Nobody registers themselves for the management API. Also,
// where it is not nil, is done in the same transaction.
func (r *Registry) IssueInitial(ctx context.Context, i Initial, by By, also func(ctx context.Context, tx pgx.Tx, id uuid.UUID, token string) error) (token string, err error) {
	const insert = `
		INSERT INTO initial_access_token (id, token_hash, scope, uses_left, till, created_at)
		VALUES ($1, $2, $3, $4, $5, $6)`

	for _, s := range strings.Fields(i.Scope) {
		if !known(s) || slices.Contains(ManagementScopes, s) {
			return "", wrong("scope", "has one that nobody may register themselves for")
		}
	}
	if i.ID, err = uuid.NewV7(); err != nil {
		return "", err
	}
	token = newSecret("idp_initial_")
	detail := by.Detail()
	detail["initial_access_token"], detail["scope"] = i.ID.String(), i.Scope
	detail["uses"], detail["till"] = strconv.Itoa(i.Uses), i.Till.UTC().Format(time.RFC3339)
	err = pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, insert, i.ID, digest(r.key, token), i.Scope, i.Uses, i.Till, by.At); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, audit.Event{Kind: audit.InitialTokenIssued, At: by.At, Detail: detail}); err != nil {
			return err
		}
		if also == nil {
			return nil
		}
		return also(ctx, tx, i.ID, token)
	})
	if err != nil {
		return "", fmt.Errorf("issue an initial access token: %w", err)
	}
	return token, nil
}

// ListInitial gives the initial access tokens that are good at a time, at most limit, in the order in which they were issued, after one.
func (r *Registry) ListInitial(ctx context.Context, after uuid.UUID, limit int, at time.Time) ([]Initial, error) {
	const list = `
		SELECT id, scope, uses_left AS uses, till FROM initial_access_token
		WHERE id > $1 AND uses_left > 0 AND till > $2 ORDER BY id LIMIT $3`

	rows, _ := r.pool.Query(ctx, list, after, at, limit)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[Initial])
	if err != nil {
		return nil, fmt.Errorf("list initial access tokens: %w", err)
	}
	return found, nil
}

// RevokeInitial ends an initial access token early. Clients that were registered by it stay. ErrToken, where it is good no more as it is.
func (r *Registry) RevokeInitial(ctx context.Context, id uuid.UUID, by By) error {
	const end = `UPDATE initial_access_token SET uses_left = 0 WHERE id = $1 AND uses_left > 0 AND till > $2`

	detail := by.Detail()
	detail["initial_access_token"] = id.String()
	err := pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, end, id, by.At)
		if err != nil {
			return err
		}
		if tag.RowsAffected() != 1 {
			return ErrToken
		}
		return audit.Record(ctx, tx, audit.Event{Kind: audit.InitialTokenRevoked, At: by.At, Detail: detail})
	})
	if err != nil {
		return fmt.Errorf("revoke an initial access token: %w", err)
	}
	return nil
}

// Credentials are what a client gets that registers itself, each told once.
type Credentials struct {
	Secret            string // "" for a client without one
	RegistrationToken string // by which the client manages itself (RFC 7592)
}

// RegisterSelf registers a client for whoever has an initial access token, within the token's limits. ErrToken, where it
// is not good, or not any more.
func (r *Registry) RegisterSelf(ctx context.Context, initial string, m Metadata, at time.Time) (*Client, Credentials, error) {
	const find = `SELECT id, scope FROM initial_access_token WHERE token_hash = $1 AND uses_left > 0 AND till > $2`
	const use = `UPDATE initial_access_token SET uses_left = uses_left - 1 WHERE id = $1 AND uses_left > 0`

	var (
		id    uuid.UUID
		scope string
	)
	err := r.pool.QueryRow(ctx, find, digest(r.key, initial), at).Scan(&id, &scope)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, Credentials{}, ErrToken
	}
	if err != nil {
		return nil, Credentials{}, fmt.Errorf("find an initial access token: %w", err)
	}
	c, err := r.fresh(ctx, Client{Stage: Live}, m, at)
	if err != nil {
		return nil, Credentials{}, err
	}
	c.registrationScope = &scope
	if err := c.claims(Metadata{}, strings.Fields(scope)); err != nil {
		return nil, Credentials{}, err
	}
	token := newSecret("idp_registration_")
	c.registration = digest(r.key, token)
	by := By{Initial: id, At: at, Also: func(ctx context.Context, tx pgx.Tx, _ *Client, _ string) error {
		tag, err := tx.Exec(ctx, use, id)
		if err == nil && tag.RowsAffected() != 1 {
			err = ErrToken // the last use was somebody else's, a moment ago
		}
		return err
	}}
	secret, err := r.add(ctx, c, by)
	if err != nil {
		return nil, Credentials{}, err
	}
	return c, Credentials{Secret: secret, RegistrationToken: token}, nil
}

// FindSelf gives the client that a registration access token manages; ErrToken, where it manages no such client.
func (r *Registry) FindSelf(ctx context.Context, id, token string) (*Client, error) {
	c, err := r.Find(ctx, id)
	if errors.Is(err, ErrUnknown) || err == nil && !c.manages(token) {
		return nil, ErrToken
	}
	return c, err
}

// manages tells whether the registration access token is the client's, in constant time.
func (c *Client) manages(token string) bool { return hmac.Equal(c.registration, digest(c.key, token)) }

// ReplaceSelf sets the metadata of a client that manages itself, whole (RFC 7592 §2.2). It keeps what an operator has
// given it beyond its limits, and claims no more.
func (r *Registry) ReplaceSelf(ctx context.Context, id string, m Metadata, at time.Time) (*Client, string, error) {
	m, err := r.checked(ctx, m)
	if err != nil {
		return nil, "", err
	}
	return r.change(ctx, id, Any, audit.ClientChanged, By{ClientID: id, Self: true, At: at}, func(c *Client) (string, error) {
		if c.registrationScope == nil {
			return "", ErrToken // it does not manage itself any more
		}
		has := c.Metadata
		c.Metadata = m
		if err := c.claims(has, strings.Fields(*c.registrationScope)); err != nil {
			return "", err
		}
		if err := c.loosens(has); err != nil {
			return "", err
		}
		return c.settle(), nil
	})
}

// RevokeRegistration ends the registration access token of a client, which is the operator's to change from then on, and goes on otherwise.
func (r *Registry) RevokeRegistration(ctx context.Context, id string, seen Version, by By) (*Client, error) {
	c, _, err := r.change(ctx, id, seen, audit.RegistrationRevoked, by, func(c *Client) (string, error) {
		if c.registration == nil {
			return "", errAlready
		}
		c.registration, c.registrationScope = nil, nil
		return "", nil
	})
	return c, err
}

// granted are the members that an operator gives, with what anybody may say of them (RFC 7591 §5: a client may claim
// what it likes of itself).
var granted = map[string]string{
	"first_party": ``, "basis": `"consent"`, "legal_basis": ``, "require_pkce": `true`, "resources": ``, "resource_server": ``,
	"token_exchange": ``, "token_endpoint_as_audience": ``,
}

// strict are the members that hold a client to more than others are held to. It may tie its own hands, and not untie them.
var strict = []string{
	"profile", "require_pushed_authorization_requests", "require_signed_request_object",
	"dpop_bound_access_tokens", "tls_client_certificate_bound_access_tokens",
}

// claims refuses what a client may not be given by itself or its body, unless it has it already: an operator has given it then.
func (c *Client) claims(has Metadata, scopes []string) error {
	is, err := c.members()
	if err != nil {
		return err
	}
	was, err := (&Client{Metadata: has}).members()
	if err != nil {
		return err
	}
	for member, value := range is {
		name, _, _ := strings.Cut(member, "#")
		if usual, ok := granted[name]; ok && string(value) != usual && !bytes.Equal(value, was[member]) {
			return wrong(member, "is given by the operator only")
		}
	}
	if has.SubjectType != "" && (c.Metadata.SubjectType != has.SubjectType || c.Pairwise() && c.Sector() != has.sector()) {
		return wrong("subject_type", "and the sector stay as they are: people agreed to be known so")
	}
	may := append(strings.Fields(has.Scope), scopes...)
	for _, s := range strings.Fields(c.Metadata.Scope) {
		if !slices.Contains(may, s) {
			return wrong("scope", "has one that the client may not be registered for but by the operator")
		}
	}
	return nil
}

// loosens refuses that a client that manages itself, by a token alone, unties its own hands.
func (c *Client) loosens(has Metadata) error {
	is, err := c.members()
	if err != nil {
		return err
	}
	was, err := (&Client{Metadata: has}).members()
	if err != nil {
		return err
	}
	for _, member := range strict {
		if held := string(was[member]); (held == `true` || held == `"`+FAPI2+`"`) && string(is[member]) != held {
			return wrong(member, "may be loosened by the operator only")
		}
	}
	return nil
}
