package follow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cabinet/profile"
)

// ErrBehind says that the cabinet does not come level with the feed, so that nothing can be told of what differs.
var ErrBehind = errors.New("the cabinet is behind the feed; is it being served?")

// A Difference is a person whose cabinet is not as the provider says.
type Difference struct {
	Person uuid.UUID
	What   []string // the values that differ, or one of: no cabinet, unknown to the provider
}

// A kept cabinet is what is compared.
type kept struct {
	ID          uuid.UUID
	Number      string
	State       string
	Reason      string
	Sex         string
	BirthDate   string
	Citizenship string
	Incapable   *time.Time
	Limited     *time.Time
	GoneSince   bool // since the state came, the register had the sign-ins ended
}

// Verify compares all cabinets with the register, as the provider has it, and tells whose differ though the feed was followed: where somebody does at
// first, the page is read again once the cabinet has heard all that the feed had to say by then. progress is told how many people were compared, and
// waiting, while the cabinet is not so far, how many editions and events it has yet to read, and how many pages of people it has read meanwhile.
func Verify(ctx context.Context, pool *pgxpool.Pool, feed Feed, tell func(Difference), progress func(people int), waiting func(editions int, pages int64)) error {
	for after, people := uuid.Nil, 0; ; {
		page, err := feed.everybody(ctx, after, peopleAtOnce)
		if err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		till := uuid.Max
		if page.Next != nil {
			till = *page.Next
		}
		suspects, err := compare(ctx, pool, page.People, after, till)
		if err == nil && len(suspects) > 0 {
			err = judge(ctx, pool, feed, suspects, after, till, tell, waiting)
		}
		if err != nil {
			return fmt.Errorf("verify: %w", err)
		}
		people += len(page.People)
		progress(people)
		if page.Next == nil {
			return nil
		}
		after = till
	}
}

// judge tells which of those who differ after one person and up to another still do once the cabinet is level. Of whoever differs only now the
// feed has yet to tell.
func judge(
	ctx context.Context, pool *pgxpool.Pool, feed Feed, suspects []Difference, after, till uuid.UUID, tell func(Difference), waiting func(int, int64),
) error {
	if err := level(ctx, pool, feed, standstill, waiting); err != nil {
		return err
	}
	suspected := map[uuid.UUID]bool{}
	for _, d := range suspects {
		suspected[d.Person] = true
	}
	for before(after, till) {
		page, err := feed.everybody(ctx, after, peopleAtOnce)
		if err != nil {
			return err
		}
		end := till
		if page.Next != nil && before(*page.Next, till) { // there are more people by now
			end = *page.Next
		}
		page.People = slices.DeleteFunc(page.People, func(p person) bool { return before(end, p.ID) })
		differ, err := compare(ctx, pool, page.People, after, end)
		if err != nil {
			return err
		}
		for _, d := range differ {
			if suspected[d.Person] {
				tell(d)
			}
		}
		after = end
	}
	return nil
}

// compare compares people, in the order of their ids, with the cabinets of those after one and up to another.
func compare(ctx context.Context, pool *pgxpool.Pool, people []person, after, till uuid.UUID) ([]Difference, error) {
	const list = `
		SELECT person_id AS id, coalesce(identification_number, '') AS number, state, coalesce(state_reason, '') AS reason, sex, birth_date, citizenship,
		       incapable_date AS incapable, limited_date AS limited, state = 'activated' AND EXISTS (` + profile.GoneSince + `) AS gone_since
		FROM cabinet WHERE person_id > $1 AND person_id <= $2 ORDER BY person_id`
	rows, _ := pool.Query(ctx, list, after, till)
	cabinets, err := pgx.CollectRows(rows, pgx.RowToStructByName[kept])
	if err != nil {
		return nil, err
	}
	var all []Difference
	for len(people) > 0 || len(cabinets) > 0 {
		switch {
		case len(cabinets) == 0 || len(people) > 0 && before(people[0].ID, cabinets[0].ID):
			all = append(all, Difference{people[0].ID, []string{"no cabinet"}})
			people = people[1:]
		case len(people) == 0 || before(cabinets[0].ID, people[0].ID):
			all = append(all, Difference{cabinets[0].ID, []string{"unknown to the provider"}})
			cabinets = cabinets[1:]
		default:
			if what := cabinets[0].differs(people[0]); what != nil {
				all = append(all, Difference{people[0].ID, what})
			}
			people, cabinets = people[1:], cabinets[1:]
		}
	}
	return all, nil
}

func before(a, b uuid.UUID) bool { return bytes.Compare(a[:], b[:]) < 0 }

// differs names the values that are not as the provider says, and the state where it does not fit the identifier's: an identifier in use
// belongs to an activated cabinet, one of a deactivated cabinet is blocked, and no cabinet is activated by a sign-in from before a deactivation.
func (k kept) differs(p person) (what []string) {
	day := func(at *time.Time) string {
		if at == nil {
			return ""
		}
		return at.Format(time.DateOnly)
	}
	for _, value := range []struct{ name, kept, said string }{
		{"identification_number", k.Number, p.IdentificationNumber},
		{"sex", k.Sex, p.Sex},
		{"birth_date", k.BirthDate, p.BirthDate},
		{"citizenship", k.Citizenship, p.Citizenship},
		{"incapable", day(k.Incapable), day(since(p.Incapable))},
		{"limited", day(k.Limited), day(since(p.Limited))},
		{"gone", k.Reason, string(p.gone())},
	} {
		if value.kept != value.said {
			what = append(what, value.name)
		}
	}
	switch state := profile.State(k.State); {
	case p.Identifier == "active" && state != profile.Activated,
		state == profile.Deactivated && p.Identifier != "none" && p.Identifier != "blocked",
		k.GoneSince:
		what = append(what, "state")
	}
	return what
}

// standstill is how long the cabinet may be behind without coming nearer.
const standstill = time.Minute

// level waits until the cabinet has read what the feed has to say by now, and then all people of whom it has told: what is said meanwhile, which
// may be without an end, is not waited for. It waits for as long as the cabinet goes on reading.
func level(ctx context.Context, pool *pgxpool.Pool, feed Feed, patience time.Duration, waiting func(editions int, pages int64)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	still := time.AfterFunc(patience, func() { cancel(ErrBehind) })
	defer still.Stop()
	moved := func() { still.Reset(patience) }
	err := pass(ctx, pool, feed, moved)
	if err == nil {
		err = readAll(ctx, pool, moved, waiting)
	}
	if err != nil && errors.Is(context.Cause(ctx), ErrBehind) {
		return ErrBehind
	}
	return err
}

// pass waits until the cabinet has read up to what is the end of the feed now.
func pass(ctx context.Context, pool *pgxpool.Pool, feed Feed, moved func()) error {
	var (
		ahead map[string]bool // of the cabinet, up to that end: cursors of entries
		last  string
	)
	for {
		var cursor string
		if err := pool.QueryRow(ctx, `SELECT cursor FROM follow`).Scan(&cursor); err != nil {
			return err
		}
		if cursor != last {
			moved()
			last = cursor
		}
		news, err := feed.changes(ctx, cursor, 0)
		switch {
		case err != nil:
			return err
		case news.anew: // from where it goes on is seen once it has heard so
		case ahead == nil:
			if ahead, err = toTheEnd(ctx, feed, news); err != nil || len(ahead) == 0 {
				return err
			}
		case len(news.Entries) == 0 || !ahead[news.Entries[0].Cursor]:
			return nil
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// toTheEnd gives the cursors of entries, and of those that come after them by now.
func toTheEnd(ctx context.Context, feed Feed, news changes) (cursors map[string]bool, err error) {
	cursors = map[string]bool{}
	for {
		for _, e := range news.Entries {
			cursors[e.Cursor] = true
		}
		if len(news.Entries) < entriesAtOnce {
			return cursors, nil
		}
		if news, err = feed.changes(ctx, news.Cursor, 0); err != nil {
			return nil, err
		}
	}
}

// How many of some editions were not read to the end, how many pages of people were read at all, and whether one is being applied: a first edition
// is all of one page.
const left = `
	SELECT (SELECT count(*) FROM edition WHERE id = ANY ($1) AND read_at IS NULL), pages, NOT EXISTS (SELECT FROM reading FOR SHARE SKIP LOCKED)
	FROM reading`

// unreadEditions are those whose people were not read to the end.
const unreadEditions = `SELECT array_agg(id) FROM edition WHERE read_at IS NULL`

// readAll waits until the people of all editions that are known now were read.
func readAll(ctx context.Context, pool *pgxpool.Pool, moved func(), waiting func(editions int, pages int64)) error {
	var editions []int64
	if err := pool.QueryRow(ctx, unreadEditions).Scan(&editions); err != nil {
		return err
	}
	for first, last := int64(-1), int64(-1); ; {
		var (
			unread  int
			pages   int64
			applied bool
		)
		if err := pool.QueryRow(ctx, left, editions).Scan(&unread, &pages, &applied); err != nil || unread == 0 {
			return err
		}
		if first < 0 {
			first = pages
		}
		if pages != last || applied {
			moved()
			last = pages
		}
		waiting(unread, pages-first)
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(shortPause):
		return nil
	}
}
