package cabinet

import (
	"cmp"
	"io"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/access"
	"asoba.example/cabinet/contact"
	"asoba.example/cabinet/dispute"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/cabinet/signal"
	"asoba.example/provider/page"
)

// dataType is the typ of all that is held about a citizen as a signed file.
const dataType = "personal-data+jwt"

// mine is what the database holds about a citizen, but for the entries of the journal.
type mine struct {
	official
	contact  contact.Contact
	ended    time.Time
	reports  []journal.Reported
	entries  int
	receipts []journal.Receipt
	readers  []signal.Reader
	signals  []signal.Told
}

// visitData lets the citizen in and asks for all of it, by one round trip.
func (c *Cabinet) visitData(w http.ResponseWriter, r *http.Request, since time.Time) (v visitor, m mine, in bool, err error) {
	v, in, err = c.visit(w, r, func(b *pgx.Batch, subject string) {
		c.queueOfficial(b, subject, &m.official)
		c.cfg.Contacts.Queue(b, subject, &m.contact)
		access.QueueEnded(b, subject, &m.ended)
		journal.QueueReports(b, subject, &m.reports)
		journal.QueueCount(b, subject, since, &m.entries)
		journal.QueueReceipts(b, subject, since, &m.receipts)
		signal.QueueHeld(b, subject, &m.readers, &m.signals)
	})
	return v, m, in, err
}

// data handles GET /profile/data: what is held about the citizen, who was given it, and what can be done about it (law
// 99-Z, art. 10–15).
func (c *Cabinet) data(w http.ResponseWriter, r *http.Request) error {
	since := c.earliest()
	_, m, in, err := c.visitData(w, r, since)
	if err != nil || !in {
		return err
	}
	return c.site.Show(w, r, page.View{
		Name: "data", Data: c.dataPage(m, since, c.site.Language(r)), SignedIn: true, Wide: true, Back: "/profile",
	})
}

// dataPage puts it, and from when on the journal tells who was given data.
func (c *Cabinet) dataPage(m mine, since time.Time, language string) dataPage {
	shown := since
	if since.Before(m.profile.CreatedAt) {
		since = m.profile.CreatedAt
	}
	return dataPage{
		Held: []held{
			{Name: "official", At: "/profile"},
			{Name: "told", At: "/profile", Count: len(m.told.Values)},
			{Name: "disputes", Count: len(m.disputes)},
			{Name: "state"},
			{Name: "contact", At: "/settings"},
			{Name: "journal", At: "/journal", Count: m.entries},
			{Name: "reports", Count: len(m.reports)},
			{Name: "signals", Count: len(m.signals)},
			{Name: "sign_in"},
		},
		KeptYears: journal.LeastYears, ShownYears: c.cfg.JournalYears,
		Recipients: c.recipients(m.receipts, language), Since: since, Shown: shown, Sites: toldSites(m, language), Asked: c.askedSystems(m.told, language),
		Agreements: c.cfg.IssuerURL + "/agreements", Block: c.cfg.IssuerURL + "/block", Security: c.securityPage(), Keys: c.cfg.URL + "/jwks",
	}
}

// toldSites are the e-services that hear of the profile, besides those that read it.
func toldSites(m mine, language string) (all []toldSite) {
	at := map[string]int{} // by client
	of := func(client string, names journal.Names) *toldSite {
		if _, ok := at[client]; !ok {
			at[client], all = len(all), append(all, toldSite{Name: cmp.Or(names.In(language), client)})
		}
		return &all[at[client]]
	}
	for _, r := range m.readers {
		of(r.ClientID, r.Client).Reads = &r.At
	}
	for _, s := range m.signals { // the latest last
		site := of(s.ClientID, s.Client)
		site.Times, site.Last = site.Times+1, s.At
	}
	return all
}

// askedSystems are those that were told whom they are asked about.
func (c *Cabinet) askedSystems(told profile.Told, language string) (all []askedSystem) {
	for _, name := range slices.Sorted(maps.Keys(told.Asked)) {
		asked := told.Asked[name]
		all = append(all, askedSystem{c.sourceTitle(name, language), asked.At, "occasion." + string(asked.For)})
	}
	return all
}

// recipient is an e-service that was given data of the citizen, or an office where a clerk saw some.
type recipient struct {
	Name     string    `json:"name"`
	ClientID string    `json:"client_id,omitempty"`
	Office   string    `json:"office,omitempty"`
	Receipts []receipt `json:"receipts"`
}

type receipt struct {
	Kind  journal.Kind `json:"kind"`
	Word  string       `json:"-"` // key of it
	Given []string     `json:"given,omitempty"`
	Times int          `json:"times"`
	Last  time.Time    `json:"last"`
}

// recipients tells who was given data, in the words of the journal. The cabinet itself, which holds them, is none.
func (c *Cabinet) recipients(receipts []journal.Receipt, language string) []recipient {
	all := []recipient{}
	for _, r := range receipts {
		if r.ClientID == c.cfg.ClientID {
			continue
		}
		l := c.line(r.Entry, language)
		last := len(all) - 1
		if last < 0 || all[last].ClientID != r.ClientID || all[last].Office != r.Office {
			by := "entry.desk"
			if l.Actor != journal.Staff {
				by = "actor.operator.whole"
			}
			name := cmp.Or(l.Site, l.System, c.site.Say(language, by, nil))
			if l.Site == "" && l.System == "" && r.Office != "" {
				name = c.site.Say(language, "entry.office", map[string]any{"Office": r.Office})
			}
			all, last = append(all, recipient{Name: name, ClientID: r.ClientID, Office: r.Office}), last+1
		}
		all[last].Receipts = append(all[last].Receipts, receipt{
			Kind: r.Kind, Word: l.Word, Given: c.givenBy(r.Entry, language), Times: r.Times, Last: r.At.UTC(),
		})
	}
	return all
}

// exportData handles POST /profile/data/export: all that is held, as one signed file.
func (c *Cabinet) exportData(w http.ResponseWriter, r *http.Request) error {
	since := c.earliest()
	v, m, in, err := c.visitData(w, r, since)
	if err != nil || !in {
		return err
	}
	head := c.fileOf(v, m, since, c.site.Language(r))
	return c.hand(w, r, v, file{"data", "jws", signedKind, since, time.Time{}, func(w io.Writer) error {
		return c.writeSigned(w, r, v, journal.Filter{Since: since}, dataType, head)
	}}, journal.Entry{Kind: journal.DataExported})
}

// dataFile is what the file says before the entries.
type dataFile struct {
	claims
	Profile    apiProfile       `json:"profile"`
	Created    time.Time        `json:"created_at"` // the cabinet was
	Contact    contactData      `json:"contact"`
	Asked      map[string]asked `json:"sources_asked"` // by the name of the source
	SignIn     signedIn         `json:"sign_in"`
	Ended      time.Time        `json:"earlier_sign_ins_ended_at,omitzero"`
	Disputes   []disputed       `json:"disputes"`
	Reports    []report         `json:"reports"`
	Readers    []reader         `json:"readers"`
	Signals    []sent           `json:"signals"`
	Recipients []recipient      `json:"recipients"`
	Since      time.Time        `json:"since"` // of recipients and entries
}

// fileOf says it, but for the entries.
func (c *Cabinet) fileOf(v visitor, m mine, since time.Time, language string) dataFile {
	return dataFile{
		claims:     c.claims(v),
		Profile:    c.apiProfileOf(v.Token.Subject, m.official, language),
		Created:    m.profile.CreatedAt.UTC(),
		Contact:    contactDataOf(m.contact),
		Asked:      c.askedOf(m.told),
		SignIn:     c.signedInOf(v),
		Ended:      m.ended.UTC(),
		Disputes:   listed(m.disputes, disputedOf),
		Reports:    listed(m.reports, reportOf),
		Readers:    listed(m.readers, readerOf),
		Signals:    listed(m.signals, sentOf),
		Recipients: c.recipients(m.receipts, language),
		Since:      since.UTC(),
	}
}

// listed tells each of many as a file does; of none, that there is none.
func listed[Held, Told any](all []Held, tell func(Held) Told) []Told {
	list := make([]Told, len(all))
	for i, one := range all {
		list[i] = tell(one)
	}
	return list
}

// contactData are what the citizen gave.
type contactData struct {
	Email    string    `json:"email,omitempty"`
	Phone    string    `json:"phone,omitempty"`
	Language string    `json:"language,omitempty"`
	Large    bool      `json:"large_type,omitempty"`
	GivenAt  time.Time `json:"given_at,omitzero"`
}

func contactDataOf(c contact.Contact) contactData {
	return contactData{Email: c.Email, Phone: c.Phone, Language: c.Language, Large: c.Large, GivenAt: c.GivenAt.UTC()}
}

// asked is when a source was asked last and on which occasion, when it was heard last, and since when it has not answered.
type asked struct {
	At      time.Time        `json:"asked_at,omitzero"`
	For     profile.Occasion `json:"occasion,omitempty"`
	HeardAt time.Time        `json:"heard_at,omitzero"`
	Silent  time.Time        `json:"silent_since,omitzero"`
}

func (c *Cabinet) askedOf(t profile.Told) map[string]asked {
	all := map[string]asked{}
	for _, s := range c.cfg.Sources.All() {
		last := t.Asked[s.Name]
		all[s.Name] = asked{At: last.At.UTC(), For: last.For, HeardAt: t.Heard[s.Name].UTC(), Silent: t.Silent[s.Name].UTC()}
	}
	return all
}

// signedIn is what is held of the session at the web cabinet.
type signedIn struct {
	Name string    `json:"name,omitempty"`
	ACR  string    `json:"acr"`
	At   time.Time `json:"at"`
	Till time.Time `json:"till"`
}

func (c *Cabinet) signedInOf(v visitor) signedIn {
	return signedIn{Name: v.Name, ACR: v.Token.ACR, At: v.BeganAt.UTC(), Till: v.BeganAt.Add(c.cfg.SessionTotal).UTC()}
}

// disputed is a value that the citizen says is wrong, and what came of that.
type disputed struct {
	Name      string        `json:"value"`
	Source    string        `json:"source"`
	Stood     string        `json:"stood"`
	Words     string        `json:"words"`
	Restricts bool          `json:"restricts"`
	State     dispute.State `json:"state"`
	At        time.Time     `json:"at"`
	SentAt    *time.Time    `json:"sent_at,omitempty"`
	EndedAt   *time.Time    `json:"ended_at,omitempty"`
	Answer    string        `json:"answer,omitempty"`
}

func disputedOf(d dispute.Dispute) disputed {
	return disputed{
		Name: d.Name, Source: d.Source, Stood: d.Value, Words: d.Words, Restricts: d.Restricts, State: d.State,
		At: d.At.UTC(), SentAt: d.SentAt, EndedAt: d.EndedAt, Answer: d.Answer,
	}
}

// report is that the citizen did not recognise an entry.
type report struct {
	Entry   uuid.UUID `json:"entry"`
	EntryAt time.Time `json:"entry_at"`
	At      time.Time `json:"at"`
}

func reportOf(r journal.Reported) report { return report{Entry: r.Entry, EntryAt: r.EntryAt, At: r.At} }

// reader is an e-service that may read the profile while the citizen is away.
type reader struct {
	ClientID string    `json:"client_id"`
	Since    time.Time `json:"since"`
}

func readerOf(r signal.Reader) reader { return reader{ClientID: r.ClientID, Since: r.At.UTC()} }

// sent is what an e-service was told.
type sent struct {
	ClientID string      `json:"client_id"`
	At       time.Time   `json:"at"`
	Kind     signal.Kind `json:"kind"`
	signal.Detail
}

func sentOf(s signal.Told) sent {
	return sent{ClientID: s.ClientID, At: s.At.UTC(), Kind: s.Kind, Detail: s.Detail}
}
