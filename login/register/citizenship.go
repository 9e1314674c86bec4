package register

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// A FormerCitizenship is one that somebody had until the register told of another one.
type FormerCitizenship struct {
	Citizenship string    `json:"citizenship"`
	Till        time.Time `json:"till"` // when that was taken in here
}

// FormerCitizenships gives those of people, the first one first. Who has none is left out.
func FormerCitizenships(ctx context.Context, db Querier, people ...uuid.UUID) (map[uuid.UUID][]FormerCitizenship, error) {
	const list = `SELECT person_id, citizenship, at FROM former_citizenship WHERE person_id = ANY ($1) ORDER BY person_id, at, place`
	rows, _ := db.Query(ctx, list, people)
	var (
		all    = map[uuid.UUID][]FormerCitizenship{}
		person uuid.UUID
		was    FormerCitizenship
	)
	_, err := pgx.ForEachRow(rows, []any{&person, &was.Citizenship, &was.Till}, func() error {
		was.Till = was.Till.UTC()
		all[person] = append(all[person], was)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read former citizenships: %w", err)
	}
	return all, nil
}

// history keeps the citizenships that have ended. Of those that an event has ended there is no edition.
func history(ctx context.Context, tx pgx.Tx, e *Edition, at time.Time) error {
	const insert = `
		INSERT INTO former_citizenship (person_id, at, edition_id, citizenship)
		SELECT id, $2, (SELECT id FROM edition WHERE id = $1), was FROM difference WHERE was <> citizenship`
	_, err := tx.Exec(ctx, insert, e.ID, at)
	return err
}
