package cabinet

import (
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/provider/api"
)

// A source is who says an official value, since when it stands so here, and on what basis.
type source struct {
	Source string    `json:"source"`
	Since  time.Time `json:"since"`
	Basis  string    `json:"basis"`
}

// apiProfile is a profile as e-services read it.
type apiProfile struct {
	Subject     string            `json:"sub"`
	State       profile.State     `json:"state"`
	StateAt     time.Time         `json:"state_at"`
	Sex         string            `json:"sex"`
	BirthDate   string            `json:"birth_date"`
	Citizenship string            `json:"citizenship"`
	Incapable   string            `json:"incapable_since,omitempty"`
	Limited     string            `json:"limited_since,omitempty"`
	UpdatedAt   time.Time         `json:"updated_at"`
	Sources     map[string]source `json:"sources"` // by the member that each is of
}

func apiProfileOf(subject string, p profile.Profile) apiProfile {
	say := func(field string) source {
		return source{Source: "population_register", Since: p.Since(field).UTC(), Basis: "order 82, p. 5"}
	}
	told := apiProfile{
		Subject: subject, State: p.State, StateAt: p.StateAt.UTC(), Sex: p.Sex, BirthDate: p.BirthDate, Citizenship: p.Citizenship,
		Incapable: day(p.Incapable), Limited: day(p.Limited), UpdatedAt: p.UpdatedAt.UTC(),
		Sources: map[string]source{
			"sub": say("identification_number"), "sex": say("sex"), "birth_date": say("birth_date"), "citizenship": say("citizenship"),
		},
	}
	if p.Incapable != nil {
		told.Sources["incapable_since"] = say("incapable")
	}
	if p.Limited != nil {
		told.Sources["limited_since"] = say("limited")
	}
	return told
}

// apiProfile handles GET /api/v1/profile.
func (c *Cabinet) apiProfile(w http.ResponseWriter, r *http.Request) error {
	var (
		of    string
		found profile.Profile
	)
	err := c.enter(w, r, journal.ProfileRead, func(b *pgx.Batch, subject string) {
		of = subject
		profile.Queue(b, subject, &found)
	})
	if err != nil {
		return err
	}
	return api.Write(w, http.StatusOK, apiProfileOf(of, found))
}

func day(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.Format(time.DateOnly)
}
