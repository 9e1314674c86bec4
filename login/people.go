package login

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/google/uuid"

	"asoba.example/login/register"
	"asoba.example/provider/api"
)

// People is the door of the management API where the feed's consumers read whom
// an edition of the register touched.
type People struct {
	Register *register.Register
	Tokens   interface {
		Require(w http.ResponseWriter, r *http.Request, scope string) (api.Token, error)
	}
}

// Mount puts the door on the management API.
func (p People) Mount(mux api.Mux) {
	mux.Handle("GET /register/editions/{edition}/people", api.Handler(p.read))
}

// read handles GET /register/editions/{edition}/people?after=&limit=.
func (p People) read(w http.ResponseWriter, r *http.Request) error {
	if _, err := p.Tokens.Require(w, r, "changes:read"); err != nil {
		return err
	}
	edition, err := strconv.ParseInt(r.PathValue("edition"), 10, 64)
	if err != nil {
		return api.Refuse(http.StatusNotFound, "unknown_edition", nil)
	}
	limit := api.Number(r, "limit", 1_000)
	var after uuid.UUID
	if s := r.URL.Query().Get("after"); s != "" {
		if after, err = uuid.Parse(s); err != nil {
			return api.RefuseParameter("after", errors.New("not an id")) // its text quotes what was sent
		}
	}
	touched, err := p.Register.Touched(r.Context(), edition, after, limit+1) // one more tells whether there is another page
	if err != nil {
		return err
	}
	type fact struct {
		Date string `json:"date"`
		Act  string `json:"act,omitempty"`
	}
	type person struct {
		ID                   uuid.UUID `json:"id"`
		IdentificationNumber string    `json:"identification_number"`
		Sex                  string    `json:"sex"`
		BirthDate            string    `json:"birth_date"`
		Citizenship          string    `json:"citizenship"`
		Death                *fact     `json:"death,omitempty"`
		DeclaredDead         *fact     `json:"declared_dead,omitempty"`
		Missing              *fact     `json:"missing,omitempty"`
		Incapable            *fact     `json:"incapable,omitempty"`
		Limited              *fact     `json:"limited,omitempty"`
		DeactivatedFor       string    `json:"deactivated_for,omitempty"`
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
	if len(touched) > limit {
		touched = touched[:limit]
		answer.Next = &touched[limit-1].ID
	}
	answer.People = make([]person, len(touched))
	for i, t := range touched {
		answer.People[i] = person{
			ID: t.ID, IdentificationNumber: t.IdentificationNumber,
			Sex: t.Sex, BirthDate: t.BirthDate, Citizenship: t.Citizenship,
			Death: held(t.Death), DeclaredDead: held(t.DeclaredDead), Missing: held(t.Missing),
			Incapable: held(t.Incapable), Limited: held(t.Limited), DeactivatedFor: t.DeactivatedFor,
		}
	}
	return api.Write(w, http.StatusOK, answer)
}
