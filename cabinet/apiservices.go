package cabinet

import (
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/catalogue"
	"asoba.example/provider/api"
)

// usualServices is how many services, or bodies, an answer has; how many it may have at most the document says.
const usualServices = 50

// apiBody is a body as e-services read it, in their language.
type apiBody struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// apiService is a service as e-services read it in a list.
type apiService struct {
	Code       catalogue.Code        `json:"code"`
	Kind       catalogue.Kind        `json:"kind"`
	Name       string                `json:"name"`
	About      string                `json:"about"`
	Body       apiBody               `json:"body"`
	Applicants []catalogue.Applicant `json:"for"`
	Access     catalogue.Access      `json:"access"`
	ACR        string                `json:"acr,omitempty"`
	TermDays   int                   `json:"term_days"`
	Fee        string                `json:"fee"`
	Languages  []string              `json:"languages"`
	Situations []string              `json:"situations"`
	ValidFrom  string                `json:"valid_from"`
	ValidTill  string                `json:"valid_till,omitempty"`
}

func serviceIn(s catalogue.Service, language string) apiService {
	return apiService{
		Code: s.Code, Kind: s.Kind, Name: s.Name.In(language), About: s.About.In(language),
		Body: apiBody{s.Body, s.BodyName.In(language)}, Applicants: s.Applicants, Access: s.Access, ACR: s.Access.ACR(),
		TermDays: s.TermDays, Fee: s.Fee, Languages: s.Languages, Situations: s.Situations,
		ValidFrom: s.ValidFrom.Format(time.DateOnly), ValidTill: day(s.ValidTill),
	}
}

// apiServices handles GET /api/v1/services.
func (c *Cabinet) apiServices(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	filter := catalogue.Filter{
		Query: catalogue.ParseQuery(query.Get("q")), Kind: catalogue.Kind(query.Get("kind")), Body: query.Get("body"),
		Situation: query.Get("situation"), On: catalogue.Day(c.cfg.Now()),
	}
	var after catalogue.Place
	if s := query.Get("after"); s != "" {
		var err error
		if after, err = catalogue.ParsePlace(s); err != nil {
			return api.RefuseParameter("after", err)
		}
	}
	var edition int
	if err := c.enter(w, r, "", func(b *pgx.Batch, _ string) { catalogue.QueueEdition(b, &edition) }); err != nil {
		return err
	}
	found, err := c.index.Find(r.Context(), edition, filter, after, api.Number(r, "limit", usualServices))
	if err != nil {
		return err
	}
	language := c.speak(w, r)
	reply := struct {
		Services []apiService `json:"services"`
		ShownFor []string     `json:"shown_for,omitempty"`
		Next     string       `json:"next,omitempty"`
	}{Services: make([]apiService, len(found.Services)), ShownFor: found.ShownFor}
	for i, s := range found.Services {
		reply.Services[i] = serviceIn(s, language)
	}
	if !found.Next.IsZero() {
		reply.Next = found.Next.String()
	}
	return api.WriteTagged(w, r, reply)
}

// apiService handles GET /api/v1/services/{code}.
func (c *Cabinet) apiService(w http.ResponseWriter, r *http.Request) error {
	code, err := catalogue.ParseCode(r.PathValue("code"))
	if err != nil {
		return api.Refuse(http.StatusNotFound, "no_such_service", err)
	}
	var found catalogue.Service
	err = c.enter(w, r, "", func(b *pgx.Batch, _ string) { catalogue.QueueService(b, code, &found) })
	if err != nil {
		return err
	}
	if found.Code == "" {
		return api.Refuse(http.StatusNotFound, "no_such_service", nil)
	}
	language := c.speak(w, r)
	reply := struct {
		apiService
		Documents []string       `json:"documents"`
		Form      map[string]any `json:"form"`
	}{serviceIn(found, language), []string{}, found.Form.Schema(language)}
	for _, document := range found.Documents {
		reply.Documents = append(reply.Documents, document.In(language))
	}
	return api.WriteTagged(w, r, reply)
}

// apiBodies handles GET /api/v1/bodies.
func (c *Cabinet) apiBodies(w http.ResponseWriter, r *http.Request) error {
	limit := api.Number(r, "limit", usualServices)
	var found []catalogue.Body
	err := c.enter(w, r, "", func(b *pgx.Batch, _ string) {
		catalogue.QueueBodies(b, catalogue.Day(c.cfg.Now()), r.URL.Query().Get("after"), limit+1, &found)
	})
	if err != nil {
		return err
	}
	language := c.speak(w, r)
	reply := struct {
		Bodies []apiBody `json:"bodies"`
		Next   string    `json:"next,omitempty"`
	}{Bodies: []apiBody{}}
	for i, body := range found {
		if i == limit {
			reply.Next = found[limit-1].Code
			break
		}
		reply.Bodies = append(reply.Bodies, apiBody{body.Code, body.Name.In(language)})
	}
	return api.WriteTagged(w, r, reply)
}

// speak chooses the language of an answer, and says which it is.
func (c *Cabinet) speak(w http.ResponseWriter, r *http.Request) string {
	language := c.site.Language(r)
	w.Header().Set("Content-Language", language)
	w.Header().Set("Vary", "Accept-Language")
	return language
}
