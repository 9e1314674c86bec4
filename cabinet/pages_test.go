package cabinet

import (
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/cabinet/contact"
	"asoba.example/cabinet/dispute"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/signal"
	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
)

func TestWords(t *testing.T) {
	t.Parallel()
	pagetest.Words(t, ".")
}

// Every page, in every language, as it was.
func TestPagesAreAsBefore(t *testing.T) {
	t.Parallel()
	site := pagetest.Site(t, Room())
	c := &Cabinet{site: site, cfg: Config{
		ClientID: "cabinet", IssuerURL: "https://idp.example", URL: "https://cabinet.example", JournalYears: 3,
		Sources: profile.NewSources(nil,
			profile.Source{Name: "documents", Title: journal.Names{"ru": "Реестр документов"}, Basis: journal.Names{"ru": "приказ № 82, п. 12"}, InForce: true},
			profile.Source{Name: "civil_registry", Title: journal.Names{"ru": "ЗАГС"}, Basis: journal.Names{"ru": "приказ № 82, п. 12"}, InForce: true},
		),
	}}
	given := journal.Entry{
		ID: uuid.MustParse("018f0000-0000-7000-8000-000000000001"), At: noon, Kind: "grant.given", Actor: journal.Self, ClientID: "pension",
		ACR: "substantial", Agent: "Firefox, Linux", Detail: map[string]string{"scope": "openid phone cabinet.inbox.read other", "claims": "birthdate"},
	}
	refused := journal.Entry{
		ID: uuid.MustParse("018f0000-0000-7000-8000-000000000002"), At: noon, Kind: "sign_in.refused", Actor: journal.Self, ReportedAt: &noon,
		Detail: map[string]string{"why": "password", "where": "BY", "where.ru": "Минск"},
	}
	limited := time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC)
	annas := profile.Profile{State: profile.Activated, StateAt: noon, Sex: "F", BirthDate: "1956-03-08", Citizenship: "BY", UpdatedAt: noon, CreatedAt: noon.Add(-48 * time.Hour)}
	partly := profile.Profile{State: profile.Activated, StateAt: noon, Sex: "M", BirthDate: "1956", Citizenship: "stateless", Limited: &limited, UpdatedAt: noon, CreatedAt: noon.Add(-48 * time.Hour), ChangedAt: map[string]time.Time{"citizenship": noon}}
	changed := journal.Page{Entries: []journal.Entry{
		{ID: uuid.MustParse("018f0000-0000-7000-8000-000000000003"), At: noon, Kind: journal.ProfileChanged, Actor: journal.System, Detail: map[string]string{"field": "citizenship", "old": "BY", "new": "stateless"}},
		{ID: uuid.MustParse("018f0000-0000-7000-8000-000000000002"), At: noon.Add(-24 * time.Hour), Kind: journal.ProfileChanged, Actor: journal.System, Detail: map[string]string{"field": "limited", "old": "", "new": "2026-01-15"}},
	}}
	told := profile.Told{
		Values: []profile.Value{
			{Name: "name_ru", Word: profile.Word{Source: "documents", Value: "Янка Купала", At: noon}},
			{Name: "document_valid_till", Word: profile.Word{Source: "documents", Value: "2035-12-31", At: noon}, Silent: &noon},
		},
		Silent: map[string]time.Time{"documents": noon, "civil_registry": noon},
	}
	open := dispute.Dispute{
		Name: "citizenship", Source: profile.Register, Value: "stateless", Words: "Я гражданка Беларуси.\nЭто видно из паспорта.", State: dispute.Sent, At: noon.Add(-time.Hour), SentAt: &noon,
	}
	upheld := dispute.Dispute{
		Name: "name_ru", Source: "documents", Value: "Янка Купала", Words: "Иван", State: dispute.Upheld, At: noon.Add(-time.Hour), SentAt: &noon, EndedAt: &noon, Answer: "В документе: Янка.",
	}
	withheld := dispute.Dispute{Name: "name_ru", Source: "documents", Value: "Янка Купала", Words: "Иван", Restricts: true, State: dispute.Received, At: noon}
	value := func(d *dispute.Dispute, i int, changes []journal.Entry) page.View {
		o := official{profile: partly, told: told}
		if d != nil {
			o.disputes = []dispute.Dispute{*d}
		}
		return c.valueView(c.valuePage(slices.Concat(c.registerLines(annasNumber, o, "ru"), c.toldLines(o, "ru"))[i], changes, d, "ru"), "ru")
	}
	said := value(nil, 5, nil)
	said.Errors, said.Data = []page.FieldError{{Field: "words", Word: "wrong.words"}}, func(p valuePage) valuePage { p.Restricts = true; return p }(said.Data.(valuePage))
	reached := c.profilePage(annasNumber, official{profile: partly, told: told, disputes: []dispute.Dispute{open}}, changed, time.Time{}, "ru")
	reached.Contact = contact.Contact{Email: "anna@example.com", Language: "be"}
	_, wrong := settingsPage{Email: "anna", Phone: "29", Language: "pl"}.read()
	whatThereIs := servicesPage{
		Situations: []way{{"Дети", "/services?situation=children"}}, Bodies: []way{{"Отдел ЗАГС", "/services?body=civil_registry"}},
		Notice: "Это образец каталога.",
	}
	nothingFound := whatThereIs
	nothingFound.Query, nothingFound.Asked = "xyzzy", true
	held := mine{
		official: official{profile: annas, told: profile.Told{Asked: map[string]profile.Asked{"documents": {At: noon, For: profile.Complaint}}}},
		readers:  []signal.Reader{{ClientID: "tax", Client: journal.Names{"ru": "Налоговая служба"}, At: noon}},
		signals:  []signal.Told{{ClientID: "tax", Client: journal.Names{"ru": "Налоговая служба"}, At: noon}, {ClientID: "bank", At: noon}},
		reports:  make([]journal.Reported, 1), entries: 42, receipts: []journal.Receipt{
			{Entry: given, Times: 2},
			{Entry: journal.Entry{At: noon, Kind: journal.ProfileRead, Actor: journal.Client, ClientID: "pension"}, Times: 5},
			{Entry: journal.Entry{At: noon, Kind: "grant.given", Actor: journal.Self, ClientID: "cabinet"}, Times: 9},
			{Entry: journal.Entry{At: noon, Kind: journal.DeskLookedUp, Actor: journal.Staff, Office: "17", Detail: map[string]string{"purpose": "visit"}}, Times: 1},
			{Entry: journal.Entry{At: noon, Kind: journal.IdentifierBlocked, Actor: journal.Staff, Detail: map[string]string{"reason": "security"}}, Times: 1},
		},
	}
	news := func(kind journal.Kind, ago time.Duration) journal.News {
		return journal.News{Entry: journal.Entry{
			ID: uuid.MustParse("018f0000-0000-7000-8000-000000000004"), At: noon.Add(-ago), Kind: kind, Detail: map[string]string{"field": "address"},
		}, Times: 2}
	}
	attention := c.attention([]journal.News{
		news("sign_in.refused", 0), news("phone_change.asked", time.Hour), news("passkey.added", 2*time.Hour), news(journal.ProfileChanged, 4*time.Hour),
		news(journal.DisputeAnswered, 5*time.Hour),
	}, contact.Contact{}, "low")
	for _, v := range []struct {
		name, address string
		view          page.View
	}{
		{"welcome", "/", page.View{Name: "welcome"}},
		{"start", "/", page.View{Name: "start", Data: startPage{Name: "Анна", Since: noon, Security: "https://idp.example/security"}}},
		{"start-attention", "/", page.View{Name: "start", Data: startPage{
			Since: noon, Security: "https://idp.example/security", Matters: attention,
		}}},
		{"start-nameless", "/", page.View{Name: "start", Data: startPage{Since: noon, Security: "https://idp.example/security"}}},
		{"profile", "/profile", page.View{Name: "profile", Data: c.profilePage(annasNumber, official{profile: annas}, journal.Page{}, time.Time{}, "ru")}},
		{"profile-partly", "/profile", page.View{Name: "profile", Data: reached}},
		{"value", "/profile/values/birth_date", value(nil, 2, nil)},
		{"value-disputed", "/profile/values/citizenship", value(&open, 3, changed.Entries[:1])},
		{"value-withheld", "/profile/values/name_ru", value(&withheld, 5, nil)},
		{"value-upheld", "/profile/values/name_ru", value(&upheld, 5, nil)},
		{"value-wrong", "/profile/values/name_ru", said},
		{"settings", "/settings", page.View{Name: "settings", Data: settingsPage{Security: "https://idp.example/security", Email: "anna@example.com", Phone: "+375294911911", Language: "be", Languages: c.languages("ru")}}},
		{"settings-wrong", "/settings", page.View{Name: "settings", Errors: wrong, Data: settingsPage{Security: "https://idp.example/security", Email: "anna", Phone: "29", Language: "pl", Languages: c.languages("ru")}}},
		{"data", "/profile/data", page.View{Name: "data", Back: "/profile", Data: c.dataPage(held, noon.AddDate(-3, 0, 0), "ru")}},
		{"data-nobody", "/profile/data", page.View{Name: "data", Back: "/profile", Data: c.dataPage(mine{official: official{profile: partly}}, noon.AddDate(-3, 0, 0), "ru")}},
		{"journal", "/journal", page.View{Name: "journal", Data: journalPage{Form: c.filterForm(nil, "ru"), turns: turns{Older: "/journal?from=x", Newest: "/journal"}, Entries: c.lines(everything(), "ru"), Security: "https://idp.example/security", Keys: "https://cabinet.example/jwks", Since: noon.AddDate(-3, 0, 0), ShownYears: 3}}},
		{"journal-empty", "/journal", page.View{Name: "journal", Data: journalPage{Form: c.filterForm(nil, "ru"), Security: "https://idp.example/security"}}},
		{"journal-nothing", "/journal?about=desk&since=2026-05-01", page.View{Name: "journal", Data: journalPage{Form: c.filterForm(url.Values{"about": {"desk"}, "since": {"2026-05-01"}}, "ru"), Security: "https://idp.example/security"}}},
		{"journal-wrong", "/journal?till=soon", page.View{Name: "journal", Errors: []page.FieldError{{Field: "till", Word: "wrong.till"}}, Data: journalPage{Form: c.filterForm(url.Values{"till": {"soon"}}, "ru"), Wrong: true, Security: "https://idp.example/security"}}},
		{"entry", "/journal/018f0000-0000-7000-8000-000000000001", page.View{Name: "entry", Back: "/journal", Data: c.entryPage(given, "ru")}},
		{"entry-refused", "/journal/018f0000-0000-7000-8000-000000000002", page.View{Name: "entry", Back: "/journal", Data: c.entryPage(refused, "ru")}},
		{"entry-register", "/journal/018f0000-0000-7000-8000-000000000004", page.View{Name: "entry", Back: "/journal", Data: c.entryPage(journal.Entry{
			ID: uuid.MustParse("018f0000-0000-7000-8000-000000000004"), At: noon, Kind: journal.PersonChanged, Actor: journal.System, ClientID: "register",
			Client: journal.Names{"": "ИС «Регистр»"},
		}, "ru")}},
		{"services", "/services", page.View{Name: "services", Data: whatThereIs}},
		{"services-found", "/services?q=паспорт", page.View{Name: "services", Data: servicesPage{
			Query: "паспорт", Asked: true, Next: "/services?after=1-200.8.1&q=паспорт",
			Services: []serviceLine{{way{"Выдача паспорта", "/services/200.8.1"}, "Первый паспорт или замена.", "Отдел по гражданству"}},
		}}},
		{"services-guessed", "/services?q=школво", page.View{Name: "services", Data: servicesPage{
			Query: "школво", Asked: true, ShownFor: []string{"школу", "школы"},
			Services: []serviceLine{{way{"Перевод в другую школу", "/services/200.6.3"}, "Если вы переехали.", "Управление по образованию"}},
		}}},
		{"services-none", "/services?q=xyzzy", page.View{Name: "services", Data: nothingFound}},
		{"services-empty", "/services", page.View{Name: "services", Data: servicesPage{}}},
		{"service", "/services/200.9.1", page.View{Name: "service", TitleArgs: map[string]any{"Name": "Обмен водительского удостоверения"}, Data: servicePage{
			Code: "200.9.1", Kind: "service.kind.procedure", Access: "service.access.identifier_code", Applicants: []string{"service.for.person", "service.for.entrepreneur"},
			Languages: []string{"service.language.be", "service.language.ru"}, About: "Если истёк срок.", Body: "Отдел", TermDays: 5, Fee: "0,5",
			Documents: []string{"фотография"}, ValidFrom: noon, Notice: "Это образец каталога.",
			Fields: []formField{{Title: "Категория прав", Type: "service.field.choice", Choices: []string{"A", "B"}, Required: true}, {Title: "Телефон", Type: "service.field.string"}},
		}}},
		{"service-over", "/services/300.1.1", page.View{Name: "service", TitleArgs: map[string]any{"Name": "Запись к врачу"}, Data: servicePage{
			Code: "300.1.1", Kind: "service.kind.e_service", Access: "service.access.none", Applicants: []string{"service.for.legal_entity"},
			Languages: []string{"service.language.en"}, Standing: "service.over", About: "Вы выбираете врача.", Body: "Поликлиника", ValidFrom: noon, ValidTill: &limited,
		}}},
		{"cases", "/cases", page.View{Name: "cases"}},
		{"inbox", "/inbox", page.View{Name: "inbox"}},
		{"sign-out", "/sign-out", page.View{Name: "sign-out", Data: signOutPage{ClientID: "cabinet", Session: "session", Back: "https://cabinet.example/"}}},
		{"ended", "/profile", page.View{Name: "ended", Data: endedPage{SignIn: "/sign-in?return=%2Fprofile"}}},
		{"declined", "/callback", page.View{Name: "declined"}},
		{"stale", "/callback", page.View{Name: "stale"}},
	} {
		v.view.SignedIn = v.name != "welcome"
		pagetest.Golden(t, site, v.name, v.address, v.view)
	}
}

// everything is an entry of each kind that has a word of its own, and one of a newer provider.
func everything() []journal.Entry {
	all := []journal.Entry{
		{Kind: "signed_in", Actor: journal.Self, ACR: "substantial", Agent: "Firefox, Linux", ClientID: "pension", Client: journal.Names{"": "Pension fund", "ru": "Пенсионный фонд"}},
		{Kind: "signed_in", Actor: journal.Self, ACR: "low", ClientID: "cabinet"},
		{Kind: "signed_in", Actor: journal.Self, ACR: "substantial", Detail: map[string]string{"by": "passkey"}},
		{Kind: "signed_in", Actor: journal.Self, ACR: "substantial", Detail: map[string]string{"by": "authenticator"}},
		{Kind: "signed_in", Actor: journal.Self, ACR: "substantial", Detail: map[string]string{"by": "recovery_code"}},
		{Kind: "grant.given", Actor: journal.Self, ClientID: "cabinet"},
		{Kind: "grant.given", Actor: journal.Self, ClientID: "pension", Detail: map[string]string{"scope": "openid"}},
		{Kind: "grant.ended", Actor: journal.Self, ClientID: "cabinet"},
		{Kind: "grant.ended", Actor: journal.Self, ClientID: "pension"},
		{Kind: journal.TokenExchanged, Actor: journal.Client, ClientID: "pension"},
		{Kind: journal.ProfileRead, Actor: journal.Client, ClientID: "pension"},
		{Kind: journal.ProfileRefreshed, Actor: journal.Client, ClientID: "pension"},
		{Kind: journal.JournalRead, Actor: journal.Client, ClientID: "pension"},
		{Kind: "identifier.issued", Actor: journal.Staff, Office: "17"},
		{Kind: "password.reissued", Actor: journal.Staff},
		{Kind: "phone.changed", Actor: journal.Staff, Office: "17"},
		{Kind: "phone.released", Actor: journal.Staff, Office: "17"},
		{Kind: journal.DeskLookedUp, Actor: journal.Staff, Office: "17", Detail: map[string]string{"purpose": "visit"}},
		{Kind: journal.DeskLookedUp, Actor: journal.Staff, Office: "17", Detail: map[string]string{"purpose": "complaint"}},
		{Kind: journal.DeskLookedUp, Actor: journal.Staff, Office: "17", Detail: map[string]string{"purpose": "inquiry"}},
		{Kind: journal.DisputeMade, Actor: journal.Self, Detail: map[string]string{"field": "sex"}},
		{Kind: journal.DisputeSent, Actor: journal.Staff, Detail: map[string]string{"field": "limited"}},
		{Kind: journal.DisputeAnswered, Actor: journal.Staff, Detail: map[string]string{"field": "identification_number", "outcome": "upheld"}},
		{Kind: journal.DisputeAnswered, Actor: journal.Staff, Detail: map[string]string{"field": "address", "outcome": "corrected"}},
		{Kind: journal.DisputeWithdrawn, Actor: journal.Self, Detail: map[string]string{"field": "name_be"}},
		{Kind: journal.PersonChanged, Actor: journal.System, ClientID: "register", Client: journal.Names{"": "ИС «Регистр»"}},
		{Kind: journal.PersonChanged, Actor: journal.Staff, ClientID: "register", Client: journal.Names{"": "ИС «Регистр»"}},
		{Kind: "something.new", Actor: journal.System},
		{Kind: journal.IdentifierBlocked, Actor: journal.System, Detail: map[string]string{"reason": "desk", "was": "register"}},
	}
	for _, kind := range []journal.Kind{
		"agreement.given", "agreement.withdrawn", "authenticator.added", "authenticator.removed", "browser.forgotten",
		"cabinet.activated", "cabinet.deactivated", "cabinet.restored", journal.ContactGiven, journal.DataExported, journal.EntryReported,
		"identifier.activated", "identifier.unblocked", "passkey.added", "passkey.removed", "password.changed", "phone_change.asked", "phone_change.cancelled", "sessions.ended",
		"sign_in.refused", "signed_out", "password.recovered", "recovery.refused",
		"recovery_codes.made", "recovery_codes.removed", "recovery_code.used",
	} {
		all = append(all, journal.Entry{Kind: kind, Actor: journal.Self})
	}
	for _, reason := range []string{"self", "desk", "register", "security"} {
		all = append(all, journal.Entry{Kind: journal.IdentifierBlocked, Actor: journal.Self, Detail: map[string]string{"reason": reason}})
	}
	for _, purpose := range []string{"visit", "complaint", "inquiry"} {
		all = append(all,
			journal.Entry{Kind: journal.PaperRead, Actor: journal.Staff, Office: "17", Detail: map[string]string{"purpose": purpose}},
			journal.Entry{Kind: journal.TrailRead, Actor: journal.Staff, Office: "17", Detail: map[string]string{"purpose": purpose}})
	}
	for _, act := range []string{"issuance", "phone_change", "unblock", "reissue", "block", "look_up", "keep_paper", "read_paper", "read_trail"} {
		all = append(all, journal.Entry{Kind: journal.DeskRefused, Actor: journal.Staff, Office: "17", Detail: map[string]string{"act": act}})
	}
	for _, purpose := range []string{"sign_in", "recover", "block", "unblock", "change_phone", "confirm_phone"} {
		all = append(all, journal.Entry{Kind: "code.sent", Actor: journal.Self, Detail: map[string]string{"purpose": purpose}})
	}
	for _, format := range []string{"csv", "json"} {
		all = append(all, journal.Entry{Kind: journal.JournalExported, Actor: journal.Self, Detail: map[string]string{"format": format}})
	}
	for _, change := range []struct{ field, old, fresh, source string }{
		{"sex", "F", "M", ""},
		{"citizenship", "stateless", "BY", ""},
		{"birth_date", "1956", "1956-03-08", ""},
		{"incapable", "", "2026-01-15", ""},
		{"limited", "2026-01-15", "", ""},
		{"identification_number", annasNumber, "7000000A000PB1", ""},
		{"name_be", "", "Ганна", "civil_registry"},
		{"name_ru", "Анна", "", "civil_registry"},
		{"name_latin", "Hanna", "Anna", "civil_registry"},
		{"document_number", "AA0000001", "AA0000002", "documents"},
		{"document_valid_till", "2026-12-31", "2036-12-31", "documents"},
		{"address", "Минск, ул. Первая, 1", "Минск, ул. Вторая, 2", "closed"},
	} {
		all = append(all, journal.Entry{
			Kind: journal.ProfileChanged, Actor: journal.System,
			Detail: map[string]string{"field": change.field, "old": change.old, "new": change.fresh, "source": change.source},
		})
	}
	for i := range all {
		all[i].ID, all[i].At = uuid.UUID{}, noon.Add(-time.Duration(i)*time.Hour)
	}
	return all
}

// Each kind that we have a word for stands in everything.
func TestEverythingIsTold(t *testing.T) {
	t.Parallel()
	c := &Cabinet{site: pagetest.Site(t, Room()), cfg: Config{ClientID: "cabinet", Sources: profile.NewSources(nil)}}
	said := map[string]bool{}
	for _, l := range c.lines(everything(), "be") {
		said[l.Word] = true
	}
	var words map[string]any
	if text, err := os.ReadFile("words/be.json"); err != nil || json.Unmarshal(text, &words) != nil {
		t.Fatal(err)
	}
	for word := range words { // kind.other among them, which is said of what a newer provider tells
		if strings.HasPrefix(word, "kind.") && !said[word] {
			t.Errorf("%q is said of nothing", word)
		}
	}
}
