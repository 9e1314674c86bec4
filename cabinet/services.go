package cabinet

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/catalogue"
	"asoba.example/provider/page"
)

const (
	oneList   = 15  // how many services a page shows
	allBodies = 500 // how many bodies
)

// services handles GET /services: what there is by situation of life and by body, or what was looked for.
func (c *Cabinet) services(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	typed := strings.TrimSpace(query.Get("q"))
	filter := catalogue.Filter{
		Query: catalogue.ParseQuery(typed), Body: query.Get("body"), Situation: query.Get("situation"), On: catalogue.Day(c.cfg.Now()),
	}
	if err := filter.Check(); err != nil {
		return page.Refuse(http.StatusNotFound, "error.not_found", err)
	}
	var after catalogue.Place
	if s := query.Get("after"); s != "" {
		var err error
		if after, err = catalogue.ParsePlace(s); err != nil {
			return page.Refuse(http.StatusNotFound, "error.not_found", err)
		}
	}
	var (
		edition    int
		situations []catalogue.Situation
		bodies     []catalogue.Body
		notice     *catalogue.Words
		asked      = !filter.Query.IsZero() || filter.Body != "" || filter.Situation != ""
	)
	_, in, err := c.visit(w, r, func(b *pgx.Batch, _ string) {
		catalogue.QueueSituations(b, &situations)
		catalogue.QueueBodies(b, filter.On, "", allBodies, &bodies)
		catalogue.QueueNotice(b, &notice)
		catalogue.QueueEdition(b, &edition)
	})
	if err != nil || !in {
		return err
	}
	var found catalogue.Page
	if asked {
		if found, err = c.index.Find(r.Context(), edition, filter, after, oneList); err != nil {
			return err
		}
	}
	language := c.site.Language(r)
	data := servicesPage{Query: typed, Asked: asked, ShownFor: found.ShownFor}
	if notice != nil {
		data.Notice = notice.In(language)
	}
	for _, s := range situations {
		data.Situations = append(data.Situations, way{s.Name.In(language), "/services?situation=" + s.Code})
		if s.Code == filter.Situation {
			data.Of = s.Name.In(language)
		}
	}
	for _, b := range bodies {
		data.Bodies = append(data.Bodies, way{b.Name.In(language), "/services?body=" + b.Code})
		if b.Code == filter.Body {
			data.Of = b.Name.In(language)
		}
	}
	for _, s := range found.Services {
		data.Services = append(data.Services, serviceLine{
			way{s.Name.In(language), "/services/" + string(s.Code)}, s.About.In(language), s.BodyName.In(language),
		})
	}
	if !found.Next.IsZero() {
		next := url.Values{"after": {found.Next.String()}}
		for _, name := range []string{"q", "body", "situation"} {
			if query.Has(name) {
				next.Set(name, query.Get(name))
			}
		}
		data.Next = "/services?" + next.Encode()
	}
	return c.show(w, r, "services", data)
}

// service handles GET /services/{code}.
func (c *Cabinet) service(w http.ResponseWriter, r *http.Request) error {
	code, err := catalogue.ParseCode(r.PathValue("code"))
	if err != nil {
		return page.Refuse(http.StatusNotFound, "error.not_found", err)
	}
	var (
		found  catalogue.Service
		notice *catalogue.Words
	)
	_, in, err := c.visit(w, r, func(b *pgx.Batch, _ string) {
		catalogue.QueueService(b, code, &found)
		catalogue.QueueNotice(b, &notice)
	})
	if err != nil || !in {
		return err
	}
	if found.Code == "" {
		return page.Refuse(http.StatusNotFound, "error.not_found", nil)
	}
	view := c.serviceView(found, notice, c.site.Language(r))
	view.Back = c.back(r, "/services")
	return c.site.Show(w, r, view)
}

// serviceView tells of one service.
func (c *Cabinet) serviceView(s catalogue.Service, notice *catalogue.Words, language string) page.View {
	data := servicePage{
		Code: s.Code, Kind: "service.kind." + string(s.Kind), About: s.About.In(language), Body: s.BodyName.In(language),
		Access: "service.access." + string(s.Access), TermDays: s.TermDays, ValidFrom: s.ValidFrom, ValidTill: s.ValidTill,
	}
	if s.Fee != "0" {
		data.Fee = s.Fee
		if language != "en" {
			data.Fee = strings.ReplaceAll(s.Fee, ".", ",")
		}
	}
	if notice != nil {
		data.Notice = notice.In(language)
	}
	switch today := catalogue.Day(c.cfg.Now()); {
	case today.Before(s.ValidFrom):
		data.Standing = "service.not_yet"
	case !s.On(today):
		data.Standing = "service.over"
	}
	for _, a := range s.Applicants {
		data.Applicants = append(data.Applicants, "service.for."+string(a))
	}
	for _, l := range s.Languages {
		data.Languages = append(data.Languages, "service.language."+l)
	}
	for _, d := range s.Documents {
		data.Documents = append(data.Documents, d.In(language))
	}
	for _, f := range s.Form.Fields {
		field := formField{Title: f.Title.In(language), Type: "service.field." + f.Type(), Required: f.Required}
		for _, choice := range f.Choices {
			field.Choices = append(field.Choices, choice.Title.In(language))
		}
		data.Fields = append(data.Fields, field)
	}
	return page.View{
		Name: "service", Data: data, TitleArgs: map[string]any{"Name": s.Name.In(language)},
		SignedIn: true, Wide: true,
	}
}
