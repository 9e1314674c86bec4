package dashboard

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/provider"
	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
)

func TestWordsStandInEveryLanguage(t *testing.T) {
	t.Parallel()
	pagetest.Words(t, ".")
}

// Every page, in every language, as representatives see it.
func TestPages(t *testing.T) {
	t.Parallel()
	site := pagetest.Site(t, provider.Room(), Room())
	at := time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
	id := uuid.MustParse("01920000-0000-7000-8000-000000000001")
	service := servicePage{
		ID: "portal", Standing: "draft", Draft: true, Issuer: "https://id.example", Version: 1,
		Registered: []member{{"scope", "e-service-form.scopes", []string{"openid"}, []string{"openid"}, true}}, HasSecret: true, Owns: true,
		History: []line{{"client.registered", at, true}},
	}
	proposed, judged, live := service, service, service
	proposed.Done, proposed.Proposal = "proposed", &proposal{ID: id, Mine: true, At: at}
	judged.Proposal = &proposal{ID: id, At: at, Changes: []member{
		{"client_name", "field.name", []string{"Портал"}, []string{"Портал"}, true},
		{"redirect_uris", "field.redirect_uris", []string{"https://portal.example/cb"}, []string{"https://portal.example/cb", "https://portal.example/2"}, false},
		{"purpose", "field.purpose", nil, []string{"Приём"}, false},
		{"basis", "", []string{"consent"}, []string{"consent"}, true},
	}}
	judged.Owns = false
	live.Standing, live.Draft, live.Proposal = "live", false, &proposal{ID: id, At: at, Stale: true}
	live.Warnings = []warning{{"certificate", "k1", at}, {"previous_client_secret", "", at}}
	title := map[string]any{"Name": "Портал"}
	methods := []page.Option{{Value: "client_secret_basic", Text: "secret"}}
	for name, shown := range map[string]struct {
		address string
		view    page.View
	}{
		"e-services": {"/e-services", page.View{Name: "e-services", SignedIn: true, Data: listPage{Bodies: []listedBody{
			{id, "Налоговая", []listedService{{"portal", "Портал", "draft", true, false}, {"old", "Касса", "live", false, true}}},
		}}}},
		"e-services-none": {"/e-services", page.View{Name: "e-services", SignedIn: true, Data: listPage{Bodies: []listedBody{{id, "Налоговая", nil}}}}},
		"e-services-judge": {"/e-services", page.View{Name: "e-services", SignedIn: true, Data: listPage{
			Waiting: []listedService{{"portal", "Портал", "draft", true, false}},
		}}},
		"e-services-nobody": {"/e-services?removed", page.View{Name: "e-services", SignedIn: true, Data: listPage{Removed: true}}},
		"e-service":         {"/e-services/portal", page.View{Name: "e-service", TitleArgs: title, SignedIn: true, Data: service}},
		"e-service-mine":    {"/e-services/portal", page.View{Name: "e-service", TitleArgs: title, SignedIn: true, Data: proposed}},
		"e-service-judged":  {"/e-services/portal", page.View{Name: "e-service", TitleArgs: title, SignedIn: true, Data: judged}},
		"e-service-live":    {"/e-services/portal", page.View{Name: "e-service", TitleArgs: title, SignedIn: true, Data: live}},
		"e-service-secret":  {"/e-services/new", page.View{Name: "e-service-secret", SignedIn: true, Once: true, Data: secretPage{"portal", "idp_secret_x"}}},
		"e-service-form": {"/e-services/new", page.View{Name: "e-service-form", SignedIn: true, Data: formPage{
			Body: id, New: true, Method: "client_secret_basic", Methods: methods, Scopes: []scopeBox{{"phone", true}},
		}}},
		"e-service-form-wrong": {"/e-services/portal/change", page.View{Name: "e-service-form", Title: "e-service-form.live", SignedIn: true, Data: formPage{
			Live: true, Name: "Портал", RedirectURIs: "http://portal.example", Methods: methods,
		}, Errors: []page.FieldError{{Field: "redirect_uris", Word: "e-service-form.wrong_uri"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pagetest.Golden(t, site, name, shown.address, shown.view)
		})
	}
}
