package signal

import (
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/wall"
)

// A Reader is an e-service that may read a profile while its citizen is away.
type Reader struct {
	ClientID string
	Client   journal.Names
	At       time.Time // since
}

// A Told is what an e-service was told of a citizen, or will be.
type Told struct {
	ClientID string
	Client   journal.Names
	At       time.Time
	Kind     Kind
	Detail   Detail
}

const readers = `
	SELECT client_id, client.name, min(at) FROM reader LEFT JOIN client ON client.id = client_id
	WHERE person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1)
	GROUP BY client_id, client.id ORDER BY client_id`

const told = `
	SELECT client_id, client.name, at, kind, detail FROM signal LEFT JOIN client ON client.id = client_id
	WHERE person_id = (SELECT person_id FROM cabinet WHERE identification_number = $1)
	ORDER BY at, client_id`

// QueueHeld asks for both of a person, as parts of a batch of their own.
func QueueHeld(b *pgx.Batch, subject string, toReaders *[]Reader, toTold *[]Told) {
	wall.Queue(b, subject, "")
	b.Queue(readers, subject).Query(func(rows pgx.Rows) (err error) {
		if *toReaders, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Reader]); err != nil {
			return fmt.Errorf("find who may read: %w", err)
		}
		return nil
	})
	b.Queue(told, subject).Query(func(rows pgx.Rows) (err error) {
		if *toTold, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Told]); err != nil {
			return fmt.Errorf("find what was told: %w", err)
		}
		return nil
	})
}
