package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrMaster says that the database was sealed under another master key.
var ErrMaster = errors.New("the master key does not fit this database")

// A Box seals, opens and indexes. Its key sets lie in the database, wrapped by the master key.
type Box struct {
	pool    *pgxpool.Pool
	wrap    tink.AEAD
	sealing atomic.Pointer[tink.AEAD] // replaced whole
	prf     *prf.Set
}

// Format keeps the keys out of every message a Box strays into.
func (*Box) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "sealed box") }

// Open unwraps the database's key sets with the master key, making them the first time.
func Open(ctx context.Context, pool *pgxpool.Pool, master []byte, now time.Time) (*Box, error) {
	if len(master) != MasterKeySize {
		return nil, fmt.Errorf("open the box: the master key has %d bytes, not %d", len(master), MasterKeySize)
	}
	wrap, err := subtle.NewAESGCM(master)
	if err != nil {
		return nil, fmt.Errorf("open the box: %w", err)
	}
	sealing, err := keySet(ctx, pool, wrap, sealingKeys, aead.AES256GCMKeyTemplate(), now)
	if err != nil {
		return nil, fmt.Errorf("open the box: %w", err)
	}
	deriving, err := keySet(ctx, pool, wrap, derivingKeys, prf.HMACSHA256PRFKeyTemplate(), now)
	if err != nil {
		return nil, fmt.Errorf("open the box: %w", err)
	}
	b := &Box{pool: pool, wrap: wrap}
	if err := b.use(sealing); err != nil {
		return nil, fmt.Errorf("open the box: %w", err)
	}
	if b.prf, err = prf.NewPRFSet(deriving); err != nil {
		return nil, fmt.Errorf("open the box: %w", err)
	}
	return b, nil
}

// The key sets, by their names.
const (
	sealingKeys  = "aead"
	derivingKeys = "prf"
)

// use seals and opens by a key set from now on.
func (b *Box) use(set *keyset.Handle) error {
	sealing, err := aead.New(set)
	if err == nil {
		b.sealing.Store(&sealing)
	}
	return err
}

// keySet reads a key set, having made it if there is none. Of two nodes that
// start at once both may make one, and both use the one that the table took.
func keySet(ctx context.Context, pool *pgxpool.Pool, wrap tink.AEAD, name string, template *tinkpb.KeyTemplate, now time.Time) (*keyset.Handle, error) {
	const insert = `INSERT INTO key_set (name, wrapped, created_at, changed_at) VALUES ($1, $2, $3, $3) ON CONFLICT (name) DO NOTHING`

	handle, err := readKeySet(ctx, pool, wrap, name)
	if !errors.Is(err, pgx.ErrNoRows) {
		return handle, err
	}
	if handle, err = keyset.NewHandle(template); err != nil {
		return nil, fmt.Errorf("make key set %s: %w", name, err)
	}
	wrapped, err := wrapKeySet(handle, wrap, name)
	if err != nil {
		return nil, err
	}
	if _, err := pool.Exec(ctx, insert, name, wrapped, now); err != nil {
		return nil, fmt.Errorf("keep key set %s: %w", name, err)
	}
	return readKeySet(ctx, pool, wrap, name)
}

func wrappedPlace(name string) []byte { return []byte("key_set:wrapped:" + name) }

func wrapKeySet(set *keyset.Handle, wrap tink.AEAD, name string) ([]byte, error) {
	var wrapped bytes.Buffer
	if err := set.WriteWithAssociatedData(keyset.NewBinaryWriter(&wrapped), wrap, wrappedPlace(name)); err != nil {
		return nil, fmt.Errorf("wrap key set %s: %w", name, err)
	}
	return wrapped.Bytes(), nil
}

// A querier is a pool or a transaction.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// readKeySet reads a key set.
func readKeySet(ctx context.Context, db querier, wrap tink.AEAD, name string) (*keyset.Handle, error) {
	const find = `SELECT wrapped FROM key_set WHERE name = $1`

	var wrapped []byte
	if err := db.QueryRow(ctx, find, name).Scan(&wrapped); err != nil {
		return nil, fmt.Errorf("read key set %s: %w", name, err)
	}
	handle, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(wrapped)), wrap, wrappedPlace(name))
	if err != nil {
		return nil, ErrMaster // Tink says no more than that it did not decrypt
	}
	return handle, nil
}

// Seal encrypts plain for one place, named table:column:row; it opens nowhere else.
func (b *Box) Seal(place string, plain []byte) ([]byte, error) {
	sealed, err := (*b.sealing.Load()).Encrypt(plain, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("seal %s: %w", place, err)
	}
	return sealed, nil
}

// Open decrypts what was sealed for the place.
func (b *Box) Open(place string, sealed []byte) ([]byte, error) {
	plain, err := (*b.sealing.Load()).Decrypt(sealed, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("unseal %s: %w", place, err)
	}
	return plain, nil
}

// Index is a keyed digest of 32 bytes by which a sealed value is found. place is table:column.
func (b *Box) Index(place string, plain []byte) ([]byte, error) {
	return b.derive("index", place, plain)
}

// Key derives 32 bytes for one purpose: the pepper, client secrets, tags of tokens.
func (b *Box) Key(purpose string) ([]byte, error) {
	return b.derive("key", purpose, nil)
}

// derive separates its uses: what, name and input are told apart by a byte that stands in neither name.
func (b *Box) derive(what, name string, input []byte) ([]byte, error) {
	message := append([]byte(what+"\x00"+name+"\x00"), input...)
	derived, err := b.prf.ComputePrimaryPRF(message, 32)
	if err != nil {
		return nil, fmt.Errorf("derive %s %s: %w", what, name, err)
	}
	return derived, nil
}
