package code

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider/audit"
)

// Digits is how long a code is.
const Digits = 6

// Meanings.
var (
	ErrWrong = errors.New("wrong code")
	ErrOver  = errors.New("the code is over: too late, or tried too often")
	ErrWait  = errors.New("too early or too many to send another") // wrapped by *WaitError
)

// A WaitError says from when another code can be sent.
type WaitError struct{ Till time.Time }

func (e *WaitError) Error() string { return ErrWait.Error() }

func (e *WaitError) Unwrap() error { return ErrWait }

// A Purpose is what a code was asked for. It is good for nothing else.
type Purpose string

// Purposes.
const (
	SignIn       Purpose = "sign_in"
	ConfirmPhone Purpose = "confirm_phone"
)

// Codes sends and checks one-time codes.
type Codes struct {
	Redis  redis.UniversalClient
	Key    []byte // keys the digests: a million codes are soon tried out
	Outbox identity.Outbox
	Pool   interface {
		Begin(ctx context.Context) (pgx.Tx, error)
	}
	// Say gives a word of words/*.json in a language, for the message.
	Say      func(language, key string, args map[string]any) string
	Policies *policy.Policies
	Relaxed  bool // for trials: no pauses, no limits
	Now      func() time.Time
}

// Sent is how things stand with a person's code for one occasion.
type Sent struct {
	Till  time.Time // until when the code is good; zero if none was sent or it is over
	Again time.Time // from when another can be sent; past, or zero, where it can be now
}

// send decides whether a code may go, and keeps its digest if it may. Without a digest it only looks.
// The keys are the code and the moments of what the person was sent; they lie in one slot.
const send = `
local now, digest, till, relaxed = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4] == '1'
local in_hour, in_day = tonumber(ARGV[5]), tonumber(ARGV[6])
local limits = {{in_hour, 3600000}, {in_day, 86400000}}

local function again()
	if relaxed then return 0 end
	local at = tonumber(redis.call('HGET', KEYS[1], 'again') or 0)
	for _, limit in ipairs(limits) do
		local eldest = redis.call('LINDEX', KEYS[2], -limit[1])
		if eldest then at = math.max(at, tonumber(eldest) + limit[2]) end
	end
	return at
end

local sent = 0
if digest ~= '' and again() <= now then
	sent = redis.call('HINCRBY', KEYS[1], 'sent', 1)
	local pause = tonumber(ARGV[math.min(6 + sent, #ARGV)])
	redis.call('HSET', KEYS[1], 'digest', digest, 'till', till, 'tries', '0',
		'again', string.format('%.0f', now + pause))
	redis.call('PEXPIRE', KEYS[1], 3600000) -- longer than a code is good, or a pause lasts
	redis.call('RPUSH', KEYS[2], ARGV[1])
	redis.call('LTRIM', KEYS[2], -math.max(in_hour, in_day), -1)
	redis.call('PEXPIRE', KEYS[2], 86400000)
end
return {sent, tonumber(redis.call('HGET', KEYS[1], 'till') or 0), again()}`

// Send makes a code, keeps its digest and puts the message into the outbox. An earlier code
// for the same occasion is over then. The occasion is the interaction or issuance that asks.
func (c *Codes) Send(ctx context.Context, p Purpose, person uuid.UUID, occasion string, phone identity.Phone, language string) (Sent, error) {
	code, err := random()
	if err != nil {
		return Sent{}, err
	}
	at := c.Now()
	state, count, err := c.send(ctx, p, person, occasion, at, c.digest(p, person, occasion, code))
	switch {
	case err != nil:
		return Sent{}, err
	case count == 0:
		return state, &WaitError{Till: state.Again}
	}
	text := c.Say(language, "sms.code", map[string]any{"Code": code})
	err = pgx.BeginFunc(ctx, c.Pool, func(tx pgx.Tx) error {
		if err := c.Outbox.Put(ctx, tx, identity.Message{
			Person: person, Phone: phone, Kind: identity.CodeMessage, Text: text, At: at, Till: state.Till,
		}); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Event{
			Kind: audit.CodeSent, At: at, Person: person, Detail: map[string]string{"purpose": string(p)},
		})
	})
	if err != nil {
		// Nobody will get this code, so nobody shall have to wait for the next.
		forget := c.Redis.Del(context.WithoutCancel(ctx), c.keys(p, person, occasion)[0]).Err()
		return Sent{}, errors.Join(fmt.Errorf("send a code: %w", err), forget)
	}
	return state, nil
}

// Standing tells how things stand, and sends nothing.
func (c *Codes) Standing(ctx context.Context, p Purpose, person uuid.UUID, occasion string) (Sent, error) {
	state, _, err := c.send(ctx, p, person, occasion, c.Now(), "")
	return state, err
}

func (c *Codes) send(ctx context.Context, p Purpose, person uuid.UUID, occasion string, at time.Time, digest string) (Sent, int64, error) {
	args := []any{
		at.UnixMilli(), digest, at.Add(policy.CodeFor.In(c.Policies)).UnixMilli(), c.Relaxed,
		policy.CodesInHour.In(c.Policies), policy.CodesInDay.In(c.Policies),
	}
	for _, pause := range policy.CodePauses.In(c.Policies) {
		args = append(args, pause.Milliseconds())
	}
	answer, err := c.Redis.Eval(ctx, send, c.keys(p, person, occasion), args...).Int64Slice()
	if err != nil {
		return Sent{}, 0, fmt.Errorf("keep a code: %w", err)
	}
	state := Sent{Till: moment(answer[1]), Again: moment(answer[2])}
	if !state.Till.After(at) {
		state.Till = time.Time{}
	}
	return state, answer[0], nil
}

// check takes one try at the code.
const check = `
local kept = redis.call('HMGET', KEYS[1], 'digest', 'till', 'tries')
if not kept[1] or tonumber(kept[2]) <= tonumber(ARGV[1]) then return 'over' end
if kept[1] == ARGV[2] then
	redis.call('DEL', KEYS[1])
	return 'right'
end
if redis.call('HINCRBY', KEYS[1], 'tries', 1) < tonumber(ARGV[3]) then return 'wrong' end
redis.call('HDEL', KEYS[1], 'digest', 'till')
return 'over'`

// Check takes a try: nil for the right code, once; ErrWrong; ErrOver after the last wrong try or the code's time.
func (c *Codes) Check(ctx context.Context, p Purpose, person uuid.UUID, occasion, code string) error {
	answer, err := c.Redis.Eval(ctx, check, c.keys(p, person, occasion)[:1],
		c.Now().UnixMilli(), c.digest(p, person, occasion, code), policy.CodeTries.In(c.Policies)).Text()
	if err != nil {
		return fmt.Errorf("check a code: %w", err)
	}
	switch answer {
	case "right":
		return nil
	case "wrong":
		return ErrWrong
	default:
		return ErrOver
	}
}

// Parse takes the digits of a code out of what was typed: spaces and hyphens fall away.
// What is not six digits cannot be a code and costs no try.
func Parse(typed string) (string, bool) {
	code := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\u00a0', '\t', '-':
			return -1
		}
		return r
	}, typed)
	return code, len(code) == Digits && strings.Trim(code, "0123456789") == ""
}

// random gives every code the same chance.
func random() (string, error) {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	return fmt.Sprintf("%0*d", Digits, n), nil
}

// keys names nobody: people and occasions are digested. The braces put both keys into one slot.
func (c *Codes) keys(p Purpose, person uuid.UUID, occasion string) []string {
	who := c.mac("person", person.String())
	return []string{"code:{" + who + "}:" + c.mac("occasion", string(p), occasion), "code:{" + who + "}:sent"}
}

// digest binds a code to what it is good for.
func (c *Codes) digest(p Purpose, person uuid.UUID, occasion, code string) string {
	return c.mac("code", string(p), person.String(), occasion, code)
}

func (c *Codes) mac(parts ...string) string {
	mac := hmac.New(sha256.New, c.Key)
	for _, part := range parts {
		fmt.Fprintf(mac, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
