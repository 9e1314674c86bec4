package answer

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/api"
	"asoba.example/provider/seal"
)

// keptFor is how long an answer is kept. Whoever did not hear it asks again within minutes; and what it tells, a secret or
// somebody's data, should not lie about, sealed or not, for longer than that.
const keptFor = time.Hour

// A Book keeps answers.
type Book struct {
	Pool *pgxpool.Pool
	Box  *seal.Box
	Now  func() time.Time
}

// An Answer can be given again.
type Answer struct {
	Status int
	Header map[string]string
	Body   json.RawMessage
}

// Write gives it.
func (a Answer) Write(w http.ResponseWriter) error {
	for name, value := range a.Header {
		w.Header().Set(name, value)
	}
	return api.Write(w, a.Status, a.Body)
}

// A Keep keeps the answer in the transaction of the act that it tells of.
type Keep func(ctx context.Context, tx pgx.Tx, a Answer) error

// errAnswered says that the same request was quicker.
var errAnswered = errors.New("answered meanwhile")

// Once answers a request whose act must not happen twice, as Do says.
func (b *Book) Once(w http.ResponseWriter, r *http.Request, caller string, body []byte, act func(Keep) error) error {
	made, _, err := b.Do(r, caller, body, act)
	if err != nil {
		return err
	}
	return made.Write(w)
}

// Do has a request answered whose act must not happen twice: by what act gives to its Keep, or, where the caller has sent this same request with
// its key before, again, by what was answered then. Whether the caller may be told that, Do does not ask.
func (b *Book) Do(r *http.Request, caller string, body []byte, act func(Keep) error) (made Answer, again bool, err error) {
	ctx := r.Context()
	key, err := api.IdempotencyKey(r)
	if err != nil {
		return Answer{}, false, err
	}
	if key == "" {
		err := act(func(_ context.Context, _ pgx.Tx, a Answer) error {
			made = a
			return nil
		})
		return made, false, err
	}
	asked := request{caller: caller, key: sha256.Sum256([]byte(key)), sum: sha256.Sum256([]byte(r.Method + " " + r.URL.Path + "\n" + string(body)))}
	made, err = b.find(ctx, asked)
	if again = err == nil; errors.Is(err, pgx.ErrNoRows) {
		err = act(func(ctx context.Context, tx pgx.Tx, a Answer) error {
			made = a
			return b.keep(ctx, tx, asked, a)
		})
		if err != nil { // what stood in its way may have been the same request
			if first, missing := b.find(ctx, asked); !errors.Is(missing, pgx.ErrNoRows) {
				made, again, err = first, true, missing
			}
		}
	}
	return made, again, err
}

// A request that may come again.
type request struct {
	caller string
	key    [sha256.Size]byte
	sum    [sha256.Size]byte // of all that it asks
}

// place is where its answer is sealed for.
func (q request) place() string {
	return "answer:sealed:" + q.caller + " " + base64.RawStdEncoding.EncodeToString(q.key[:])
}

// find gives what was answered; pgx.ErrNoRows, if nothing was.
func (b *Book) find(ctx context.Context, q request) (a Answer, err error) {
	const find = `SELECT sealed, request_hash = $3 FROM answer WHERE caller = $1 AND key_hash = $2 AND till > $4`

	var (
		sealed []byte
		same   bool
	)
	if err := b.Pool.QueryRow(ctx, find, q.caller, q.key[:], q.sum[:], b.Now()).Scan(&sealed, &same); err != nil {
		return a, fmt.Errorf("find an answer: %w", err)
	}
	if !same {
		return a, api.Refuse(http.StatusUnprocessableEntity, "idempotency_key_reused", errors.New("another request has this key"))
	}
	plain, err := b.Box.Open(q.place(), sealed)
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(plain, &a)
}

// keep keeps an answer in the act's transaction; errAnswered, where there is one already.
func (b *Book) keep(ctx context.Context, tx pgx.Tx, q request, a Answer) error {
	const keep = `
		INSERT INTO answer (caller, key_hash, request_hash, sealed, till)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (caller, key_hash) DO UPDATE
		SET request_hash = excluded.request_hash, sealed = excluded.sealed, till = excluded.till
		WHERE answer.till <= $6`

	plain, err := json.Marshal(a)
	if err != nil {
		return err
	}
	sealed, err := b.Box.Seal(q.place(), plain)
	if err != nil {
		return err
	}
	now := b.Now()
	tag, err := tx.Exec(ctx, keep, q.caller, q.key[:], q.sum[:], sealed, now.Add(keptFor), now)
	if err != nil {
		return fmt.Errorf("keep an answer: %w", err)
	}
	if tag.RowsAffected() != 1 {
		return errAnswered
	}
	return nil
}

// Forget deletes the answers whose time has passed; it is to be called every minute or so.
func (b *Book) Forget(ctx context.Context) error {
	const forget = `DELETE FROM answer WHERE till <= $1`

	if _, err := b.Pool.Exec(ctx, forget, b.Now()); err != nil {
		return fmt.Errorf("forget answers: %w", err)
	}
	return nil
}
