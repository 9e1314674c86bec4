package login

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"asoba.example/login/identity"
	"asoba.example/login/register"
	"asoba.example/provider/api"
)

// People are the doors of the management API where the feed's consumers read whom
// an edition of the register touched, and everybody.
type People struct {
	Register *register.Register
	// States gives how the identifiers of people stand; who has none is left out.
	States func(ctx context.Context, people []uuid.UUID) (map[uuid.UUID]identity.State, error)
	Tokens interface {
		Require(w http.ResponseWriter, r *http.Request, scope string) (api.Token, error)
	}
}

// typeCSV is the other form of an edition's people (RFC 7111).
const typeCSV = "text/csv"

// Streams tells the requests that last: everybody is read at once.
func Streams(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/register/editions/") && r.Header.Get("Accept") == typeCSV
}

// Mount puts the doors on the management API.
func (p People) Mount(mux api.Mux) {
	mux.Handle("GET /register/editions/{edition}/people", api.Handler(p.touched))
	mux.Handle("GET /register/people", api.Handler(p.everybody))
}

// touched handles GET /register/editions/{edition}/people?after=&limit=; as CSV, without a limit, all of them.
func (p People) touched(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.Tokens.Require(w, r, "changes:read"); err != nil {
		return err
	}
	edition, err := strconv.ParseInt(r.PathValue("edition"), 10, 64)
	if err != nil {
		return api.Refuse(http.StatusNotFound, "unknown_edition", nil)
	}
	if r.Header.Get("Accept") == typeCSV {
		after, err := afterWhom(r)
		if err != nil {
			return err
		}
		w.Header().Set("Content-Type", typeCSV)
		written, err := p.Register.CopyTouched(r.Context(), edition, after, api.Number(r, "limit", 0), w)
		if err != nil && written > 0 {
			api.Note(r, err)
			panic(http.ErrAbortHandler) // a part must not look like the whole
		}
		return err
	}
	return p.page(w, r, func(after uuid.UUID, limit int) ([]register.Person, map[uuid.UUID]identity.State, error) {
		people, err := p.Register.Touched(r.Context(), edition, after, limit)
		return people, nil, err
	})
}

// everybody handles GET /register/people?after=&limit=.
func (p People) everybody(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.Tokens.Require(w, r, "changes:read"); err != nil {
		return err
	}
	return p.page(w, r, func(after uuid.UUID, limit int) ([]register.Person, map[uuid.UUID]identity.State, error) {
		people, err := p.Register.Everybody(r.Context(), after, limit)
		if err != nil {
			return nil, nil, err
		}
		ids := make([]uuid.UUID, len(people))
		for i, person := range people {
			ids[i] = person.ID
		}
		states, err := p.States(r.Context(), ids)
		return people, states, err
	})
}

// afterWhom is the person after whom people are read; uuid.Nil: from the beginning.
func afterWhom(r *http.Request) (after uuid.UUID, err error) {
	if s := r.URL.Query().Get("after"); s != "" {
		if after, err = uuid.Parse(s); err != nil {
			return uuid.Nil, api.RefuseParameter("after", errors.New("not an id")) // its text quotes what was sent
		}
	}
	return after, nil
}

// page answers with a page of people, and how their identifiers stand where that is read too.
func (p People) page(w http.ResponseWriter, r *http.Request, read func(after uuid.UUID, limit int) ([]register.Person, map[uuid.UUID]identity.State, error)) error {
	limit := api.Number(r, "limit", 1_000)
	after, err := afterWhom(r)
	if err != nil {
		return err
	}
	found, states, err := read(after, limit+1) // one more tells whether there is another page
	if err != nil {
		return err
	}
	type fact struct {
		Date string `json:"date"`
		Act  string `json:"act,omitempty"`
	}
	type person struct {
		ID                   uuid.UUID      `json:"id"`
		IdentificationNumber string         `json:"identification_number"`
		Sex                  string         `json:"sex"`
		BirthDate            string         `json:"birth_date"`
		Citizenship          string         `json:"citizenship"`
		Death                *fact          `json:"death,omitempty"`
		DeclaredDead         *fact          `json:"declared_dead,omitempty"`
		Missing              *fact          `json:"missing,omitempty"`
		Incapable            *fact          `json:"incapable,omitempty"`
		Limited              *fact          `json:"limited,omitempty"`
		DeactivatedFor       string         `json:"deactivated_for,omitempty"`
		Identifier           identity.State `json:"identifier,omitempty"`

		FormerCitizenships []register.FormerCitizenship `json:"former_citizenships,omitempty"`
	}
	held := func(f register.Fact) *fact {
		if f.Date == "" {
			return nil
		}
		return &fact{Date: f.Date, Act: f.Act}
	}
	var answer struct {
		People []person   `json:"people"`
		Next   *uuid.UUID `json:"next,omitempty"`
	}
	if len(found) > limit {
		found = found[:limit]
		answer.Next = &found[limit-1].ID
	}
	ids := make([]uuid.UUID, len(found))
	for i, f := range found {
		ids[i] = f.ID
	}
	former, err := register.FormerCitizenships(r.Context(), p.Register.Pool, ids...)
	if err != nil {
		return err
	}
	answer.People = make([]person, len(found))
	for i, f := range found {
		answer.People[i] = person{
			ID: f.ID, IdentificationNumber: f.IdentificationNumber,
			Sex: f.Sex, BirthDate: f.BirthDate, Citizenship: f.Citizenship,
			Death: held(f.Death), DeclaredDead: held(f.DeclaredDead), Missing: held(f.Missing),
			Incapable: held(f.Incapable), Limited: held(f.Limited), DeactivatedFor: f.DeactivatedFor, FormerCitizenships: former[f.ID],
		}
		if states != nil {
			answer.People[i].Identifier = cmp.Or(states[f.ID], identity.None)
		}
	}
	return api.Write(w, http.StatusOK, answer)
}
