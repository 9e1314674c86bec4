package cabinet

import (
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/provider/api"
)

// A source is who says an official value, since when it stands so here, and on what basis. Of another system than the register also as of
// when, when it was heard last, and since when it has not answered.
type source struct {
	Source  string    `json:"source"`
	Since   time.Time `json:"since"`
	Basis   string    `json:"basis"`
	AsOf    time.Time `json:"as_of,omitzero"`
	HeardAt time.Time `json:"heard_at,omitzero"`
	Silent  time.Time `json:"silent_since,omitzero"`
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
	Values      map[string]string `json:"values"`  // that other systems told
	Sources     map[string]source `json:"sources"` // by the member, or the value, that each is of
}

func (c *Cabinet) apiProfileOf(subject string, p profile.Profile, told profile.Told, language string) apiProfile {
	say := func(field string) source {
		return source{Source: profile.Register, Since: p.Since(field).UTC(), Basis: "order 82, p. 5"}
	}
	shown := apiProfile{
		Subject: subject, State: p.State, StateAt: p.StateAt.UTC(), Sex: p.Sex, BirthDate: p.BirthDate, Citizenship: p.Citizenship,
		Incapable: day(p.Incapable), Limited: day(p.Limited), UpdatedAt: p.UpdatedAt.UTC(), Values: map[string]string{},
		Sources: map[string]source{
			"sub": say("identification_number"), "sex": say("sex"), "birth_date": say("birth_date"), "citizenship": say("citizenship"),
		},
	}
	if p.Incapable != nil {
		shown.Sources["incapable_since"] = say("incapable")
	}
	if p.Limited != nil {
		shown.Sources["limited_since"] = say("limited")
	}
	for _, v := range told.Values {
		shown.Values[v.Name] = v.Value
		says := source{
			Source: v.Source, Since: v.Since.UTC(), Basis: c.cfg.Sources.Find(v.Source).Basis.In(language), AsOf: v.At.UTC(),
			HeardAt: told.Heard[v.Source].UTC(), Silent: told.Silent[v.Source].UTC(),
		}
		shown.Sources[v.Name] = says
	}
	return shown
}

// apiProfile handles GET /api/v1/profile.
func (c *Cabinet) apiProfile(w http.ResponseWriter, r *http.Request) error {
	token, err := c.identify(w, r)
	if err != nil {
		return err
	}
	return c.readProfile(w, r, token, journal.ProfileRead, "")
}

// apiRefresh handles POST /api/v1/profile/refreshes: at an e-service the citizen does what other systems are asked on (order 82, p. 12). It
// waits for none of them: it is given the profile as it is known.
func (c *Cabinet) apiRefresh(w http.ResponseWriter, r *http.Request) error {
	token, err := c.identify(w, r)
	if err != nil {
		return err
	}
	body, err := api.DecodeDocumented[struct {
		Occasion profile.Occasion `json:"occasion"`
	}](w, r)
	if err != nil {
		return err
	}
	return c.readProfile(w, r, token, journal.ProfileRefreshed, body.Occasion)
}

// readProfile lets an e-service in and answers with the profile. On an occasion other systems are asked besides.
func (c *Cabinet) readProfile(w http.ResponseWriter, r *http.Request, token api.Token, kind journal.Kind, why profile.Occasion) error {
	var (
		found profile.Profile
		told  profile.Told
	)
	err := c.admit(w, r, token, kind, func(b *pgx.Batch) {
		profile.Queue(b, token.Subject, &found)
		c.cfg.Sources.Queue(b, token.Subject, &told)
	})
	if err == nil && why != "" {
		err = c.cfg.Sources.Ask(r.Context(), token.Subject, why)
	}
	if err != nil {
		return err
	}
	return api.Write(w, http.StatusOK, c.apiProfileOf(token.Subject, found, told, c.speak(w, r)))
}

func day(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.Format(time.DateOnly)
}
