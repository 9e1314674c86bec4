package cabinet

import (
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/provider/api"
)

// apiProfile handles GET /api/v1/profile.
func (c *Cabinet) apiProfile(w http.ResponseWriter, r *http.Request) error {
	var (
		found profile.Profile
		reply struct {
			Subject     string        `json:"sub"`
			State       profile.State `json:"state"`
			StateAt     time.Time     `json:"state_at"`
			Sex         string        `json:"sex"`
			BirthDate   string        `json:"birth_date"`
			Citizenship string        `json:"citizenship"`
			Incapable   string        `json:"incapable_since,omitempty"`
			Limited     string        `json:"limited_since,omitempty"`
			UpdatedAt   time.Time     `json:"updated_at"`
		}
	)
	err := c.enter(w, r, "cabinet.profile", journal.ProfileRead, func(b *pgx.Batch, subject string) {
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
	return api.Write(w, http.StatusOK, reply)
}

func day(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.Format(time.DateOnly)
}
