package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"asoba.example/provider/grant"
	"asoba.example/provider/tokens"
)

// A code is good once (RFC 6749 §4.1.2). On second use what it gave is ended: one of the two users is a thief and we cannot tell which.
// Redis decides who is first, and keeps the record for a while, so that a second use finds whose grant to end even before the first has
// led to one. After that the grant's id in the code itself is enough. Should Redis forget a use, the grant's row is the arbiter.

// codeRecord is what a code stands for, in Redis under the code's digest.
type codeRecord struct {
	Grant       grant.Grant
	Nonce       string
	RedirectURI string
	Challenge   string
	Key         string
	Till        time.Time
}

// keepUsed is how long a code's record outlives the code: longer than any redemption takes.
const keepUsed = 5 * time.Minute

// The first byte of the value tells whether the code was used.
const (
	unused = '0'
	use    = `
		local value = redis.call('GET', KEYS[1])
		if value then redis.call('SETRANGE', KEYS[1], 0, '1') end
		return value`
)

func codeKey(code string) string { return "code:{" + digest(code) + "}" }

// keepCode keeps what a code stands for, and that the interaction was answered which led to it. One that an interaction or a pushed request has led
// to before is not to be had again: it is kept, but nobody is told it.
func (p *Provider) keepCode(ctx context.Context, code string, t *ticket) error {
	good := p.cfg.CodeFor()
	record, err := json.Marshal(codeRecord{
		Grant: t.grant, Nonce: t.nonce, RedirectURI: t.redirectURI, Challenge: t.challenge, Key: t.key, Till: t.now.Add(good),
	})
	if err != nil {
		return err
	}
	var first *redis.Cmd
	_, err = p.cfg.Redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Set(ctx, codeKey(code), append([]byte{unused}, record...), good+keepUsed)
		if t.interaction != "" {
			first = p.cfg.Interactions.answer(ctx, pipe, t.interaction)
		}
		if t.pushed != "" {
			p.spend(ctx, pipe, t.pushed)
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("keep code: %w", err)
	}
	if first != nil && first.Val() == int64(0) {
		return over()
	}
	if err != nil { // nil is the answer to spend alone
		return refuse("invalid_request_uri", "The pushed request was used before.")
	}
	return nil
}

// redeem uses a code up and gives the ticket what it stands for.
func (p *Provider) redeem(ctx context.Context, code string, t *ticket) error {
	gid, ours := p.opaque.Open(tokens.Code, code)
	if !ours {
		return refuse("invalid_grant", "The code is not one of this provider's.")
	}
	value, err := p.cfg.Redis.Eval(ctx, use, []string{codeKey(code)}).Text()
	if errors.Is(err, redis.Nil) {
		return p.reused(ctx, gid, t.now)
	}
	if err != nil {
		return fmt.Errorf("redeem code: %w", err)
	}
	var record codeRecord
	if err := json.Unmarshal([]byte(value[1:]), &record); err != nil {
		return fmt.Errorf("redeem code: %w", err)
	}
	g := p.begun(record.Grant, t.now)
	if value[0] != unused {
		if err := p.end(ctx, gid, func(tx pgx.Tx) error { return grant.Forestall(ctx, tx, p.cfg.Jobs, g, t.now) }); err != nil {
			return err
		}
		return refuse("invalid_grant", "The code was used before.")
	}
	if !t.now.Before(record.Till) {
		return refuse("invalid_grant", "The code has expired.")
	}
	if record.Key != "" && record.Key != t.bound.Key { // RFC 9449 §10
		return refuse("invalid_grant", "The code is bound to another key.")
	}
	t.code, t.grant, t.nonce, t.redirectURI, t.challenge = code, g, record.Nonce, record.RedirectURI, record.Challenge
	return nil
}

// begun is a grant that is given now.
func (p *Provider) begun(g grant.Grant, now time.Time) grant.Grant {
	g.At, g.Till = now, now.Add(p.cfg.AccessTokenFor())
	if offline(g.Scopes) {
		g.Till = now.Add(p.cfg.RefreshTokenFor())
	}
	return g
}

// settleCode gives what the code stands for.
func (p *Provider) settleCode(ctx context.Context, t *ticket, values url.Values) (issued, error) {
	i, err := p.aimAt(t.grant, t.grant.Scopes, values["resource"])
	if err != nil {
		return i, err
	}
	var refresh []byte
	t.grant.Bound = t.bound
	if offline(t.grant.Scopes) {
		i.next = p.opaque.New(tokens.Refresh, t.grant.ID)
		refresh = tokens.Digest(i.next)
	}
	var (
		b     pgx.Batch
		given bool
	)
	grant.Give(&b, t.grant, refresh, &given)
	switch holds, err := p.send(ctx, t, &b, &i); {
	case err != nil:
		return i, err
	case !holds:
		return i, refuse("invalid_grant", "The sign-in that the code came from is over.")
	case !given: // a second time, and Redis forgot the first
		return i, p.reused(ctx, t.grant.ID, t.now)
	}
	return i, nil
}

// reused ends a grant because what led to it was shown again, and refuses.
func (p *Provider) reused(ctx context.Context, gid uuid.UUID, at time.Time) error {
	err := p.end(ctx, gid, func(tx pgx.Tx) error { return grant.EndOne(ctx, tx, p.cfg.Jobs, gid, grant.Reused, at) })
	if err != nil {
		return err
	}
	return refuse("invalid_grant", "The code or refresh token was used before, or has expired.")
}

// end ends a grant in PostgreSQL and then its access tokens in Redis.
func (p *Provider) end(ctx context.Context, gid uuid.UUID, end func(pgx.Tx) error) error {
	if err := pgx.BeginFunc(ctx, p.cfg.Pool, end); err != nil {
		return err
	}
	return p.cfg.Denials.Deny(ctx, gid)
}
