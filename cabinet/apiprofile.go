package cabinet

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"time"

	"github.com/google/uuid"
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
	// The citizen says that it is wrong, since when, and whether it is withheld for that.
	DisputedAt time.Time `json:"disputed_at,omitzero"`
	Restricted bool      `json:"restricted,omitempty"`
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

func (c *Cabinet) apiProfileOf(subject string, o official, language string) apiProfile {
	p, told := o.profile, o.told
	say := func(field string) source {
		s := source{Source: profile.Register, Since: p.Since(field).UTC(), Basis: c.site.Say(language, "held.official.basis", nil)}
		if d := o.disputed(field); d != nil {
			s.DisputedAt = d.At.UTC()
		}
		return s
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
		if d := o.disputed(v.Name); d != nil {
			says.DisputedAt, says.Restricted = d.At.UTC(), d.Restricts
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
	var found official
	if err := c.admit(w, r, token, journal.ProfileRead, func(b *pgx.Batch) { c.queueOfficial(b, token.Subject, &found) }); err != nil {
		return err
	}
	return api.WriteTagged(w, r, c.toldProfile(token.Subject, found, c.speak(w, r)))
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
	var (
		found, now official
		language   = c.speak(w, r)
	)
	return c.act(w, r, token, deed{
		asked: body, kind: journal.ProfileRefreshed,
		do: func(b *pgx.Batch) {
			c.queueOfficial(b, token.Subject, &found)
			profile.Ask(b, token.Subject, body.Occasion, c.cfg.Now())
		},
		tell:  func() (any, error) { return c.toldProfile(token.Subject, found, language), nil },
		look:  func(b *pgx.Batch) { c.cfg.Disputes.Queue(b, token.Subject, &now.disputes) },
		amend: now.withhold,
	})
}

// withhold takes out of a profile that was told before what e-services are not given by now.
func (o *official) withhold(told json.RawMessage) (json.RawMessage, error) {
	var shown apiProfile
	if err := json.Unmarshal(told, &shown); err != nil {
		return nil, err
	}
	for name := range shown.Values {
		if d := o.disputed(name); d != nil && d.Restricts {
			says := shown.Sources[name]
			says.DisputedAt, says.Restricted = d.At.UTC(), true
			shown.Sources[name] = says
			delete(shown.Values, name)
		}
	}
	return json.Marshal(shown)
}

// toldProfile is a profile without what e-services are not given for the time being.
func (c *Cabinet) toldProfile(subject string, o official, language string) apiProfile {
	shown := c.apiProfileOf(subject, o, language)
	maps.DeleteFunc(shown.Values, func(name, _ string) bool { return o.restricted(name) })
	return shown
}

// restricted tells whether e-services are not given a value for the time being.
func (o official) restricted(name string) bool {
	d := o.disputed(name)
	return d != nil && d.Restricts
}

// apiChange is a change of an official value as e-services read it.
type apiChange struct {
	ID     uuid.UUID `json:"id"`
	At     time.Time `json:"at"`
	Name   string    `json:"value"`
	Old    string    `json:"old,omitempty"`
	New    string    `json:"new,omitempty"`
	Source string    `json:"source"`
}

// apiChanges handles GET /api/v1/profile/changes. Of a value that is withheld, it is withheld what it was too.
func (c *Cabinet) apiChanges(w http.ResponseWriter, r *http.Request) error {
	from, limit, err := pageOf(r)
	if err != nil {
		return err
	}
	var (
		known   official
		found   journal.Page
		history profile.History
	)
	reply := struct {
		Subject string      `json:"sub"`
		Changes []apiChange `json:"changes"`
		Next    string      `json:"next,omitempty"`
	}{Changes: []apiChange{}}
	err = c.enter(w, r, journal.ProfileRead, func(b *pgx.Batch, subject string) {
		reply.Subject = subject
		c.cfg.Disputes.Queue(b, subject, &known.disputes)
		journal.Queue(b, subject, journal.Filter{About: journal.Changes, Since: c.earliest()}, from, limit, &found)
		c.cfg.Sources.QueueHistory(b, subject, &history)
	})
	if err != nil {
		return err
	}
	history.Tell(found.Entries)
	for _, e := range found.Entries {
		if d := e.Detail; !known.restricted(d["field"]) {
			reply.Changes = append(reply.Changes, apiChange{e.ID, e.At.UTC(), d["field"], d["old"], d["new"], cmp.Or(d["source"], profile.Register)})
		}
	}
	if !found.Next.IsZero() {
		reply.Next = found.Next.String()
	}
	return api.WriteTagged(w, r, reply)
}

func day(at *time.Time) string {
	if at == nil {
		return ""
	}
	return at.Format(time.DateOnly)
}
