package follow

import (
	"bytes"
	"cmp"
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
}

// Verify compares all cabinets with the register, as the provider has it, and names whose differ though the feed was followed to its end:
// whoever differs at first is looked at again once the cabinet is level with the feed. progress is told how many people were compared.
func Verify(ctx context.Context, pool *pgxpool.Pool, feed Feed, progress func(people int)) (found []Difference, err error) {
	var suspects []uuid.UUID
	for after, people := uuid.Nil, 0; ; {
		page, err := feed.everybody(ctx, after, peopleAtOnce)
		if err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
		till := uuid.Max
		if page.Next != nil {
			till = *page.Next
		}
		differ, err := compare(ctx, pool, page.People, after, till)
		if err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
		for _, d := range differ {
			suspects = append(suspects, d.Person)
		}
		people += len(page.People)
		progress(people)
		if page.Next == nil {
			break
		}
		after = till
	}
	if len(suspects) == 0 {
		return nil, nil
	}
	if err := level(ctx, pool, feed); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	for _, who := range suspects {
		before := previous(who)
		page, err := feed.everybody(ctx, before, 1)
		if err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
		page.People = slices.DeleteFunc(page.People, func(p person) bool { return p.ID != who })
		differ, err := compare(ctx, pool, page.People, before, who)
		if err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
		found = append(found, differ...)
	}
	return found, nil
}

// previous is the id before one.
func previous(id uuid.UUID) uuid.UUID {
	for i := len(id) - 1; ; i-- {
		id[i]--
		if id[i] != 0xff { // nothing was borrowed
			return id
		}
	}
}

// compare compares people, in the order of their ids, with the cabinets of those after one and up to another.
func compare(ctx context.Context, pool *pgxpool.Pool, people []person, after, till uuid.UUID) ([]Difference, error) {
	const list = `
		SELECT person_id AS id, coalesce(identification_number, '') AS number, state, coalesce(state_reason, '') AS reason, sex, birth_date, citizenship,
		       incapable_date AS incapable, limited_date AS limited
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
// belongs to an activated cabinet, and one of a deactivated cabinet is blocked.
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
	if p.Identifier == "active" && k.State != string(profile.Activated) || k.State == string(profile.Deactivated) && p.Identifier != "none" && p.Identifier != "blocked" {
		what = append(what, "state")
	}
	return what
}

// level waits until the cabinet has read the feed to its end, and all people that it told of.
func level(ctx context.Context, pool *pgxpool.Pool, feed Feed) error {
	const read = `SELECT cursor, EXISTS (SELECT FROM edition WHERE read_at IS NULL) FROM follow`
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var (
			cursor string
			unread bool
		)
		if err := pool.QueryRow(ctx, read).Scan(&cursor, &unread); err != nil {
			return cmp.Or(behind(ctx), err)
		}
		news, err := feed.changes(ctx, cursor)
		switch {
		case err != nil:
			return cmp.Or(behind(ctx), err)
		case len(news.Entries) == 0 && !news.anew && !unread:
			return nil
		}
		select {
		case <-ctx.Done():
			return ErrBehind
		case <-time.After(shortPause):
		}
	}
}

func behind(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ErrBehind
	}
	return nil
}
