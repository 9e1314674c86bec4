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

// apiProfile handles GET /api/v1/profile.
func (c *Cabinet) apiProfile(w http.ResponseWriter, r *http.Request) error {
	var (
		found profile.Profile
		reply struct {
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
	)
	err := c.enter(w, r, journal.ProfileRead, func(b *pgx.Batch, subject string) {
		reply.Subject = subject
		profile.Queue(b, subject, &found)
	})
	if err != nil {
		return err
	}
	reply.State, reply.StateAt = found.State, found.StateAt.UTC()
	reply.Sex, reply.BirthDate, reply.Citizenship = found.Sex, found.BirthDate, found.Citizenship
	reply.Incapable, reply.Limited = day(found.Incapable), day(found.Limited)
	reply.UpdatedAt = found.UpdatedAt.UTC()
	say := func(field string) source {
		return source{Source: "population_register", Since: found.Since(field).UTC(), Basis: "order 82, p. 5"}
	}
	reply.Sources = map[string]source{
		"sub": say("identification_number"), "sex": say("sex"), "birth_date": say("birth_date"), "citizenship": say("citizenship"),
	}
	if found.Incapable != nil {
		reply.Sources["incapable_since"] = say("incapable")
	}
	if found.Limited != nil {
		reply.Sources["limited_since"] = say("limited")
	}
	return api.Write(w, http.StatusOK, reply)
}

func day(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.Format(time.DateOnly)
}
