package cabinet

import (
	"time"

	"asoba.example/cabinet/profile"
)

// What the pages show. Each has its template in pages/.

type startPage struct {
	Name     string    // "" where none is known
	Since    time.Time // the cabinet is activated
	Entries  []line
	Security string // where the provider's page is
}

type profilePage struct {
	Identifier  string
	Profile     profile.Profile
	Born        *time.Time // nil where the day is not known
	BornAbout   string     // then this is: 03.1956 or 1956
	Citizenship string
}

type journalPage struct {
	Entries  []line
	Older    string // where they are; "" where there are none
	Newest   bool   // this is the first page
	Security string
}

type signOutPage struct {
	IDToken string // the hint
	Back    string // where the provider leads back to
}

type endedPage struct {
	SignIn string // and back to the page that was asked for
}
