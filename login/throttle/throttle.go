package throttle

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Throttle counts tries in sliding windows.
type Throttle struct {
	Redis   redis.UniversalClient
	Key     []byte // keys the digests under which is counted: numbers and addresses can be guessed
	Relaxed bool   // for trials: nothing is limited
	Now     func() time.Time
}

// A Limit is how many tries in how long.
type Limit struct {
	Name  string // names the window; from source code, never from a request
	Tries int
	In    time.Duration

	// Pauses stand between tries, from the third within In on: the first after that one, the next after the fourth and so on, the last
	// for all that follow. There may be none.
	Pauses []time.Duration
}

// AtOnce is how many tries pauses leave to slips of the hand.
const AtOnce = 3

// A Try counts for somebody or something against a limit.
type Try struct {
	Limit Limit
	By    string // whose: a number, an address; kept only as a digest
}

// take keeps the moments of the newest tries. Where as many as are allowed are
// younger than the window, or a pause after the last one lasts, it counts nothing and tells
// how long that stays so.
const take = `
local now, tries, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local free = tonumber(redis.call('LINDEX', KEYS[1], -tries) or 0) + window
local at_once, pauses = tonumber(ARGV[5]), #ARGV - 5
if pauses > 0 then
	local kept, close = redis.call('LRANGE', KEYS[1], 0, -1), 0
	local last = tonumber(kept[#kept] or 0)
	for _, at in ipairs(kept) do
		if at + window > last then close = close + 1 end
	end
	if close >= at_once then
		free = math.max(free, last + tonumber(ARGV[5 + math.min(close - at_once + 1, pauses)]))
	end
end
if free > now then return free - now end
if ARGV[4] == 'look' then return 0 end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], -tries, -1)
redis.call('PEXPIRE', KEYS[1], window)
return 0`

// Take counts the tries in order and stops at the first that is over its limit, so that
// what is refused for one reason does not use up another's budget. It tells how long to
// wait; zero means go on.
func (t *Throttle) Take(ctx context.Context, tries ...Try) (time.Duration, error) {
	for _, try := range tries {
		if wait, err := t.try(ctx, try, "take"); err != nil || wait > 0 {
			return wait, err
		}
	}
	return 0, nil
}

// Look tells how long a try would have to wait, and counts nothing.
func (t *Throttle) Look(ctx context.Context, try Try) (time.Duration, error) {
	return t.try(ctx, try, "look")
}

func (t *Throttle) try(ctx context.Context, try Try, mode string) (time.Duration, error) {
	if t.Relaxed {
		return 0, nil
	}
	args := []any{t.Now().UnixMilli(), try.Limit.Tries, try.Limit.In.Milliseconds(), mode, AtOnce}
	for _, pause := range try.Limit.Pauses {
		args = append(args, pause.Milliseconds())
	}
	wait, err := t.Redis.Eval(ctx, take, []string{t.key(try)}, args...).Int64()
	if err != nil {
		return 0, fmt.Errorf("count a try of %s: %w", try.Limit.Name, err)
	}
	return time.Duration(wait) * time.Millisecond, nil
}

// Return gives back tries that were taken and came to nothing: of each the newest.
func (t *Throttle) Return(ctx context.Context, tries ...Try) error {
	for _, try := range tries {
		if err := t.Redis.RPop(ctx, t.key(try)).Err(); err != nil && !errors.Is(err, redis.Nil) {
			return fmt.Errorf("return a try of %s: %w", try.Limit.Name, err)
		}
	}
	return nil
}

// Forgive forgets the tries so far: somebody has shown that they were a person's own.
func (t *Throttle) Forgive(ctx context.Context, tries ...Try) error {
	for _, try := range tries {
		if err := t.Redis.Del(ctx, t.key(try)).Err(); err != nil {
			return fmt.Errorf("forgive tries of %s: %w", try.Limit.Name, err)
		}
	}
	return nil
}

func (t *Throttle) key(try Try) string {
	mac := hmac.New(sha256.New, t.Key)
	mac.Write([]byte(try.Limit.Name + "\x00" + try.By))
	return "tries:" + hex.EncodeToString(mac.Sum(nil)[:16])
}
