package pgtest

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync/atomic"
)

// errCut is what the program sees of a network that was cut.
var errCut = errors.New("the network was cut")

// LoseCommit cuts the network once the nth COMMIT from now is done, before the program hears of it: that is reported failed, as is all
// that comes after, until the network is mended. It tells then whether there were so many.
func (t *Trips) LoseCommit(n int) (mend func() bool) {
	t.cut.Store(false)
	t.lose.Store(int64(n))
	return func() bool {
		t.lose.Store(0)
		return t.cut.Swap(false)
	}
}

// CutAt begins the count anew and cuts the network before the nth trip, as a kill of the program does: nothing is rolled back or given up by
// it. All that comes after fails too, until the network is mended. It tells then whether there were so many.
func (t *Trips) CutAt(n int) (mend func() bool) {
	t.cut.Store(false)
	t.n.Store(0)
	t.cutAt.Store(int64(n))
	return func() bool {
		t.cutAt.Store(0)
		return t.cut.Swap(false)
	}
}

// dial connects by a wire.
func (t *Trips) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if t.cut.Load() {
		return nil, errCut
	}
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	return &wire{Conn: conn, trips: t}, err
}

// A wire to PostgreSQL.
type wire struct {
	net.Conn

	trips *Trips
	last  atomic.Bool // the next word is of a COMMIT whose answer is to be lost
}

func (w *wire) Write(p []byte) (int, error) {
	if w.trips.cut.Load() {
		return 0, w.die()
	}
	// A statement without arguments goes by the simple protocol (PostgreSQL, 54.2.2).
	if bytes.HasPrefix(p, []byte("Q")) && bytes.HasSuffix(p, []byte("commit\x00")) && w.trips.lose.Load() > 0 {
		w.last.Store(w.trips.lose.Add(-1) == 0)
	}
	return w.Conn.Write(p)
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p) // of a COMMIT that is when it is done
	if w.last.Swap(false) {
		w.trips.cut.Store(true)
	}
	if w.trips.cut.Load() {
		return 0, w.die()
	}
	return n, err
}

// die ends a wire that was cut for good, when it is mended too: the server is to know.
func (w *wire) die() error {
	_ = w.Close()
	return errCut
}
