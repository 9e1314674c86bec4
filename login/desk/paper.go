package desk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/audit"
)

// Meanings.
var (
	ErrNoAct   = errors.New("no such act of this desk")
	ErrNoPaper = errors.New("no paper is kept with the act")
	ErrPaper   = errors.New("not a scan of a paper")
	ErrKept    = errors.New("another paper is kept with the act")
)

// PaperSize is the most bytes that a scan has.
const PaperSize = 2 << 20

// A Paper is the signed application that an act rests on, scanned.
type Paper struct {
	Kind    string // its media type
	Content []byte
}

// ParsePaper tells what a scan is by what is in it; what is said of it counts for nothing.
func ParsePaper(content []byte) (Paper, error) {
	kind := http.DetectContentType(content)
	whole := false
	switch kind {
	case "application/pdf":
		// Readers look for the end of the file in its last kilobyte.
		whole = bytes.Contains(content[max(0, len(content)-1024):], []byte("%%EOF"))
	case "image/jpeg":
		whole = pictured(jpeg.DecodeConfig(bytes.NewReader(content)))
	case "image/png":
		whole = pictured(png.DecodeConfig(bytes.NewReader(content)))
	}
	if !whole {
		return Paper{}, ErrPaper
	}
	return Paper{kind, content}, nil
}

// pictured tells whether a picture can be one of a sheet of paper: large enough to be read, and not so large that it chokes
// whoever opens it.
func pictured(c image.Config, err error) bool {
	const least, most = 300, 15_000
	return err == nil && min(c.Width, c.Height) >= least && max(c.Width, c.Height) <= most
}

// An ActDone is an act of the desk that a paper may be kept with: a visit at its end, or what is done in one request.
type ActDone struct {
	ID       uuid.UUID
	Person   uuid.UUID
	By       uuid.UUID // who did it
	Clerk    string    // their identification number
	Office   string    // where
	ClientID string    // through which client
	visit    bool
}

// FindAct finds an act. A visit is none before its end.
func (d *Desk) FindAct(ctx context.Context, id uuid.UUID) (ActDone, error) {
	const find = `
		SELECT a.id, a.person_id, a.clerk_id, c.identification_number, a.office, a.client_id, a.visit
		FROM (
			SELECT id, person_id, clerk_id, office, client_id, true AS visit FROM issuance WHERE assigned_at IS NOT NULL
			UNION ALL
			SELECT id, person_id, clerk_id, office, client_id, false FROM desk_act
		) a JOIN person c ON c.id = a.clerk_id
		WHERE a.id = $1`
	var a ActDone
	err := d.pool.QueryRow(ctx, find, id).Scan(&a.ID, &a.Person, &a.By, &a.Clerk, &a.Office, &a.ClientID, &a.visit)
	if errors.Is(err, pgx.ErrNoRows) {
		return ActDone{}, ErrNoAct
	}
	if err != nil {
		return ActDone{}, fmt.Errorf("find act %s: %w", id, err)
	}
	return a, nil
}

// KeepPaper keeps the signed paper with its act, once: what was signed does not change.
// The same paper again is no harm, and not fresh.
func (d *Desk) KeepPaper(ctx context.Context, by By, a ActDone, p Paper) (fresh bool, err error) {
	sealed, err := d.box.Seal(paperPlace(a.ID), p.Content)
	if err != nil {
		return false, err
	}
	const insert = `
		INSERT INTO paper (issuance_id, desk_act_id, kind, content, clerk_id, kept_at)
		VALUES (CASE WHEN $2 THEN $1::uuid END, CASE WHEN NOT $2 THEN $1::uuid END, $3, $4, $5, $6)
		ON CONFLICT (act_id) DO NOTHING`
	at := d.now()
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, insert, a.ID, a.visit, p.Kind, sealed, by.Person, at)
		if err != nil {
			return err
		}
		if fresh = tag.RowsAffected() == 1; fresh {
			return audit.Record(ctx, tx, event(audit.PaperKept, by, a.Person, at))
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("keep the paper of %s: %w", a.ID, err)
	}
	if fresh {
		return true, nil
	}
	kept, err := d.paper(ctx, a.ID)
	if err == nil && !bytes.Equal(kept.Content, p.Content) {
		err = ErrKept
	}
	return false, err
}

// ReadPaper gives the paper of an act to somebody who has a purpose; the person sees in
// the journal that it was read.
func (d *Desk) ReadPaper(ctx context.Context, by By, a ActDone, why Purpose) (Paper, error) {
	p, err := d.paper(ctx, a.ID)
	if err != nil {
		return Paper{}, err
	}
	read := event(audit.PaperRead, by, a.Person, d.now())
	read.Detail = map[string]string{"purpose": string(why)}
	return p, audit.Record(ctx, d.pool, read)
}

func (d *Desk) paper(ctx context.Context, act uuid.UUID) (p Paper, err error) {
	const find = `SELECT kind, content FROM paper WHERE act_id = $1`
	err = d.pool.QueryRow(ctx, find, act).Scan(&p.Kind, &p.Content)
	if errors.Is(err, pgx.ErrNoRows) {
		return Paper{}, ErrNoPaper
	}
	if err == nil {
		p.Content, err = d.box.Open(paperPlace(act), p.Content)
	}
	if err != nil {
		return Paper{}, fmt.Errorf("find the paper of %s: %w", act, err)
	}
	return p, nil
}

// paperPlace is where a paper lies, and opens.
func paperPlace(act uuid.UUID) string { return "paper:content:" + act.String() }
