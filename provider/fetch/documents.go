package fetch

import (
	"context"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Terms of a document.
const (
	freshFor = 10 * time.Minute // it is taken as it was read
	keptFor  = time.Hour        // and for so long where it cannot be read again
	pause    = 10 * time.Second // between two tries, whatever the first gave
)

// DocumentsConfig is what Documents need.
type DocumentsConfig[T any] struct {
	Caller *Caller
	Parse  func([]byte) (T, error)
	Now    func() time.Time
}

// Documents are those that others keep and we read again and again, by their addresses.
//
//	          read                    10 min               1 h
//	unknown ───────▶ taken as it is ─────────▶ read again ─────▶ unknown
//	   │                                  while it cannot be: taken
//	   └── cannot be read: so it stays for 10 s
//
// Many who ask at once wait for one call, and none of them for another document's.
type Documents[T any] struct {
	cfg   DocumentsConfig[T]
	calls singleflight.Group

	mu   sync.Mutex
	held map[string]held[T] // guarded by mu
}

// held is a document, and how it went when it was last called for.
type held[T any] struct {
	document T
	read     time.Time // the zero time: never
	tried    time.Time
	err      error // of the last try
}

// NewDocuments makes Documents.
func NewDocuments[T any](cfg DocumentsConfig[T]) *Documents[T] {
	return &Documents[T]{cfg: cfg, held: map[string]held[T]{}}
}

// Find gives the document at uri. One that has not what is looked for is read again, after a pause: its keeper may have just put it there.
func (d *Documents[T]) Find(ctx context.Context, uri string, has func(T) bool) (none T, err error) {
	h, now := d.recall(uri), d.cfg.Now()
	if now.Sub(h.read) < freshFor && has(h.document) {
		return h.document, nil
	}
	if now.Sub(h.tried) >= pause {
		call := d.calls.DoChan(uri, func() (any, error) {
			return d.read(context.WithoutCancel(ctx), uri), nil // for everybody who waits, not for the first of them alone
		})
		select {
		case called := <-call:
			h = called.Val.(held[T])
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
	if now.Sub(h.read) < keptFor {
		return h.document, nil
	}
	return none, h.err
}

// read calls for a document, unless that has just been done.
func (d *Documents[T]) read(ctx context.Context, uri string) held[T] {
	h, now := d.recall(uri), d.cfg.Now()
	if now.Sub(h.tried) < pause {
		return h
	}
	body, err := d.cfg.Caller.Get(ctx, uri)
	var document T
	if err == nil {
		document, err = d.cfg.Parse(body)
	}
	if err == nil {
		h.document, h.read = document, now
	}
	h.tried, h.err = now, err
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.held, func(_ string, h held[T]) bool { return now.Sub(h.tried) > keptFor }) // of addresses that nobody asks for any more
	d.held[uri] = h
	return h
}

func (d *Documents[T]) recall(uri string) held[T] {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.held[uri]
}
