package audit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Meanings.
var (
	// ErrCursor says that a cursor is none of ours.
	ErrCursor = errors.New("no such cursor")
	// ErrStalled says that events wait for their places: that there is nothing new would not be true.
	ErrStalled = errors.New("the feed has stalled")
)

// A DroppedError says that what comes after a cursor was dropped in part. Who learns anew how everything stands may go on from Cursor.
type DroppedError struct{ Cursor Cursor }

func (*DroppedError) Error() string {
	return "what comes next was dropped: learn anew how everything stands"
}

// stall is how long an event may wait for its place before the feed says that it has stalled. A consumer
// that hears nothing else must not take silence for peace: it may be a block that waits.
const stall = 3 * time.Second

// A Cursor is how far a consumer has read. The zero Cursor is before everything.
type Cursor int64

// ParseCursor reads a cursor as we gave it, or "" for the zero Cursor.
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > beyond {
		return 0, ErrCursor
	}
	return Cursor(n), nil
}

// beyond is a place that no event will ever have: a thousand a second come there in 285,000 years.
const beyond = 1 << 53

// MarshalText writes a cursor as a consumer keeps it: it is no number to reckon with.
func (c Cursor) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(c), 10), nil }

// An Entry is an event as a consumer of the feed sees it. Which clerk acted is not among it.
type Entry struct {
	Cursor   Cursor            `json:"cursor"`
	ID       uuid.UUID         `json:"id"` // the event's: consumers tell by it what they have already, and citizens quote it
	Kind     Kind              `json:"kind"`
	At       time.Time         `json:"at"`
	Person   uuid.UUID         `json:"person,omitzero"`
	ClientID string            `json:"client_id,omitempty"`
	Office   string            `json:"office,omitempty"`
	Staff    bool              `json:"staff,omitempty"` // a clerk acted
	GID      uuid.UUID         `json:"gid,omitzero"`
	SID      string            `json:"sid,omitempty"`
	ACR      string            `json:"acr,omitempty"`
	Agent    string            `json:"agent,omitempty"`
	Edition  int64             `json:"edition,omitempty"`
	Detail   map[string]string `json:"detail,omitempty"`
}

// told are the kinds that go out when they are about a person: what a cabinet must
// act on and what a citizen may see of their own: what a desk refused too, for a
// refusal tells the clerk something of the person. Clerks stay here.
var told = []string{
	string(PersonChanged),
	string(IdentifierIssued), string(PasswordReissued), string(IdentifierActivated), string(PasswordChanged), string(PasswordRecovered), string(RecoveryRefused), string(PhoneChangeAsked), string(PhoneChangeDropped), string(PhoneChanged), string(PhoneReleased),
	string(DeskLookedUp), string(DeskRefused),
	string(PaperRead), string(TrailRead),
	string(PasskeyAdded), string(PasskeyRemoved),
	string(AuthenticatorAdded), string(AuthenticatorGone), string(RecoveryCodesMade), string(RecoveryCodesGone), string(RecoveryCodeUsed),
	string(IdentifierBlocked), string(IdentifierUnblocked),
	string(SignedIn), string(SignInRefused), string(CodeSent), string(SignedOut), string(SessionsEnded), string(BrowserForgotten),
	string(GrantGiven), string(GrantEnded), string(TokenExchanged), string(AgreementGiven), string(AgreementWithdrawn),
}

// toldToAll are the kinds that go out though they are about nobody: a new edition,
// and whose tokens and which signatures are good no longer, or again.
var toldToAll = []string{
	string(EditionApplied), string(ClientDisabled), string(ClientEnabled), string(ClientRemoved), string(KeyGone),
}

// A Feed tells consumers what happened, in order, each from where they were.
type Feed struct {
	pool       *pgxpool.Pool
	background *pgxpool.Pool

	mu    sync.Mutex
	head  Cursor        // the last place we know of
	risen chan struct{} // closed, and replaced, when head rises
}

// NewFeed makes a Feed that reads from pool, and listens on a connection of background.
func NewFeed(pool, background *pgxpool.Pool) *Feed {
	return &Feed{pool: pool, background: background, risen: make(chan struct{})}
}

// After gives at most limit entries after a cursor, and the cursor to go on
// from, which moves past what is not told as well. ErrCursor, where no event has
// come so far yet; a DroppedError, where some of them are there no longer; ErrStalled,
// where it cannot be told whether there are any.
func (f *Feed) After(ctx context.Context, after Cursor, limit int) ([]Entry, Cursor, error) {
	const last = `
		SELECT place, EXISTS (SELECT FROM event WHERE place IS NULL AND id < $1)
		FROM event_head`

	const find = `
		SELECT place, id, kind, at, coalesce(person_id, $4), coalesce(client_id, ''), coalesce(office, ''), clerk_id IS NOT NULL,
		       coalesce(gid, $4), coalesce(sid, ''), coalesce(acr, ''), coalesce(agent, ''), coalesce(edition, 0), detail
		FROM event
		WHERE place > $1 AND place <= (SELECT place FROM event_head) AND (kind = ANY ($3) AND person_id IS NOT NULL OR kind = ANY ($5))
		ORDER BY place LIMIT $2`

	const dropped = `SELECT place FROM event_base`

	var (
		entries      []Entry
		cursor, base Cursor
		stalled      bool
	)
	// The last place is read first: everything up to it is seen by the second statement. What that did not see because it was dropped is known
	// to the third.
	b := new(pgx.Batch)
	b.Queue(last, idBefore(stall)).QueryRow(func(row pgx.Row) error { return row.Scan(&cursor, &stalled) })
	b.Queue(find, after, limit, told, uuid.Nil, toldToAll).Query(func(rows pgx.Rows) (err error) {
		entries, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Entry])
		return err
	})
	b.Queue(dropped).QueryRow(func(row pgx.Row) error { return row.Scan(&base) })
	if err := f.pool.SendBatch(ctx, b).Close(); err != nil {
		return nil, 0, fmt.Errorf("read the feed: %w", err)
	}
	if after < base {
		return nil, 0, &DroppedError{base}
	}
	if after > cursor { // whoever read on from there would take our silence for peace
		return nil, 0, ErrCursor
	}
	if stalled && len(entries) == 0 {
		return nil, 0, ErrStalled
	}
	for i := range entries {
		entries[i].At = entries[i].At.UTC()
	}
	switch n := len(entries); {
	case n == limit:
		cursor = entries[n-1].Cursor
	case n > 0:
		cursor = max(cursor, entries[n-1].Cursor)
	}
	return entries, cursor, nil
}

// idBefore is lower than the id of every event that was recorded since: a UUIDv7 begins with its milliseconds (RFC 9562 §5.7).
func idBefore(ago time.Duration) uuid.UUID {
	id := uuid.Must(uuid.NewV7())
	milliseconds := binary.BigEndian.Uint64(id[:8])>>16 - uint64(ago.Milliseconds())
	id = uuid.UUID{}
	binary.BigEndian.PutUint64(id[:8], milliseconds<<16)
	return id
}

// Wait is After, but where there is nothing new it waits for it, until over ends,
// which is ctx or a part of it. It holds no connection meanwhile.
func (f *Feed) Wait(ctx, over context.Context, after Cursor, limit int) ([]Entry, Cursor, error) {
	for {
		risen := f.above(after) // before the look, so that nothing is missed between
		entries, cursor, err := f.After(ctx, after, limit)
		if err != nil || len(entries) > 0 {
			return entries, cursor, err
		}
		after = cursor
		select {
		case <-risen:
		case <-over.Done():
			return entries, cursor, ctx.Err()
		}
	}
}

// Listen hears of new places until ctx ends or its connection breaks, and is
// then to be called again. While nobody listens, Wait lasts for its whole time.
func (f *Feed) Listen(ctx context.Context) error {
	conn, err := f.background.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("listen for events: %w", err)
	}
	defer conn.Release()
	defer conn.Conn().Close(context.WithoutCancel(ctx)) // a connection that listens is of no use to others
	if _, err := conn.Exec(ctx, "LISTEN "+placed); err != nil {
		return fmt.Errorf("listen for events: %w", err)
	}
	const last = `SELECT place FROM event_head`
	var head Cursor
	if err := conn.QueryRow(ctx, last).Scan(&head); err != nil { // what was placed before we listened
		return fmt.Errorf("listen for events: %w", err)
	}
	for {
		f.rise(head)
		n, err := conn.Conn().WaitForNotification(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("listen for events: %w", err)
		}
		if head, err = ParseCursor(n.Payload); err != nil {
			return fmt.Errorf("listen for events: %w", err)
		}
	}
}

// above gives a channel that closes once there is a place after the cursor.
func (f *Feed) above(after Cursor) <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.head > after {
		closed := make(chan struct{})
		close(closed)
		return closed
	}
	return f.risen
}

func (f *Feed) rise(to Cursor) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if to > f.head {
		f.head = to
		close(f.risen)
		f.risen = make(chan struct{})
	}
}
