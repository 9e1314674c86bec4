package operator

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/policy"
	"asoba.example/login/register"
	"asoba.example/provider/api"
	"asoba.example/provider/pair"
)

// Editions are the doors of the population register's editions, and of what it tells between them. A system of the operator's brings them in and reads of them in its own name,
// and so do operators; on one that waits people decide.
type Editions struct {
	Register     *register.Register
	Restorations *Restorations
	Gate         clerk.Gate
	Policies     *policy.Policies
}

// RegisterScope is what a token needs at these doors.
const RegisterScope = "register:manage"

// maxFile is the most bytes of a register's file: a hundred for each of a hundred million people.
const maxFile = 10 << 30

// Mount opens the doors.
func (d *Editions) Mount(mux api.Mux) {
	mux.Handle("POST /register/editions", api.Handler(d.bring))
	mux.Handle("GET /register/editions", api.Handler(d.list))
	mux.Handle("GET /register/editions/{edition}", api.Handler(d.find))
	mux.Handle("GET /register/editions/{edition}/bad-rows", api.Handler(d.badRows))
	mux.Handle("GET /register/editions/{edition}/missing", d.people(d.Register.Missing))
	mux.Handle("GET /register/editions/{edition}/deactivated", d.people(d.Register.Deactivated))
	mux.Handle("POST /register/editions/{edition}/release", d.decide(d.Register.Release))
	mux.Handle("POST /register/editions/{edition}/refuse", d.decide(d.Register.Refuse))
	mux.Handle("POST /register/editions/{edition}/withdraw", api.Handler(d.withdraw))
	mux.Handle("POST /register/events", api.Handler(d.event))
	mux.Handle("GET /register/restorations", api.Handler(d.listRestorations))
	mux.Handle("POST /register/restorations", api.Handler(d.proposeRestoration))
	mux.Handle("POST /register/restorations/{id}/undo", api.Handler(d.proposeUndo))
	mux.Handle("POST /register/restorations/{id}/approve", d.decideRestoration(d.Restorations.Approve))
	mux.Handle("POST /register/restorations/{id}/refuse", d.decideRestoration(d.Restorations.Refuse))
	mux.Handle("POST /register/restorations/{id}/withdraw", d.decideRestoration(d.Restorations.Withdraw))
}

// Streams tells the requests that last: a file comes, or an edition is applied.
func Streams(r *http.Request) bool {
	return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/register/editions")
}

// enter admits a system, which it names, or an operator who has signed in within a time where one is given.
func (d *Editions) enter(w http.ResponseWriter, r *http.Request, within time.Duration) (by uuid.UUID, client string, err error) {
	token, err := d.Gate.Tokens.Require(w, r, RegisterScope)
	if err != nil || token.ByClient() {
		return uuid.Nil, token.ClientID, err
	}
	c, err := d.Gate.Own(w, r, token, clerk.Import, within)
	return c.Person, "", err
}

// bring handles POST /register/editions?dry_run=: the file comes as it is, however large, and is imported while the caller waits.
func (d *Editions) bring(w http.ResponseWriter, r *http.Request) error {
	by, client, err := d.enter(w, r, 2*policy.FreshFor.In(d.Policies))
	if err != nil {
		return err
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "text/csv" {
		return api.Refuse(http.StatusUnsupportedMediaType, "not_csv", err)
	}
	signature, err := base64.StdEncoding.DecodeString(r.Header.Get("Edition-Signature"))
	if err != nil {
		return editionRefusal(register.ErrSignature)
	}
	file, err := os.CreateTemp("", "edition-*")
	if err != nil {
		return err
	}
	defer file.Close()
	if err := os.Remove(file.Name()); err != nil { // nobody else finds whom it tells of, and it goes with the process
		return err
	}
	_, err = io.Copy(file, http.MaxBytesReader(w, r.Body, maxFile))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return api.Refuse(http.StatusRequestEntityTooLarge, "too_large", err)
	}
	if err != nil {
		return api.Refuse(http.StatusBadRequest, "invalid_body", err)
	}
	dry := r.URL.Query().Get("dry_run") == "true"
	bring := d.Register.Import
	if dry {
		bring = d.Register.Try
	}
	report, err := bring(r.Context(), register.Order{
		File: file, Signature: signature, Checksum: contentDigest(r.Header), By: by, ClientID: client, At: d.Gate.Now(), Progress: func(int64, int64) {},
	})
	told := toldReport{Edition: tellEdition(report.Edition), BadRows: tellBadRows(report.Bad)}
	if errors.Is(err, register.ErrBad) {
		return refuseBad(report.ID, told, err)
	}
	if err != nil {
		return editionRefusal(err)
	}
	status := http.StatusCreated
	if dry || report.Again {
		status = http.StatusOK
	} else {
		w.Header().Set("Location", editionPath(report.ID))
	}
	return api.Write(w, status, struct {
		toldEdition
		DryRun  bool         `json:"dry_run,omitempty"`
		Again   bool         `json:"again,omitempty"`
		Behind  bool         `json:"behind,omitempty"`
		BadRows []toldBadRow `json:"bad_rows"`
	}{told.Edition, dry, report.Again, report.Behind, told.BadRows})
}

// contentDigest gives the SHA-256 that a request says its body has (RFC 9530 §2); nil where it says none. What is badly written is no body's.
func contentDigest(h http.Header) []byte {
	for _, digest := range strings.Split(strings.Join(h.Values("Content-Digest"), ","), ",") {
		text, told := strings.CutPrefix(strings.TrimSpace(digest), "sha-256=")
		if !told {
			continue
		}
		sum, err := base64.StdEncoding.DecodeString(strings.Trim(text, ":"))
		if err != nil || sum == nil {
			return []byte{}
		}
		return sum
	}
	return nil
}

// A toldReport is what is told of a file that is refused.
type toldReport struct {
	Edition toldEdition  `json:"edition"`
	BadRows []toldBadRow `json:"bad_rows"`
}

// refuseBad refuses a file of too many bad rows. Where the refusal is on record, they are read there as well.
func refuseBad(id int64, told toldReport, cause error) error {
	err := api.Tell(http.StatusUnprocessableEntity, "too_many_bad_rows", told, cause)
	if problem, ok := errors.AsType[*api.Problem](err); ok && id != 0 {
		problem.Instance = editionPath(id)
	}
	return err
}

func editionPath(id int64) string { return "/register/editions/" + strconv.FormatInt(id, 10) }

// A toldEdition is an edition as the API tells it.
type toldEdition struct {
	ID          int64          `json:"id,omitempty"`
	Number      int            `json:"number"`
	Period      string         `json:"period"`
	AsOf        *time.Time     `json:"as_of,omitempty"`
	Kind        register.Kind  `json:"kind"`
	State       register.State `json:"state"`
	Checksum    string         `json:"checksum"`
	Signed      bool           `json:"signed"`
	Rows        int64          `json:"rows"`
	Added       int64          `json:"added"`
	Changed     int64          `json:"changed"`
	Same        int64          `json:"same"`
	Rejected    int64          `json:"rejected"`
	Doubtful    int64          `json:"doubtful"`
	Deactivated int64          `json:"deactivated"`
	Restored    int64          `json:"restored"`
	Missing     int64          `json:"missing"`
	Withheld    int64          `json:"withheld"`
	ImportedBy  *uuid.UUID     `json:"imported_by,omitempty"`
	ClientID    string         `json:"client_id,omitempty"`
	BeganAt     time.Time      `json:"began_at"`
	DecidedBy   *uuid.UUID     `json:"decided_by,omitempty"`
	DecidedAt   *time.Time     `json:"decided_at,omitempty"`
	AppliedAt   *time.Time     `json:"applied_at,omitempty"`
}

func tellEdition(e register.Edition) toldEdition {
	utc := func(at *time.Time) *time.Time {
		if at == nil {
			return nil
		}
		return new(at.UTC())
	}
	return toldEdition{
		ID: e.ID, Number: e.Number, Period: e.Period.Format("2006-01"), AsOf: utc(e.AsOf), Kind: e.Kind, State: e.State, Checksum: hex.EncodeToString(e.Checksum),
		Signed: e.Signed, Rows: e.Announced, Added: e.Added, Changed: e.Changed, Same: e.Same, Rejected: e.Rejected, Doubtful: e.Doubtful,
		Deactivated: e.Deactivated, Restored: e.Restored, Missing: e.Missing, Withheld: e.Withheld, ImportedBy: e.ImportedBy, ClientID: e.ClientID,
		BeganAt: e.BeganAt.UTC(), DecidedBy: e.DecidedBy, DecidedAt: utc(e.DecidedAt), AppliedAt: utc(e.AppliedAt),
	}
}

// A toldBadRow is a bad row as the API tells it.
type toldBadRow struct {
	Line   int64  `json:"line"`
	Column string `json:"column,omitempty"`
	Reason string `json:"reason"`
	Taken  bool   `json:"taken,omitempty"`
}

func tellBadRows(rows []register.BadRow) []toldBadRow {
	all := make([]toldBadRow, len(rows))
	for i, row := range rows {
		all[i] = toldBadRow(row)
	}
	return all
}

// list handles GET /register/editions?before=&limit=.
func (d *Editions) list(w http.ResponseWriter, r *http.Request) error {
	if _, _, err := d.enter(w, r, 0); err != nil {
		return err
	}
	limit := api.Number(r, "limit", 100)
	found, err := d.Register.Editions(r.Context(), int64(api.Number(r, "before", 0)), limit+1) // one more tells whether there is another page
	if err != nil {
		return err
	}
	var answer struct {
		Editions []toldEdition `json:"editions"`
		Next     int64         `json:"next,omitempty"`
	}
	if len(found) > limit {
		found = found[:limit]
		answer.Next = found[limit-1].ID
	}
	answer.Editions = make([]toldEdition, len(found))
	for i, e := range found {
		answer.Editions[i] = tellEdition(e)
	}
	return api.Write(w, http.StatusOK, answer)
}

// editionOf is the edition that the path names.
func editionOf(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("edition"), 10, 64)
	if err != nil {
		return 0, editionRefusal(register.ErrNoEdition)
	}
	return id, nil
}

// find handles GET /register/editions/{edition}.
func (d *Editions) find(w http.ResponseWriter, r *http.Request) error {
	if _, _, err := d.enter(w, r, 0); err != nil {
		return err
	}
	id, err := editionOf(r)
	if err != nil {
		return err
	}
	e, err := d.Register.Edition(r.Context(), id)
	if err != nil {
		return editionRefusal(err)
	}
	return api.Write(w, http.StatusOK, tellEdition(e))
}

// badRows handles GET /register/editions/{edition}/bad-rows.
func (d *Editions) badRows(w http.ResponseWriter, r *http.Request) error {
	if _, _, err := d.enter(w, r, 0); err != nil {
		return err
	}
	id, err := editionOf(r)
	if err != nil {
		return err
	}
	rows, err := d.Register.BadRows(r.Context(), id)
	if err != nil {
		return editionRefusal(err)
	}
	return api.Write(w, http.StatusOK, struct {
		BadRows []toldBadRow `json:"bad_rows"`
	}{tellBadRows(rows)})
}

// people handles GET /register/editions/{edition}/missing and /deactivated?after=&limit=.
func (d *Editions) people(list func(context.Context, int64, uuid.UUID, int) ([]register.Person, error)) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, _, err := d.enter(w, r, 0); err != nil {
			return err
		}
		id, err := editionOf(r)
		if err != nil {
			return err
		}
		limit := api.Number(r, "limit", 1_000)
		var after uuid.UUID
		if s := r.URL.Query().Get("after"); s != "" {
			if after, err = uuid.Parse(s); err != nil {
				return api.RefuseParameter("after", errors.New("not an id")) // its text quotes what was sent
			}
		}
		people, err := list(r.Context(), id, after, limit+1)
		if err != nil {
			return editionRefusal(err)
		}
		type person struct {
			ID                   uuid.UUID `json:"id"`
			IdentificationNumber string    `json:"identification_number"`
		}
		var answer struct {
			People []person   `json:"people"`
			Next   *uuid.UUID `json:"next,omitempty"`
		}
		if len(people) > limit {
			people = people[:limit]
			answer.Next = &people[limit-1].ID
		}
		answer.People = make([]person, len(people))
		for i, p := range people {
			answer.People[i] = person{p.ID, p.IdentificationNumber}
		}
		return api.Write(w, http.StatusOK, answer)
	}
}

// decide handles POST /register/editions/{edition}/release and /refuse.
func (d *Editions) decide(decide func(context.Context, int64, uuid.UUID, time.Time) (register.Edition, error)) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		by, err := d.Gate.Enter(w, r, RegisterScope, clerk.Import, 2*policy.FreshFor.In(d.Policies))
		if err != nil {
			return err
		}
		id, err := editionOf(r)
		if err != nil {
			return err
		}
		e, err := decide(r.Context(), id, by.Person, d.Gate.Now())
		if err != nil {
			return editionRefusal(err)
		}
		return api.Write(w, http.StatusOK, tellEdition(e))
	}
}

// withdraw handles POST /register/editions/{edition}/withdraw.
func (d *Editions) withdraw(w http.ResponseWriter, r *http.Request) error {
	by, client, err := d.enter(w, r, 2*policy.FreshFor.In(d.Policies))
	if err != nil {
		return err
	}
	id, err := editionOf(r)
	if err != nil {
		return err
	}
	e, err := d.Register.Withdraw(r.Context(), id, by, client, d.Gate.Now())
	if err != nil {
		return editionRefusal(err)
	}
	return api.Write(w, http.StatusOK, tellEdition(e))
}

// editionRefusal is the whole vocabulary of refusals of what the register says.
func editionRefusal(err error) error {
	if decided, ok := errors.AsType[*pair.DecidedError](err); ok {
		return api.Explain(http.StatusConflict, "decided", decided, err)
	}
	for _, known := range []struct {
		meaning error
		status  int
		code    string
	}{
		{register.ErrFile, http.StatusUnprocessableEntity, "not_a_register_file"},
		{register.ErrShort, http.StatusUnprocessableEntity, "damaged_file"},
		{register.ErrEncoding, http.StatusUnprocessableEntity, "not_utf8"},
		{register.ErrCountry, http.StatusUnprocessableEntity, "other_country"},
		{register.ErrSum, http.StatusUnprocessableEntity, "wrong_digest"},
		{register.ErrUnsigned, http.StatusUnprocessableEntity, "unsigned"},
		{register.ErrSignature, http.StatusUnprocessableEntity, "wrong_signature"},
		{register.ErrOlder, http.StatusConflict, "older_edition"},
		{register.ErrOther, http.StatusConflict, "other_file"},
		{register.ErrGap, http.StatusConflict, "edition_gap"},
		{register.ErrFar, http.StatusConflict, "edition_gap"},
		{register.ErrMonth, http.StatusConflict, "wrong_month"},
		{register.ErrAhead, http.StatusConflict, "wrong_month"},
		{register.ErrEarly, http.StatusConflict, "early_edition"},
		{register.ErrWaits, http.StatusConflict, "edition_waits"},
		{register.ErrBusy, http.StatusConflict, "import_under_way"},
		{register.ErrStaging, http.StatusConflict, "edition_unread"},
		{register.ErrNotWaiting, http.StatusConflict, "not_waiting"},
		{register.ErrNeverWaited, http.StatusConflict, "never_waited"},
		{register.ErrLost, http.StatusConflict, "edition_lost"},
		{register.ErrOtherEvent, http.StatusConflict, "other_event"},
		{register.ErrOlderEvent, http.StatusConflict, "older_event"},
		{register.ErrNumberTaken, http.StatusConflict, "number_taken"},
		{register.ErrTwoPeople, http.StatusConflict, "two_people"},
		{register.ErrManyJoined, http.StatusConflict, "too_many_joined"},
		{register.ErrFormer, http.StatusConflict, "unknown_former"},
		{register.ErrManyGone, http.StatusConflict, "too_many_deactivated"},
		{register.ErrNoEdition, http.StatusNotFound, "unknown_edition"},
		{pair.ErrOwn, http.StatusForbidden, "own_proposal"},
		{clerk.ErrRole, http.StatusForbidden, "wrong_role"},
	} {
		if !errors.Is(err, known.meaning) {
			continue
		}
		if file, ok := errors.AsType[*register.FileError](err); ok {
			return api.Explain(known.status, known.code, file, err)
		}
		return api.Refuse(known.status, known.code, err)
	}
	return err
}
