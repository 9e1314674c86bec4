package cabinet

import (
	"time"

	"asoba.example/cabinet/catalogue"
	"asoba.example/cabinet/contact"
	"asoba.example/cabinet/dispute"
	"asoba.example/provider/page"
)

// What the pages show. Each has its template in pages/.

type startPage struct {
	Name     string    // "" where none is known
	Since    time.Time // the cabinet is activated
	Matters  []matter
	Entries  []line
	Security string // where the provider's page is
}

type profilePage struct {
	UpdatedAt time.Time // the register's values were
	StateAt   time.Time
	Register  []valueLine // what it says
	Told      []valueLine // by other systems
	Silent    []string    // systems that do not answer and have told nothing
	Changes   []line      // of official values, newest first
	More      bool        // there are earlier ones
	Since     time.Time   // from when on changes are known
	Contact   contact.Contact
}

type valueLine struct {
	Name     string     // in addresses, and to the journal
	Word     string     // key of what it is
	Text     string     // the value
	Day      *time.Time // the value, where it is a day
	Says     string     // key of what is said of that day; "" where it is shown by itself
	Source   string     // what it is called; "" for the register
	Basis    string
	At       time.Time  // when it stood so at the source; of the register's values, since when it stands so here
	Silent   *time.Time // since when the source has not answered; nil while it does
	Disputed *time.Time // since when; nil where it is not
	from     string     // the source, by its name
	raw      string     // the value, as the source says it
}

type valuePage struct {
	valueLine
	turns
	Changes   []line // the latest first
	Dispute   *dispute.Dispute
	Stood     string   // the value, when it was disputed
	Said      []string // the lines of it
	Answer    []string // and those of the answer
	Words     string   // as they were entered
	Restricts bool
}

type settingsPage struct {
	Email, Phone, Language string // as they were entered
	Large                  bool
	Languages              []page.Option
	Security               string // where the provider's page is
}

type dataPage struct {
	Held                  []held
	KeptYears, ShownYears int // entries of the journal are
	Recipients            []recipient
	Since                 time.Time // from when on the journal tells who they are
	Shown                 time.Time // from when on entries are shown
	Sites                 []toldSite
	Asked                 []askedSystem
	// Pages of the provider's, and where those keys are that a signed file is checked by.
	Agreements, Block, Security, Keys string
}

// toldSite is an e-service that may read the profile while the citizen is away, or was told of it.
type toldSite struct {
	Name  string
	Reads *time.Time // since when it may; nil where it may not
	Times int        // it was told
	Last  time.Time
}

// askedSystem is another system of the state, which was asked about the citizen.
type askedSystem struct {
	Name     string
	Last     time.Time
	Occasion string // key of it
}

type held struct {
	Name  string // the rest of its words' keys, after "held."
	At    string // the page that shows it; "" for none
	Count int    // of those that are counted
}

// turns lead to other pages of a list of entries.
type turns struct {
	Older  string // where they are; "" where there are none
	Newest string // where they are; "" where they are here
}

type journalPage struct {
	turns
	Form     filterForm
	Wrong    bool // what was entered: nothing was looked for
	Entries  []line
	Security string
	Keys     string // where those are that a signed file is checked by
	// From when on entries are shown, and of how many years.
	Since      time.Time
	ShownYears int
}

type entryPage struct {
	line
	UTC      string // the time
	Who      string // key of who did it
	ACR      string // key of the level of the sign-in; "" for none
	Given    []string
	Why      string // key of why it was refused; "" where it was not, or that is not known
	Refused  bool
	Reported *time.Time // nil where it was not
	// Pages of the provider's: what to do where it was somebody else.
	Block, Sessions, Password, Agreements string
}

type signOutPage struct {
	ClientID string
	Session  string // at the provider
	Back     string // where that leads back to
}

type endedPage struct {
	SignIn string // and back to the page that was asked for
}

type servicesPage struct {
	Query      string // as it was typed
	Asked      bool   // something was looked for
	Of         string // the situation or body whose services these are; "" for none
	Services   []serviceLine
	ShownFor   []string // words that are there, in place of what was typed and is not
	Next       string   // where the list goes on; "" where it does not
	Situations []way
	Bodies     []way
	Notice     string
}

type way struct{ Text, To string }

type serviceLine struct {
	way
	About, Body string
}

type servicePage struct {
	Code       catalogue.Code
	Kind       string // keys of words, as are the next three
	Access     string
	Applicants []string
	Languages  []string
	Standing   string // key of what is said of one that is not in force; "" while it is
	About      string
	Body       string
	TermDays   int
	Fee        string // "" for none
	Documents  []string
	Fields     []formField
	ValidFrom  time.Time
	ValidTill  *time.Time
	Notice     string
}

type formField struct {
	Title    string
	Type     string // key of how it is filled in
	Choices  []string
	Required bool
}
