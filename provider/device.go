package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/tokens"
)

// A device that has no browser of its own asks for tokens, and a person approves that at a browser (RFC 8628). In between it stands in
// Redis, where one that is lost asks the person to begin again:
//
//	waiting ──▶ approved ──▶ used
//	   └──────▶ denied
//
// Who waits at the browser is an Interaction like any other (devicepages.go).

// deviceCode is the grant type (RFC 8628 §3.4).
const deviceCode = "urn:ietf:params:oauth:grant-type:device_code"

const (
	deviceFor      = 10 * time.Minute // to find a browser, sign in and agree
	deviceInterval = 5                // seconds between two questions of a device, and what is added for haste (RFC 8628 §3.5)
)

func deviceKey(device string) string { return "device:{" + device + "}" }

func userCodeKey(code string) string { return "user-code:{" + digest(code) + "}" }

// authorizeDevice handles POST /device_authorization (RFC 8628 §3.1).
func (p *Provider) authorizeDevice(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	client, values, err := p.asked(w, r)
	if err != nil {
		return err
	}
	if !allows(client, deviceCode) {
		return refuse("unauthorized_client", "The client is not registered for this grant type.")
	}
	q, err := p.readDevice(ctx, client, values)
	if err != nil {
		return err
	}
	gid, err := uuid.NewV7()
	if err != nil {
		return err
	}
	code := p.opaque.New(tokens.Device, gid)
	userCode, err := p.keepDevice(ctx, digest(code), gid, q)
	if err != nil {
		return err
	}
	answerJSON(w, http.StatusOK, struct {
		DeviceCode      string `json:"device_code"`
		UserCode        string `json:"user_code"`
		VerificationURI string `json:"verification_uri"`
		Complete        string `json:"verification_uri_complete"`
		ExpiresIn       int64  `json:"expires_in"`
		Interval        int64  `json:"interval"`
	}{
		code, userCode, p.cfg.Issuer + "/device", p.cfg.Issuer + "/device?" + url.Values{"user_code": {userCode}}.Encode(),
		int64(deviceFor / time.Second), deviceInterval,
	})
	return nil
}

// readDevice checks what a device asks for, now and when the person comes: what an authorization request may ask for in its place, and how
// people must have signed in for this client.
func (p *Provider) readDevice(ctx context.Context, client *clients.Client, values url.Values) (*request, error) {
	q := &request{client: client, policy: policyOf(client), values: values, maxAge: -1}
	for _, check := range []func(context.Context, *request) error{p.checkLength, p.checkScope, p.checkResource, p.checkMaxAge, p.checkACR} {
		if err := check(ctx, q); err != nil {
			return q, err
		}
	}
	return q, nil
}

// keepDevice keeps what a device asks, under a user code that no other device waits with.
func (p *Provider) keepDevice(ctx context.Context, device string, gid uuid.UUID, q *request) (string, error) {
	const tries = 3 // of twenty thousand million codes, with a million devices waiting, one in ten million million needs more

	asked := url.Values{
		"client_id": {q.client.ID}, "scope": {strings.Join(q.scopes, " ")},
		"device": {device}, "gid": {gid.String()},
	}
	if q.values.Has("resource") {
		asked["resource"] = q.audience
	}
	for range tries {
		code := newUserCode()
		asked.Set("user_code", code)
		value, err := json.Marshal(asked)
		if err != nil {
			return "", err
		}
		var free *redis.StatusCmd
		_, err = p.cfg.Redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			key := deviceKey(device)
			pipe.HSet(ctx, key, "client", q.client.ID, "state", "waiting", "asked", value,
				"till", p.cfg.Now().Add(deviceFor).UnixMilli(), "due", 0, "interval", deviceInterval)
			pipe.Expire(ctx, key, deviceFor+keepUsed)
			free = pipe.SetArgs(ctx, userCodeKey(code), device, redis.SetArgs{Mode: "NX", TTL: deviceFor})
			return nil
		})
		if errors.Is(free.Err(), redis.Nil) {
			continue // another device's
		}
		if err != nil {
			return "", fmt.Errorf("keep a device: %w", err)
		}
		return code, nil
	}
	return "", errors.New("keep a device: no user code is free")
}

// letters of user codes: consonants, so that no word comes of them, and none that is taken for another (RFC 8628 §6.1).
const (
	letters     = "BCDFGHJKLMNPQRSTVWXZ"
	lettersEach = 4 // of two halves
)

// newUserCode makes a code that a person types: XXXX-XXXX, 34 bits.
func newUserCode() string {
	var code strings.Builder
	for i := range 2 * lettersEach {
		if i == lettersEach {
			code.WriteByte('-')
		}
		n, _ := rand.Int(rand.Reader, big.NewInt(int64(len(letters)))) // never fails: crypto/rand ends the program instead
		code.WriteByte(letters[n.Int64()])
	}
	return code.String()
}

// unbroken is a user code that stays on one line, to be compared by eye.
func unbroken(code string) string { return strings.Replace(code, "-", "\u2011", 1) }

// lookAlike are the Cyrillic letters that look like one of a user code's: it is copied by eye, on whatever keyboard layout is on.
var lookAlike = strings.NewReplacer("В", "B", "С", "C", "Н", "H", "К", "K", "М", "M", "Р", "P", "Т", "T", "Х", "X")

// parseUserCode reads a code as people type it: in any case, with or without the hyphen or spaces.
func parseUserCode(typed string) (code string, ok bool) {
	if len(typed) > 64 {
		return "", false
	}
	typed = strings.Map(func(c rune) rune {
		if strings.ContainsRune("- \t\u00a0\u2010\u2011\u2012\u2013\u2014\u2212", c) {
			return -1
		}
		return c
	}, lookAlike.Replace(strings.ToUpper(typed)))
	if len(typed) != 2*lettersEach || strings.Trim(typed, letters) != "" {
		return "", false
	}
	return typed[:lettersEach] + "-" + typed[lettersEach:], true
}

// pollDevice tells a device its state, in one step. Haste makes it wait longer for good (RFC 8628 §3.5); what was approved is had
// once.
const pollDevice = `
	local client, state, till, due, interval, grant =
		unpack(redis.call('HMGET', KEYS[1], 'client', 'state', 'till', 'due', 'interval', 'grant'))
	local now = tonumber(ARGV[2])
	if not client then return false end
	if client ~= ARGV[1] then return {'foreign'} end
	if state == 'denied' or state == 'used' then return {state, grant} end
	if now >= tonumber(till) then return {'expired'} end
	if state == 'approved' then
		redis.call('HSET', KEYS[1], 'state', 'used')
		return {state, grant}
	end
	interval = tonumber(interval)
	if now < tonumber(due) then
		state, interval = 'hasty', interval + tonumber(ARGV[3])
	end
	redis.call('HSET', KEYS[1], 'due', now + 1000 * interval, 'interval', interval)
	return {state}`

// settleDevice gives what the person has approved (RFC 8628 §3.4), or says why there is nothing yet (§3.5).
func (p *Provider) settleDevice(ctx context.Context, t *ticket, values url.Values) (none issued, err error) {
	code := values.Get("device_code")
	gid, ours := p.opaque.Open(tokens.Device, code)
	if !ours {
		return none, refuse("invalid_grant", "The device code is not one of this provider's.")
	}
	state, err := p.cfg.Redis.Eval(ctx, pollDevice, []string{deviceKey(digest(code))}, t.client.ID, t.now.UnixMilli(), deviceInterval).StringSlice()
	if err != nil && !errors.Is(err, redis.Nil) {
		return none, fmt.Errorf("ask for a device: %w", err)
	}
	if len(state) == 0 {
		state = []string{"expired"}
	}
	switch state[0] {
	case "waiting":
		return none, refuse("authorization_pending", "The person has not answered yet.")
	case "hasty":
		return none, refuse("slow_down", "The device asks too often: it must wait five seconds longer from now on.")
	case "denied":
		if t.client.IsDraft() {
			return none, refuse("access_denied", "The person refused, or is no specimen: a draft is for those alone.")
		}
		return none, refuse("access_denied", "The person refused.")
	case "expired":
		return none, refuse("expired_token", "The device code has expired.")
	case "foreign":
		return none, refuse("invalid_grant", "The device code is another client's.")
	}
	var g grant.Grant
	if err := json.Unmarshal([]byte(state[1]), &g); err != nil {
		return none, fmt.Errorf("ask for a device: %w", err)
	}
	g = p.begun(g, t.now)
	if state[0] == "used" {
		// As of an authorization code: one of the two who have it is a thief.
		if err := p.end(ctx, gid, func(tx pgx.Tx) error { return grant.Forestall(ctx, tx, p.cfg.Jobs, g, t.now) }); err != nil {
			return none, err
		}
		return none, refuse("invalid_grant", "The device code was used before.")
	}
	t.grant = g
	return p.settleCode(ctx, t, values)
}

// answerDevice tells the person's answer to a device that waits, and has not for too long; whoever is first to answer is heard.
const answerDevice = `
	local state, till = unpack(redis.call('HMGET', KEYS[1], 'state', 'till'))
	if state ~= 'waiting' or tonumber(ARGV[1]) >= tonumber(till) then return 0 end
	return redis.call('HSET', KEYS[1], 'state', ARGV[2], 'grant', ARGV[3]) and 1`

// tellDevice tells a device what the person has answered, and lets the interaction go. It is false for a device that does not wait any more.
func (p *Provider) tellDevice(ctx context.Context, i Interaction, state string, g grant.Grant) (told bool, err error) {
	value, err := json.Marshal(g)
	if err != nil {
		return false, err
	}
	var answer *redis.Cmd
	_, err = p.cfg.Redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		answer = pipe.Eval(ctx, answerDevice, []string{deviceKey(i.Request.Get("device"))}, p.cfg.Now().UnixMilli(), state, value)
		pipe.Del(ctx, userCodeKey(i.Request.Get("user_code")))
		pipe.Del(ctx, interactionKey(i.ID))
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("tell a device: %w", err)
	}
	return answer.Bool()
}
