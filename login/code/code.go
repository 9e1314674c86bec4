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
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/redis/go-redis/v9"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/provider/audit"
)

// Meanings.
var (
	ErrWrong = errors.New("wrong code")
	ErrOver  = errors.New("the code is over: too late, or tried too often")
	ErrLast  = fmt.Errorf("wrong code, for the last time: %w", ErrOver)
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
	Recover      Purpose = "recover" // a lost password
	Block        Purpose = "block"
	ChangePhone  Purpose = "change_phone"
	Unblock      Purpose = "unblock"
)

// words are those of the messages. Somebody who is sent several at once, of which others have asked for some, must be able to tell them apart.
var words = map[Purpose]string{
	SignIn: "sms.code.sign_in", Recover: "sms.code.recover", Block: "sms.code.block", Unblock: "sms.code.unblock",
	ChangePhone: "sms.code.change_phone", ConfirmPhone: "sms.code.confirm_phone",
}

// For is all that a code is good for.
type For struct {
	Purpose  Purpose
	Person   uuid.UUID      // or an alias
	Occasion string         // the interaction or the visit that asks
	Phone    identity.Phone // zero with an alias
	ID       uuid.UUID      // of the record that it was sent, where whoever sends it is to know it
}

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

// Sent is how things stand with a code.
type Sent struct {
	Till  time.Time // until when it is good; zero if none was sent or it is over
	Again time.Time // from when another can be sent; past, or zero, where it can be now
}

// send decides whether a code may go, and keeps its digest if it may. Without a digest it only looks.
// The keys are the person's and then, where it is another's, the phone's: what is waited for, and the moments of what was sent.
// The code itself lies with the person's.
const send = `
local now, occasion, digest, till, relaxed = tonumber(ARGV[1]), ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'
local in_hour, in_day = tonumber(ARGV[6]), tonumber(ARGV[7])
local limits = {{in_hour, 3600000}, {in_day, 86400000}}

local function again()
	local at = 0
	if relaxed then return at end
	for i = 1, #KEYS, 2 do
		at = math.max(at, tonumber(redis.call('HGET', KEYS[i], 'again') or 0))
		for _, limit in ipairs(limits) do
			local eldest = redis.call('LINDEX', KEYS[i + 1], -limit[1])
			if eldest then at = math.max(at, tonumber(eldest) + limit[2]) end
		end
	end
	return at
end

local sent = digest ~= '' and again() <= now
if sent then
	for i = 1, #KEYS, 2 do
		local pause = tonumber(ARGV[math.min(7 + redis.call('HINCRBY', KEYS[i], 'sent', 1), #ARGV)])
		redis.call('HSET', KEYS[i], 'again', string.format('%.0f', now + pause))
		redis.call('PEXPIRE', KEYS[i], 3600000) -- longer than a code is good, or a pause lasts
		redis.call('RPUSH', KEYS[i + 1], ARGV[1])
		redis.call('LTRIM', KEYS[i + 1], -math.max(in_hour, in_day), -1)
		redis.call('PEXPIRE', KEYS[i + 1], 86400000)
	end
	redis.call('HSET', KEYS[1], 'occasion', occasion, 'digest', digest, 'till', till, 'tries', '0')
end
local kept = redis.call('HMGET', KEYS[1], 'occasion', 'till')
return {sent and 1 or 0, kept[1] == occasion and tonumber(kept[2] or 0) or 0, again()}`

// Send makes a code, keeps its digest and puts the message into the outbox. An earlier code
// of the person for the same purpose is over then. What within does, if there is one, is done
// in the message's transaction, or else there is neither; and where no code may go it is not called.
func (c *Codes) Send(ctx context.Context, f For, language string, within func(context.Context, pgx.Tx) error) (Sent, error) {
	code, err := random(policy.CodeDigits.In(c.Policies))
	if err != nil {
		return Sent{}, err
	}
	return c.deliver(ctx, f, code, letter{
		message: identity.Message{Person: f.Person, Phone: f.Phone, Text: c.Say(language, words[f.Purpose], map[string]any{"Code": code})},
		event:   audit.Event{Kind: audit.CodeSent, Person: f.Person},
		within:  within,
	})
}

// A letter is what goes out with a code.
type letter struct {
	message identity.Message
	event   audit.Event
	tooMany bool // nothing is kept of it if it goes to nobody
	within  func(context.Context, pgx.Tx) error
}

// deliver keeps a code and lets its letter go.
func (c *Codes) deliver(ctx context.Context, f For, code string, l letter) (Sent, error) {
	at := c.Now()
	state, sent, err := c.send(ctx, f, at, c.digest(f, code))
	switch {
	case err != nil:
		return Sent{}, err
	case !sent:
		return state, &WaitError{Till: state.Again}
	}
	l.message.Kind, l.message.At, l.message.Till = identity.CodeMessage, at, state.Till
	if l.event.Kind == audit.CodeWithheld {
		l.message.Till = at
	}
	l.event.ID, l.event.At, l.event.Detail = f.ID, at, map[string]string{"purpose": string(f.Purpose)}
	if f.Purpose == ChangePhone {
		l.event.Detail["phone"] = f.Phone.Hint()
	}
	if err := c.put(ctx, l); err != nil {
		err = fmt.Errorf("send a code: %w", err)
		if errors.Is(err, errUnheard) { // it may be on its way
			return Sent{}, err
		}
		return Sent{}, errors.Join(err, c.forget(context.WithoutCancel(ctx), f))
	}
	return state, nil
}

// errUnheard says that the database's answer to a COMMIT was lost.
var errUnheard = errors.New("done, or not done")

// put puts a letter into the outbox, and records it.
func (c *Codes) put(ctx context.Context, l letter) error {
	tx, err := c.Pool.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(ctx) }() // after a COMMIT there is nothing to take back
	if l.within != nil {
		if err := l.within(ctx, tx); err != nil {
			return err
		}
	}
	write := func(tx pgx.Tx) error {
		if err := c.Outbox.Put(ctx, tx, l.message); err != nil {
			return err
		}
		return audit.Record(ctx, tx, l.event)
	}
	if l.tooMany {
		err = KeepAlike(ctx, tx, l.event.Kind != audit.CodeWithheld, write)
	} else {
		err = write(tx)
	}
	if err != nil {
		return err
	}
	err = tx.Commit(ctx)
	if err != nil && !undone(err) {
		err = errors.Join(errUnheard, err)
	}
	return err
}

// undone tells that a COMMIT which failed was not done: the database says so, or the request was over before it was sent. That a connection is
// closed says nothing, for pgx gives that error, as safe to be tried again, where it has closed it because the answer did not come.
func undone(err error) bool {
	_, refused := errors.AsType[*pgconn.PgError](err)
	over := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	return refused || over && pgconn.SafeToRetry(err)
}

// forget takes a code back that nobody will get: nobody shall have to wait for the next.
func (c *Codes) forget(ctx context.Context, f For) error {
	const forget = `
for i = 1, #KEYS, 2 do
	redis.call('DEL', KEYS[i])
	redis.call('RPOP', KEYS[i + 1])
end
return 0`
	if err := c.Redis.Eval(ctx, forget, c.keys(f)).Err(); err != nil {
		return fmt.Errorf("forget a code: %w", err)
	}
	return nil
}

// Standing tells how things stand, and sends nothing.
func (c *Codes) Standing(ctx context.Context, f For) (Sent, error) {
	state, _, err := c.send(ctx, f, c.Now(), "")
	return state, err
}

func (c *Codes) send(ctx context.Context, f For, at time.Time, digest string) (state Sent, sent bool, err error) {
	inHour, inDay := policy.CodesInHour, policy.CodesInDay
	if f.Purpose == Recover || f.Purpose == Block { // anybody may ask for those, who knows a number
		inHour, inDay = policy.RecoveryCodesInHour, policy.RecoveryCodesInDay
	}
	args := []any{
		at.UnixMilli(), c.occasion(f), digest, at.Add(policy.CodeFor.In(c.Policies)).UnixMilli(), c.Relaxed,
		inHour.In(c.Policies), inDay.In(c.Policies),
	}
	for _, pause := range policy.CodePauses.In(c.Policies) {
		args = append(args, pause.Milliseconds())
	}
	answer, err := c.Redis.Eval(ctx, send, c.keys(f), args...).Int64Slice()
	if err != nil {
		return Sent{}, false, fmt.Errorf("keep a code: %w", err)
	}
	state = Sent{Till: moment(answer[1]), Again: moment(answer[2])}
	if !state.Till.After(at) {
		state.Till = time.Time{}
	}
	return state, answer[0] == 1, nil
}

// check takes one try at the code. Elsewhere than where it belongs none is taken. Whoever has the right one has
// the phone: once it is spent, nobody waits any more.
const check = `
local kept = redis.call('HMGET', KEYS[1], 'occasion', 'digest', 'till')
if kept[1] ~= ARGV[2] or not kept[2] or tonumber(kept[3]) <= tonumber(ARGV[1]) then return 'over' end
if kept[2] == ARGV[3] then
	if ARGV[5] == '1' then
		for i = 1, #KEYS, 2 do redis.call('DEL', KEYS[i]) end
	end
	return 'right'
end
if redis.call('HINCRBY', KEYS[1], 'tries', 1) < tonumber(ARGV[4]) then return 'wrong' end
redis.call('HDEL', KEYS[1], 'digest', 'till')
return 'last'`

// Check takes a try: nil for the right code, once; ErrWrong; ErrLast of the last wrong try; ErrOver without a code, or after its time.
func (c *Codes) Check(ctx context.Context, f For, code string) error {
	return c.try(ctx, f, code, true)
}

// Try is Check, but the right code stays good until it is spent: for an act that is done once whatever comes, so that one which fails can be
// tried again by the same code.
func (c *Codes) Try(ctx context.Context, f For, code string) error { return c.try(ctx, f, code, false) }

func (c *Codes) try(ctx context.Context, f For, code string, spend bool) error {
	answer, err := c.Redis.Eval(ctx, check, c.keys(f),
		c.Now().UnixMilli(), c.occasion(f), c.digest(f, code), policy.CodeTries.In(c.Policies), spend).Text()
	if err != nil {
		return fmt.Errorf("check a code: %w", err)
	}
	switch answer {
	case "right":
		return nil
	case "wrong":
		return ErrWrong
	case "last":
		return ErrLast
	default:
		return ErrOver
	}
}

// Spend takes a code of which Try has told that it is right, unless another one was sent since.
func (c *Codes) Spend(ctx context.Context, f For, code string) error {
	const spend = `
if redis.call('HGET', KEYS[1], 'digest') == ARGV[1] then
	for i = 1, #KEYS, 2 do redis.call('DEL', KEYS[i]) end
end
return 0`
	if err := c.Redis.Eval(ctx, spend, c.keys(f), c.digest(f, code)).Err(); err != nil {
		return fmt.Errorf("spend a code: %w", err)
	}
	return nil
}

// Parse takes the digits of a code out of what was typed: spaces and hyphens fall away.
// What is not as many digits as a code can have is none, and costs no try: between its sending
// and its return another length may have been settled.
func Parse(typed string) (string, bool) {
	code := strings.Map(func(r rune) rune {
		switch r {
		case ' ', '\u00a0', '\t', '-':
			return -1
		}
		return r
	}, typed)
	_, err := policy.CodeDigits.Read(strconv.Itoa(len(code)))
	return code, err == nil && strings.Trim(code, "0123456789") == ""
}

// random gives every code the same chance.
func random(digits int) (string, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
	if err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	return fmt.Sprintf("%0*d", digits, n), nil
}

// keys are what a person waits for, and when they were sent codes: of each purpose by itself, so that codes which anybody can ask for use up nobody's
// for a sign-in. They name nobody, for people are digested; and the braces put each person's into a slot of their own, for a cluster of Redis to
// share the load.
//
// Where the phone need not be the person's own yet, the same is kept of the phone and decided upon together, in one slot for the purpose: those are
// few, of desks and of changes of phone. A phone that is somebody's own is nobody else's.
func (c *Codes) keys(f For) []string {
	person := c.mac("person", string(f.Purpose), f.Person.String())
	if f.Purpose != ConfirmPhone && f.Purpose != ChangePhone {
		return kept(person, person)
	}
	slot := c.mac("purpose", string(f.Purpose))
	return append(kept(slot, person), kept(slot, c.mac("phone", string(f.Purpose), f.Phone.Reveal()))...)
}

func kept(slot, whose string) []string {
	key := "one_time_code:{" + slot + "}:" + whose
	return []string{key, key + ":sent"}
}

func (c *Codes) occasion(f For) string { return c.mac("occasion", f.Occasion) }

// digest binds a code to what it is good for.
func (c *Codes) digest(f For, code string) string {
	return c.mac("code", string(f.Purpose), f.Person.String(), f.Occasion, f.Phone.Reveal(), code)
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
