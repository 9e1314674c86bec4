package login

import (
	"html/template"
	"time"

	"asoba.example/login/browser"
	"asoba.example/login/factor"
	"asoba.example/login/place"
	"asoba.example/login/policy"
)

// What the pages of this room show. Each has its template in pages/.

// signInPage asks for the identifier and the password.
type signInPage struct {
	Client     string // the service that waits; "" where a page of ours does
	Draft      bool   // the service is in the sandbox
	Again      string // the word of why somebody is asked who has signed in, or was further already; "" for others
	Identifier string // as it was typed
	Passkey    string // what the browser is asked to use one by
	Recover    string // where a lost password is recovered
	Block      string // where the identifier is blocked
	Unblock    string // and unblocked again
}

// gonePage is where a sign-in is over.
type gonePage struct {
	Service  string // that the browser waited with last; "" for none
	GoOn     string // where its person goes on to it; "" where that is not known
	SignedIn bool
}

// codeStanding is how things stand with a code that a page asks for.
type codeStanding struct {
	Till  string // the time of day; "" where no code is good
	Wait  string // the word of how long till another can be sent; "" where it can be now
	Count int
}

// codePage asks for the code that went to the phone.
type codePage struct {
	codeStanding
	Phone       string // its last digits
	Passkey     string // what the browser is asked to use one by; "" for who has none
	PasskeyOnly bool   // nothing less leads on
	Ways        []way  // other pages of the same step
	Service     bool   // one waits, and may be refused
}

// typedPage asks for what an authenticator app shows, or for a recovery code.
type typedPage struct {
	Passkey string // what the browser is asked to use one by; "" for who has none
	Ways    []way
	Service bool
}

// A way is another page that does instead.
type way struct{ Word, Address string }

// recoverPage asks whose password is lost.
type recoverPage struct {
	Again      string // the word of why it is begun again; "" where it is not
	Identifier string // as it was typed
	Service    bool   // one waits, and may be refused
}

// errandCodePage asks for the code that went to a phone, if there is one.
type errandCodePage struct {
	codeStanding
	Identifier string // as it was typed, should the errand have to begin anew
	Sent       string // the word of when one was sent
	Submit     string // the word of what a right code does
	Otherwise  string // the word of what else there is where none comes
	Slip       bool   // the number that was typed is doubtful
	Service    bool   // one waits, and may be refused
}

// proofPage asks for the factor that is bound.
type proofPage struct {
	Identifier string // for the same
	Needs      string // the word of why it is asked for
	Otherwise  string // the word of what to do without
	Passkey    string // what the browser is asked to use one by; "" for who has none
	Service    bool   // one waits, and may be refused
}

// recoverSentPage tells that a temporary password is on its way.
type recoverSentPage struct {
	SignIn string // where it is to be used
}

// newPasswordPage is for forming a static password, at the first sign-in and later.
type newPasswordPage struct {
	Identifier string    // for the person's password manager
	Shortest   int       // how many characters it has at least
	Service    bool      // one waits, and may be refused
	Frozen     time.Time // till when the phone and the factors stay as they are, after a recovery
}

// securityPage tells who is signed in here, and what can be done.
type securityPage struct {
	Identifier string // masked
	Phone      string // its last digits
	At         time.Time
	How        string // the word of how
	Agent      string
	Cabinet    string
	Changed    bool // the password, just now
}

// phonePage is for asking for another phone, step by step.
type phonePage struct {
	codeStanding // of the code to the new one, where it is waited for

	Phone  string    // its last digits, of the present one
	Typed  string    // the new one, as it was typed
	Next   string    // its last digits, of the new one
	Due    time.Time // from when it is used; zero where that is not certain yet
	Frozen time.Time // till when there is no asking; zero where there is
}

// sessionsPage tells where somebody is signed in, and ends it.
type sessionsPage struct {
	Browsers []browser.Browser
	SID      string // of the session that it is shown in
	Ended    bool   // what was asked for is done
}

// historyPage tells what happened around somebody's sign-ins.
type historyPage struct {
	Events  []happened
	Latest  bool   // it is the first page
	Earlier string // where the next one is; "" where there is none
}

// happened is one event of it.
type happened struct {
	Word  string // of what it was
	Phone string // the last digits of another than the person had; "" where it was of none
	At    time.Time
	Agent string
	Place place.Place
	Times int    // on this day, of which it was the last
	Also  string // the other countries that the others came from
}

// notMePage tells what somebody was warned of.
type notMePage struct {
	Word  string // of what it was; "" where that is not known
	What  string // the word of when to block
	At    time.Time
	Agent string
	Place place.Place
}

// passkeysPage is for looking after passkeys.
type passkeysPage struct {
	Frozen     time.Time // till when nothing is added or removed; zero where it is
	Passkeys   []factor.Passkey
	Invitation string // what the browser is asked to make one by; "" where there are as many as can be
	Rename     string // where one is renamed whose id follows
	Name       string // proposed for the next, or for the one that is renamed
	Renaming   string // its id; "" where none is
}

// factorsPage tells what there is to prove oneself by, and what of it the person has.
type factorsPage struct {
	Passkeys      int
	Authenticator bool
	RecoveryCodes int // left

	ToPasskeys, ToAuthenticator, ToRecoveryCodes string

	GoOn string // to whoever waits; "" where nobody does
}

// authenticatorPage is for looking after the authenticator app.
type authenticatorPage struct {
	Frozen  time.Time // till when none is added or removed; zero where it is
	Has     bool
	Bound   factor.Authenticator
	Invited invitedApp // where there is none
}

// invitedApp is what an app is to take over.
type invitedApp struct {
	Size    int    // of the drawing, in squares of it
	Squares string // the path that draws them
	Key     string // in groups of four
	Link    template.URL
}

// recoveryCodesPage is for looking after recovery codes.
type recoveryCodesPage struct {
	Frozen time.Time // till when none are made; zero where they are
	Left   int
	MadeAt time.Time // zero where there are none
	Fresh  []string  // the new ones, once
	Done   string    // where all factors are
}

// blockPage tells what blocking does and what it does not.
type blockPage struct {
	Identifier string // masked
	Phone      string // its last digits
}

// blockErrandPage asks whose identifier is to be blocked.
type blockErrandPage struct {
	Again      string // the word of why it is begun again; "" where it is not
	Identifier string // as it was typed
	Recover    string // where the password is recovered
	Service    bool   // one waits, and may be refused
}

// unblockDeskPage tells who has failed too often how long a block stays.
type unblockDeskPage struct {
	For string
}

// rulesPage tells what the operator has settled.
type rulesPage struct {
	Chapters []chapter
}

// chapter is a part of it.
type chapter struct {
	Word  string // of its heading
	Rules []rule
}

// rule is one of them, in words.
type rule struct {
	Word   string // of what it is about
	Value  string
	From   time.Time      // zero for what holds by default
	Ground *policy.Ground // nil there

	ApprovedAt time.Time // zero there
}
