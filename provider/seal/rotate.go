package seal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// Lead is how long a new key is known to every node before anything is sealed by it, and how long after that every node does.
const Lead = 30 * time.Second

// Keep is how long a former key is kept at least: what it has sealed elsewhere than in a column (answers, requests that wait, authenticators
// that are being added) is worth nothing any more by then.
const Keep = time.Hour

// Meanings.
var (
	// ErrTooSoon says that not every node knows the new key yet.
	ErrTooSoon = errors.New("not every node knows the new key yet")
	// ErrNeeded says that something may be sealed by a former key yet.
	ErrNeeded = errors.New("a former key is needed yet")
)

// Refresh takes over what another node has changed; it is to be called every few seconds.
func (b *Box) Refresh(ctx context.Context) error {
	set, err := readKeySet(ctx, b.pool, b.wrap, sealingKeys)
	if err != nil {
		return err
	}
	return b.use(set)
}

// Rotate puts a new key into the set that seals; called again after Lead, it has everything sealed by that key. done tells that it is: it
// does nothing more until the former key is retired. What was sealed before opens as it did.
func (b *Box) Rotate(ctx context.Context, at time.Time) (done bool, err error) {
	err = b.change(ctx, at, func(_ pgx.Tx, set *keyset.Handle, known time.Duration) (turned *keyset.Handle, err error) {
		if done = len(former(set)) > 0; done {
			return set, nil
		}
		turned, done, err = turn(set, known)
		return turned, err
	})
	if err != nil {
		return false, fmt.Errorf("rotate what seals: %w", err)
	}
	return done, b.Refresh(ctx)
}

// change makes another set of the one that seals, or leaves it, as do says, which is told how long it has been as it is.
func (b *Box) change(ctx context.Context, at time.Time, do func(tx pgx.Tx, set *keyset.Handle, known time.Duration) (*keyset.Handle, error)) error {
	const hold = `SELECT changed_at FROM key_set WHERE name = $1 FOR UPDATE`
	const change = `UPDATE key_set SET wrapped = $2, changed_at = $3 WHERE name = $1`

	return pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) error {
		var since time.Time
		if err := tx.QueryRow(ctx, hold, sealingKeys).Scan(&since); err != nil {
			return err
		}
		set, err := readKeySet(ctx, tx, b.wrap, sealingKeys)
		if err != nil {
			return err
		}
		turned, err := do(tx, set, at.Sub(since))
		if err != nil || turned == set {
			return err
		}
		wrapped, err := wrapKeySet(turned, b.wrap, sealingKeys)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, change, sealingKeys, wrapped, at)
		return err
	})
}

// turn adds a key behind those of a set, or makes the last one, which has been known for so long, the one that seals.
func turn(set *keyset.Handle, known time.Duration) (turned *keyset.Handle, done bool, err error) {
	info, manager := set.KeysetInfo(), keyset.NewManagerFromHandle(set)
	switch last := info.KeyInfo[len(info.KeyInfo)-1].KeyId; {
	case last == info.PrimaryKeyId:
		_, err = manager.Add(aead.AES256GCMKeyTemplate())
	case known < Lead:
		err = ErrTooSoon
	default:
		done, err = true, manager.SetPrimary(last)
	}
	if err != nil {
		return nil, false, err
	}
	turned, err = manager.Handle()
	return turned, done, err
}

// former are the keys of a set that have sealed before the one that does.
func former(set *keyset.Handle) (ids []uint32) {
	info := set.KeysetInfo()
	for _, k := range info.KeyInfo {
		if k.KeyId == info.PrimaryKeyId {
			break
		}
		ids = append(ids, k.KeyId)
	}
	return ids
}

// Retire takes the former keys out of the set for good, and tells how many there were. ErrNeeded, where one of the columns, which are to be
// all there are, holds what they have sealed, or what lies elsewhere may be.
func (b *Box) Retire(ctx context.Context, columns []Column, at time.Time) (gone int, err error) {
	err = b.change(ctx, at, func(tx pgx.Tx, set *keyset.Handle, known time.Duration) (*keyset.Handle, error) {
		ids := former(set)
		if gone = len(ids); gone == 0 {
			return set, nil
		}
		if known < Keep {
			return nil, ErrNeeded
		}
		if err := b.use(set); err != nil {
			return nil, err
		}
		for _, c := range columns {
			if err := b.sealedAnew(ctx, tx, c); err != nil {
				return nil, err
			}
		}
		manager := keyset.NewManagerFromHandle(set)
		for _, id := range ids {
			if err := manager.Delete(id); err != nil {
				return nil, err
			}
		}
		return manager.Handle()
	})
	if err != nil {
		return 0, fmt.Errorf("retire what has sealed: %w", err)
	}
	return gone, b.Refresh(ctx)
}

// sealedAnew holds that a column has nothing by another key than the one that seals.
func (b *Box) sealedAnew(ctx context.Context, tx pgx.Tx, c Column) error {
	name, table := pgx.Identifier{c.Name}.Sanitize(), pgx.Identifier{c.Table}.Sanitize()
	find := `SELECT EXISTS (SELECT FROM ` + table + ` WHERE substring(` + name + ` FROM 1 FOR 5) <> $1)`

	mark, err := b.mark()
	if err != nil {
		return err
	}
	var left bool
	if err := tx.QueryRow(ctx, find, mark).Scan(&left); err != nil {
		return err
	}
	if left {
		return fmt.Errorf("%w: %s.%s", ErrNeeded, c.Table, c.Name)
	}
	return nil
}

// mark is of the key that seals: all begins with it that it has sealed.
func (b *Box) mark() ([]byte, error) {
	sample, err := b.Seal("", nil)
	if err != nil {
		return nil, err
	}
	return sample[:5], nil
}

// A Column is one that holds what is sealed for the place table:column:row.
type Column struct {
	Table, Name, Row string
	AtOnce           int // how many rows are sealed anew in one transaction, where they are large; 500 where zero
}

// Reseal seals anew, by the key that seals now, what lies in a column under others. told hears of each row.
func (b *Box) Reseal(ctx context.Context, c Column, told func()) error {
	mark, err := b.mark()
	if err != nil {
		return err
	}
	for after, more := "", true; more; {
		err := pgx.BeginFunc(ctx, b.pool, func(tx pgx.Tx) (err error) {
			after, more, err = b.resealPage(ctx, tx, c, mark, after, told)
			return err
		})
		if err != nil {
			return fmt.Errorf("seal %s.%s anew: %w", c.Table, c.Name, err)
		}
	}
	return nil
}

// resealPage goes on after a row, and tells how far it came.
func (b *Box) resealPage(ctx context.Context, tx pgx.Tx, c Column, mark []byte, after string, told func()) (last string, more bool, err error) {
	name, row, table := pgx.Identifier{c.Name}.Sanitize(), pgx.Identifier{c.Row}.Sanitize(), pgx.Identifier{c.Table}.Sanitize()
	find := `SELECT ` + row + `::text, ` + name + ` FROM ` + table + ` WHERE substring(` + name + ` FROM 1 FOR 5) <> $1`
	update := `UPDATE ` + table + ` SET ` + name + ` = $2 WHERE ` + row + ` = $1`
	args := []any{mark, cmp.Or(c.AtOnce, 500)}
	if after != "" {
		find += ` AND ` + row + ` > $3`
		args = append(args, after)
	}
	type sealed struct {
		Row   string
		Value []byte
	}
	rows, _ := tx.Query(ctx, find+` ORDER BY `+row+` LIMIT $2 FOR UPDATE`, args...)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sealed])
	if err != nil || len(found) == 0 {
		return "", false, err
	}
	var batch pgx.Batch
	for _, s := range found {
		place := c.Table + ":" + c.Name + ":" + s.Row
		plain, err := b.Open(place, s.Value)
		if err != nil {
			return "", false, err
		}
		if s.Value, err = b.Seal(place, plain); err != nil {
			return "", false, err
		}
		batch.Queue(update, s.Row, s.Value)
		told()
	}
	return found[len(found)-1].Row, true, tx.SendBatch(ctx, &batch).Close()
}

// Rewrap wraps the key sets by another master key. Nodes that run go on sealing and opening, but follow no rotation until they
// are started with the new key.
func Rewrap(ctx context.Context, pool *pgxpool.Pool, old, master []byte) error {
	const hold = `SELECT FROM key_set FOR UPDATE`
	const change = `UPDATE key_set SET wrapped = $2 WHERE name = $1`

	if len(old) != MasterKeySize || len(master) != MasterKeySize {
		return fmt.Errorf("wrap the key sets: a master key has %d bytes", MasterKeySize)
	}
	from, err := subtle.NewAESGCM(old)
	if err != nil {
		return fmt.Errorf("wrap the key sets: %w", err)
	}
	to, err := subtle.NewAESGCM(master)
	if err != nil {
		return fmt.Errorf("wrap the key sets: %w", err)
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, hold); err != nil {
			return fmt.Errorf("wrap the key sets: %w", err)
		}
		for _, name := range []string{sealingKeys, derivingKeys} {
			set, err := readKeySet(ctx, tx, from, name)
			if err != nil {
				return err
			}
			wrapped, err := wrapKeySet(set, to, name)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, change, name, wrapped); err != nil {
				return fmt.Errorf("wrap key set %s: %w", name, err)
			}
		}
		return nil
	})
}
