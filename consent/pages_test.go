package consent

import (
	"testing"
	"time"

	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
)

func TestPages(t *testing.T) {
	t.Parallel()
	site := pagetest.Site(t, Room())
	day := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	request := asking{
		Client: "Портал", Purpose: "Чтобы записать вас к врачу", PolicyURI: "https://portal.example/policy",
		TOSURI: "https://portal.example/terms", Till: day, SID: "s",
		Values: values("3080356A001PB5", []string{"profile", "citizenship"}, map[string]any{
			"family_name": "Иванова", "given_name": "Анна", "gender": "female", "birthdate": "1956-03-08", "citizenship": "stateless",
		}, "ru"),
		Powers: powers([]string{
			"cabinet.profile", "cabinet.services", "cabinet.cases", "cabinet.inbox", "cabinet.journal", "offline_access", "desk:act",
		}),
	}
	official := asking{Client: "Министерство", Official: true, Values: values("", nil, map[string]any{"updated_at": int64(0)}, "ru")}
	type agreements struct {
		Agreements []listed
		Withdrawn  bool
	}
	for name, view := range map[string]page.View{
		"consent":          {Name: "consent", Data: request},
		"consent-official": {Name: "consent-official", Data: official},
		"agreements": {Name: "agreements", Data: agreements{Withdrawn: true, Agreements: []listed{
			{ClientID: "portal", Client: "Портал", Values: []string{"sub", "phone_number"}, Powers: request.Powers[:1], GivenAt: day, Till: day},
			{ClientID: "ministry", Client: "Министерство", Official: true, Values: []string{"pairwise"}, GivenAt: day},
		}}},
		"agreements-none": {Name: "agreements", Data: agreements{}},
	} {
		pagetest.Golden(t, site, name, "/consent?interaction=i", view)
	}
}
