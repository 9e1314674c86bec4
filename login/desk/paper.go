package desk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/clerk"
	"asoba.example/provider/audit"
)

// Meanings.
var (
	ErrNoAct   = errors.New("no such act of this desk")
	ErrNoPaper = errors.New("no paper is kept with the act")
	ErrPaper   = errors.New("not a scan of a paper")
	ErrPapers  = errors.New("as many papers are kept with the act as may be")
)

// PaperSize is the most bytes that a scan has.
const PaperSize = 2 << 20

// papersOfAct is how many scans a clerk keeps with an act. Whoever has not got it right by then calls a supervisor, who may keep as
// many again.
const papersOfAct = 5

// mostPapers is how many scans an act may come to have by somebody.
func (by By) mostPapers() int {
	if by.May(clerk.Supervise) {
		return 2 * papersOfAct
	}
	return papersOfAct
}

// A Paper is the signed application that an act rests on, scanned.
type Paper struct {
	Number  int    // of those of its act, from 1
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
	return Paper{Kind: kind, Content: content}, nil
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

// keepPaper and readPaper name what is done with a paper among the acts.
const (
	keepPaper = "keep_paper"
	readPaper = "read_paper"
)

// MayBring counts a scan before it is read, or refuses it. The same once more counts as well, for it is as much to read; but acts are
// counted apart, so whoever did not hear the answer brings it again and may act no less.
func (d *Desk) MayBring(ctx context.Context, by By) error { return d.admit(ctx, by, keepPaper) }

// KeepPaper keeps the signed paper with its act. Another one puts a wrong scan right: that stays, as superseded, and the newest is
// what is read. It gives the number that the scan has among those of its act; who brings the newest once more is told of it again. Nobody
// keeps that of an act upon himself.
func (d *Desk) KeepPaper(ctx context.Context, by By, a ActDone, p Paper) (number int, err error) {
	if a.Person == by.Person {
		return 0, d.record(ctx, &GuardError{Code: "g9"}, by, a.Person, keepPaper)
	}
	sealed, err := d.box.Seal(paperPlace(a.ID), p.Content)
	if err != nil {
		return 0, err
	}
	const insert = `
		INSERT INTO paper (issuance_id, desk_act_id, kind, content, clerk_id, kept_at)
		VALUES (CASE WHEN $2 THEN $1::uuid END, CASE WHEN NOT $2 THEN $1::uuid END, $3, $4, $5, $6)
		ON CONFLICT (act_id) DO NOTHING`
	const replace = `UPDATE paper SET kind = $2, content = $3, clerk_id = $4, kept_at = $5 WHERE act_id = $1`
	at := d.now()
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, insert, a.ID, a.visit, p.Kind, sealed, by.Person, at)
		if err != nil {
			return err
		}
		p.Number = 1
		if tag.RowsAffected() == 0 {
			var same bool
			if p.Number, same, err = d.supersede(ctx, tx, by, a.ID, p, at); err != nil || same {
				return err
			}
			if _, err := tx.Exec(ctx, replace, a.ID, p.Kind, sealed, by.Person, at); err != nil {
				return err
			}
		}
		kept := p.event(audit.PaperKept, by, a.Person, at)
		kept.Detail["sha256"] = fmt.Sprintf("%x", sha256.Sum256(p.Content))
		return audit.Record(ctx, tx, kept)
	})
	if err != nil {
		return 0, fmt.Errorf("keep the paper of %s: %w", a.ID, err)
	}
	return p.Number, nil
}

// supersede puts the paper that an act has beside it, to make room for another one, and gives the number of that; or of the one that is
// there, where it is the same.
func (d *Desk) supersede(ctx context.Context, tx pgx.Tx, by By, act uuid.UUID, p Paper, at time.Time) (number int, same bool, err error) {
	const present = `SELECT content FROM paper WHERE act_id = $1 FOR UPDATE`
	const count = `SELECT 1 + count(*) FROM superseded_paper WHERE act_id = $1`
	const keep = `
		INSERT INTO superseded_paper (id, act_id, number, kind, content, clerk_id, kept_at, superseded_at)
		SELECT $2, act_id, $3, kind, $4, clerk_id, kept_at, $5 FROM paper WHERE act_id = $1`
	var sealed []byte
	if err := tx.QueryRow(ctx, present, act).Scan(&sealed); err != nil {
		return 0, false, err
	}
	if err := tx.QueryRow(ctx, count, act).Scan(&number); err != nil { // once nobody else adds to them
		return 0, false, err
	}
	former, err := d.box.Open(paperPlace(act), sealed)
	if err != nil || bytes.Equal(former, p.Content) {
		return number, err == nil, err
	}
	if number >= by.mostPapers() {
		return 0, false, ErrPapers
	}
	id, err := uuid.NewV7()
	if err != nil {
		return 0, false, err
	}
	if sealed, err = d.box.Seal(supersededPlace(id), former); err != nil {
		return 0, false, err
	}
	_, err = tx.Exec(ctx, keep, act, id, number, sealed, at)
	return number + 1, false, err
}

// event is the record of what was done with a paper.
func (p Paper) event(kind audit.Kind, by By, person uuid.UUID, at time.Time) audit.Event {
	e := event(kind, by, person, at)
	e.Detail = map[string]string{"number": strconv.Itoa(p.Number)}
	return e
}

// ReadPaper gives the paper of an act by its number, or the newest where that is 0, to somebody who has a purpose; the person
// sees in the journal that it was read. Nobody reads that of an act upon himself.
func (d *Desk) ReadPaper(ctx context.Context, by By, a ActDone, number int, why Purpose) (Paper, error) {
	if err := d.admit(ctx, by, readPaper); err != nil {
		return Paper{}, err
	}
	if a.Person == by.Person {
		return Paper{}, d.record(ctx, &GuardError{Code: "g9"}, by, a.Person, readPaper)
	}
	p, err := d.paper(ctx, a.ID, number)
	if err != nil {
		return Paper{}, err
	}
	read := p.event(audit.PaperRead, by, a.Person, d.now())
	read.Detail["purpose"] = string(why)
	return p, d.recordReading(ctx, read, by, readPaper)
}

// paper finds a paper of an act by its number, or the newest where that is 0.
func (d *Desk) paper(ctx context.Context, act uuid.UUID, number int) (p Paper, err error) {
	const find = `
		SELECT id, number, kind, content FROM (
			SELECT NULL::uuid AS id, 1 + (SELECT count(*) FROM superseded_paper WHERE act_id = $1) AS number, kind, content
			FROM paper WHERE act_id = $1
			UNION ALL
			SELECT id, number, kind, content FROM superseded_paper WHERE act_id = $1
		) AS kept
		WHERE $2::bigint IN (0, number) ORDER BY number DESC LIMIT 1`
	var superseded *uuid.UUID
	err = d.pool.QueryRow(ctx, find, act, number).Scan(&superseded, &p.Number, &p.Kind, &p.Content)
	if errors.Is(err, pgx.ErrNoRows) {
		return Paper{}, ErrNoPaper
	}
	place := paperPlace(act)
	if superseded != nil {
		place = supersededPlace(*superseded)
	}
	if err == nil {
		p.Content, err = d.box.Open(place, p.Content)
	}
	if err != nil {
		return Paper{}, fmt.Errorf("find the paper of %s: %w", act, err)
	}
	return p, nil
}

// paperPlace is where the paper of an act lies, and opens; supersededPlace where one does that it had before.
func paperPlace(act uuid.UUID) string     { return "paper:content:" + act.String() }
func supersededPlace(id uuid.UUID) string { return "superseded_paper:content:" + id.String() }
