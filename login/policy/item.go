package policy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"asoba.example/login/identity"
	"asoba.example/login/throttle"
	"asoba.example/provider/audit"
)

// What the operator may settle. Who lowers protection below the standards that the bounds come from (NIST SP 800-63B, OWASP ASVS) needs another build.
var (
	CodeDigits  = count("code.digits", 6, 6, 8)
	CodeFor     = duration("code.for", 5*time.Minute, time.Minute, 10*time.Minute)
	CodeTries   = count("code.tries", 5, 3, 10)
	CodePauses  = pauses("code.pauses", time.Minute, 2*time.Minute, 5*time.Minute)
	CodesInHour = count("code.in_hour", 5, 1, 20)
	CodesInDay  = count("code.in_day", 10, 1, 50)
	// Codes of sign-ins and to new phones, which only who has proved something asks for, of one address.
	CodesOfNetwork = limit("code.network", 300, time.Hour, 100, 10_000)
	// What all messages together may cost, whatever they are of. Beyond that none is held back, for whoever made so many go would have taken everybody's
	// codes and warnings: each address asks for fewer codes, those at a person's own browsers apart.
	MessagesInAll        = limit("sms.in_all", 30_000, 10*time.Minute, 1000, 1_000_000)
	BrakedCodesOfNetwork = limit("code.network_braked", 20, time.Hour, 5, 300)

	TemporaryPasswordFor     = duration("temporary_password.for", 72*time.Hour, 24*time.Hour, 30*24*time.Hour)
	TemporaryPasswordSymbols = count("temporary_password.symbols", 10, identity.FewestSymbols, identity.MostSymbols)
	// Of several factors a password of eight would do (NIST SP 800-63B-4 §3.1.1.2); from a known browser it is the only one.
	ShortestPassword = count("static_password.shortest", 12, 12, 20)
	// 64 must be possible (NIST SP 800-63B-4 §3.1.1.2); nobody types more than these.
	LongestPassword = count("static_password.longest", 128, 64, 256)
	// Of all passwords. Each is hashed anew when its owner signs in; until the last of a cost has been, whatever is wrong with a sign-in takes the work
	// of that cost too, so that the time of an answer tells nothing.
	PasswordCost = cost("password.cost", "19MiB t=2 p=1")

	// Each known browser has a budget of its own, which nobody at another one can use up: 480 guesses a day at most for whoever has one of a person's. So has
	// whoever has proved, by a code and their document or a factor, whose the number is, where they did so.
	KnownBrowserTries = limit("sign_in.known_browser", 5, 15*time.Minute, 3, 20)
	// Right passwords win that budget back, and at a known browser they pass by the strangers' queue. This one they do
	// not win back: nobody keeps every processor busy by signing in over and over. It is each browser's too, and each cost a code or a factor to make known.
	KnownBrowserTriesInAll = limit("sign_in.known_browser_in_all", 60, 15*time.Minute, 20, 600)
	// All unknown browsers share one for a number, and after the third try of them the pauses grow.
	NumberTries  = limit("sign_in.number", 10, 15*time.Minute, 3, 30)
	NumberPauses = pauses("sign_in.number_pauses", 10*time.Second, 20*time.Second, 40*time.Second, time.Minute, 2*time.Minute, 4*time.Minute)
	// Nor does it win back this one, of a number at one network.
	NumberTriesInAll = limit("sign_in.number_in_all", 60, 15*time.Minute, 20, 600)
	// Whole villages and mobile networks share an address, so it is not closed by that many wrong ones: beyond them its tries go on one by one, as far
	// apart as these are on average.
	NetworkTries = limit("sign_in.network", 300, 15*time.Minute, 100, 10_000)
	// More than that let through from all unknown browsers together may be one guesser with many addresses and many numbers. Then nobody is shut out
	// for it, since that would be a weapon, but each address has fewer tries.
	TriesInAll         = limit("sign_in.in_all", 50_000, 15*time.Minute, 5000, 1_000_000)
	BrakedNetworkTries = limit("sign_in.network_braked", 30, 15*time.Minute, 10, 300)
	// Wrong answers of passkeys that are recorded, of nobody's and of each person's at one network. Nobody guesses a passkey, so they use up nobody's tries.
	WrongPasskeys = limit("sign_in.wrong_passkeys", 100, 15*time.Minute, 10, 1000)
	// Wrong passwords in a row after which the static one stops at unknown browsers: 100 at most (NIST SP 800-63B-4 §3.2.2).
	Failures = count("sign_in.failures", 50, 10, 100)
	// The current password, asked again of somebody who is signed in; and the same where it is right each time.
	CurrentPasswordTries      = limit("current_password", 5, 15*time.Minute, 3, 20)
	CurrentPasswordTriesInAll = limit("current_password.in_all", 30, 15*time.Minute, 10, 300)
	// Changes of the password are not numbered, but beyond these a code is asked for each.
	PasswordChanges = limit("password_changes", 5, 24*time.Hour, 1, 50)
	// New ones of somebody who has proved who they are by something else: each that is refused as like the one before it was hashed too.
	NewPasswords = limit("new_passwords", 30, 15*time.Minute, 10, 300)

	// Answers of an authenticator or a recovery code, which are typed. Who cannot go on with them still has the other ways.
	FactorTries = limit("factor", 5, 15*time.Minute, 3, 20)
	// Numbers of documents, tried to recover a password: at a known browser; of one number at one address elsewhere; and from everywhere. Only
	// the right one has a code sent, so whoever knows no more than the number uses up no codes of who comes with the document; of who comes without it,
	// by a factor that is bound, so many as all strangers may have sent. Whoever has the phone too learns by the code that it was right: that is why beyond what all of them have together each network has a few a day. Closed it is to nobody, since that
	// would be a weapon. A series has ten million numbers: who has the phone and ten thousand networks tries 31,000 a day, and has even odds
	// after 161 days in which nobody missed the phone.
	RecoveriesAtHome    = limit("recovery.known_browser", 10, time.Hour, 3, 20)
	RecoveriesElsewhere = limit("recovery.number_and_network", 5, time.Hour, 3, 20)
	RecoveriesOfNumber  = limit("recovery.number", 1000, 24*time.Hour, 20, 1000)
	BrakedRecoveries    = limit("recovery.number_braked", 3, 24*time.Hour, 1, 5)
	// Who does not sign in has budgets of codes apart, by the number: strangers use up nobody's sign-in by it. Each known browser has its own, and
	// elsewhere each network, but all of those together send a person no more than so many.
	RecoveryCodesInHour    = count("recovery.codes_in_hour", 3, 1, 10)
	RecoveryCodesInDay     = count("recovery.codes_in_day", 5, 1, 20)
	RecoveryCodesElsewhere = limit("recovery.codes_elsewhere", 15, 24*time.Hour, 5, 50)
	// Beyond these one by one; who comes with the document does not wait for those who come without.
	RecoveriesOfNetwork = limit("recovery.network", 300, time.Hour, 20, 2000)
	// The factor, of somebody who has the phone in hand.
	RecoveryProofs = limit("recovery.proofs", 5, 24*time.Hour, 3, 10)
	// Temporary passwords that the citizen has sent to himself.
	TemporaryPasswords = limit("recovery.temporary_passwords", 3, 30*24*time.Hour, 1, 10)
	// Tries in a row at unknown browsers, by who knows the password, after which a block of the citizen's own is not lifted there, and for how long.
	UnblockTries     = count("unblock.tries", 5, 3, 10)
	UnblockClosedFor = duration("unblock.closed_for", 24*time.Hour, 12*time.Hour, 3*24*time.Hour)
	// How long the link in a warning blocks.
	NotMeFor = duration("not_me.for", 10*24*time.Hour, 24*time.Hour, 30*24*time.Hour)
	// How long after a recovery the citizen does nothing grave himself.
	RecoveryFreeze = duration("recovery.freeze", 24*time.Hour, 24*time.Hour, 7*24*time.Hour)

	SessionIdle  = duration("session.idle", 15*time.Minute, 5*time.Minute, time.Hour)
	SessionTotal = duration("session.total", 12*time.Hour, time.Hour, 24*time.Hour)
	// How long before the time for a page is over people are warned: twenty seconds at least (WCAG 2.2 2.2.1).
	SessionWarning = duration("session.warning", 2*time.Minute, 20*time.Second, 4*time.Minute)
	// How lately somebody must have signed in to be shown a page of a grave act.
	FreshFor        = duration("session.fresh", 10*time.Minute, time.Minute, 20*time.Minute)
	KnownBrowserFor = duration("known_browser.for", 180*24*time.Hour, 24*time.Hour, 365*24*time.Hour)
	// How long the present phone is warned before a citizen has another one.
	PhoneChangeDelay = duration("phone_change.delay", 24*time.Hour, 12*time.Hour, 7*24*time.Hour)
	// How long after a message about a new browser there is no other one.
	NewBrowserPause = duration("new_browser.pause", time.Hour, 15*time.Minute, 24*time.Hour)
	AgreementFor    = duration("agreement.for", 365*24*time.Hour, 24*time.Hour, 5*365*24*time.Hour)

	// What sign-ins give e-services, from when it is made. A code is good for 60 s at most and a pushed request for less than
	// 600 (FAPI 2.0 Security Profile §5.3.2.1, §5.3.2.2).
	AuthorizationCodeFor = duration("authorization_code.for", 30*time.Second, 10*time.Second, time.Minute)
	PushedRequestFor     = duration("pushed_request.for", 90*time.Second, 10*time.Second, 9*time.Minute)
	AccessTokenFor       = duration("access_token.for", 5*time.Minute, time.Minute, LongestAccessToken)
	IDTokenFor           = duration("id_token.for", 5*time.Minute, time.Minute, 15*time.Minute)
	RefreshTokenFor      = duration("refresh_token.for", 30*24*time.Hour, time.Hour, 365*24*time.Hour)

	MinimumAge = count("issuance.minimum_age", 14, 0, 18)
	// How old a paper may be upon which somebody acts who serves a person, or who blocks for security. What is pending keeps the one it was opened upon.
	BasisFor = duration("basis.for", 90*24*time.Hour, 24*time.Hour, 365*24*time.Hour)
	// A visit, in which the person stands before the clerk: a phone confirmed in another one confirms nothing.
	VisitFor = duration("issuance.visit", 2*time.Hour, 15*time.Minute, 12*time.Hour)
	// What was written down at the desk while a register was away waits for it so long; and so long stays what came to nothing.
	PendingFor = duration("issuance.pending", 30*24*time.Hour, 24*time.Hour, 90*24*time.Hour)

	// Temporary passwords that one person is sent anew at desks, by reissues and by unblocks: each ends the one before.
	ReissuesOfPerson = limit("reissue.per_person", 3, 24*time.Hour, 1, 10)

	// What a clerk does in an hour, and an office: each act begins with somebody who stands there.
	ActsOfClerk  = limit("desk.clerk", 120, time.Hour, 20, 600)
	ActsOfOffice = limit("desk.office", 1200, time.Hour, 100, 10_000)
	// A desk's own system may speak for every clerk of many offices.
	ActsOfSystem = limit("desk.system", 12_000, time.Hour, 1000, 100_000)
	// From when on a supervisor is to look: issuances of a clerk in an hour, what gives access to identifiers that exist, blocks, and refusals of
	// people who were there; people of an office in a day whose numbers stand side by side.
	IssuancesInHour    = count("desk.issuances_in_hour", 15, 5, 100)
	RestorationsInHour = count("desk.restorations_in_hour", 10, 3, 100)
	BlocksInHour       = count("desk.blocks_in_hour", 10, 3, 100)
	RefusalsInHour     = count("desk.refusals_in_hour", 20, 5, 100)
	NeighbouringPhones = count("desk.neighbouring_phones", 3, 2, 10)
	// Outside of these nobody should act at a desk.
	DeskHours = hours("desk.hours", "08:00-20:00")

	// How much of the people an edition of the register may deactivate, and of how much of them a full one may not tell, before a second person must
	// release it; and how much of its file may be bad before nothing of it is taken.
	DeactivatedShare = share("edition.deactivated_share", 0.001, 0.0001, 0.05)
	MissingShare     = share("edition.missing_share", 0.01, 0.0001, 0.2)
	RejectedShare    = share("edition.rejected_share", 0.05, 0.0001, 0.2)

	// Of how many two people single events of the register may make one in a day, which nobody undoes.
	JoinsInDay = count("register.joins_in_day", 20, 1, 1000)

	// Whether somebody of whom the register says that they are incapable is deactivated, which the law leaves to the operator (order 82, p. 10).
	DeactivateIncapable = choice("register.deactivate_incapable", false)

	// For how many years after their own the records of what happened are kept.
	AuditYears = count("audit.years", 7, audit.LeastYears, 30)
)

// LongestAccessToken is the longest that an access token is good, whatever is settled: so long its denial is kept.
const LongestAccessToken = 15 * time.Minute

// Chapters are all of them, in the order in which they are shown.
var Chapters = []Chapter{
	{"codes", []Item{CodeDigits, CodeFor, CodeTries, CodePauses, CodesInHour, CodesInDay, CodesOfNetwork, MessagesInAll, BrakedCodesOfNetwork}},
	{"passwords", []Item{
		TemporaryPasswordSymbols, TemporaryPasswordFor, ShortestPassword, LongestPassword, PasswordCost,
		CurrentPasswordTries, CurrentPasswordTriesInAll, PasswordChanges, NewPasswords,
	}},
	{"sign_ins", []Item{
		KnownBrowserTries, KnownBrowserTriesInAll, NumberTries, NumberPauses, NumberTriesInAll, NetworkTries, TriesInAll, BrakedNetworkTries, WrongPasskeys, Failures, FactorTries,
	}},
	{"recovery", []Item{
		RecoveriesAtHome, RecoveriesElsewhere, RecoveriesOfNumber, BrakedRecoveries,
		RecoveryCodesInHour, RecoveryCodesInDay, RecoveryCodesElsewhere, RecoveriesOfNetwork, RecoveryProofs, TemporaryPasswords,
		RecoveryFreeze, PhoneChangeDelay, UnblockTries, UnblockClosedFor, NotMeFor,
	}},
	{"sessions", []Item{SessionIdle, SessionTotal, SessionWarning, FreshFor, KnownBrowserFor, NewBrowserPause}},
	{"services", []Item{AgreementFor, AuthorizationCodeFor, PushedRequestFor, AccessTokenFor, IDTokenFor, RefreshTokenFor}},
	{"desk", []Item{
		MinimumAge, BasisFor, VisitFor, PendingFor, ReissuesOfPerson,
		ActsOfClerk, ActsOfOffice, ActsOfSystem, IssuancesInHour, RestorationsInHour, BlocksInHour, RefusalsInHour, NeighbouringPhones, DeskHours,
	}},
	{"register", []Item{DeactivatedShare, MissingShare, RejectedShare, JoinsInDay, DeactivateIncapable}},
	{"records", []Item{AuditYears}},
}

// Items are those of every chapter.
var Items = func() (all []Item) {
	for _, c := range Chapters {
		all = append(all, c.Items...)
	}
	return all
}()

// A Chapter is what the items of it are about.
type Chapter struct {
	Name  string
	Items []Item
}

// An Item is something that the operator may settle.
type Item interface {
	// Name names it for programs: "code.for".
	Name() string
	// Default is what holds while nothing else was settled.
	Default() string
	// Read reads a value; an error, which wraps ErrValue, says what it must be.
	Read(value string) (any, error)
}

// ErrValue says that a value is not of an item's form.
var ErrValue = errors.New("not a value of this item")

// Find gives an item by its name.
func Find(name string) (Item, bool) {
	for _, i := range Items {
		if i.Name() == name {
			return i, true
		}
	}
	return nil, false
}

// Of is an Item of values of T.
type Of[T any] struct {
	name     string
	standard string
	read     func(string) (T, error)
}

// Name names it for programs.
func (i Of[T]) Name() string { return i.name }

// Default is what holds while nothing else was settled.
func (i Of[T]) Default() string { return i.standard }

// Read reads a value.
func (i Of[T]) Read(value string) (any, error) { return i.read(value) }

// In is the value that is in force. Without Policies it is the default.
func (i Of[T]) In(p *Policies) T {
	if p != nil {
		if value, ok := (*p.held.Load())[i.name]; ok {
			return value.(T)
		}
	}
	value, _ := i.read(i.standard) // the defaults are read by a test
	return value
}

// From gives the value that is in force whenever it is asked.
func (i Of[T]) From(p *Policies) func() T { return func() T { return i.In(p) } }

// duration is an item like "5m".
func duration(name string, standard, least, most time.Duration) Of[time.Duration] {
	return Of[time.Duration]{name, standard.String(), func(value string) (time.Duration, error) {
		d, err := time.ParseDuration(value)
		if err != nil {
			return 0, fmt.Errorf("%w: it is written like 90s, 5m or 72h", ErrValue)
		}
		if d < least || d > most {
			return 0, fmt.Errorf("%w: it must be from %s to %s", ErrValue, least, most)
		}
		return d, nil
	}}
}

// count is an item like "5".
func count(name string, standard, least, most int) Of[int] {
	return Of[int]{name, strconv.Itoa(standard), func(value string) (int, error) {
		n, err := strconv.Atoi(value)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("%w: it must be a number from %d to %d", ErrValue, least, most)
		}
		return n, nil
	}}
}

// cost is an item like "19MiB t=2 p=1".
func cost(name, standard string) Of[identity.Cost] {
	return Of[identity.Cost]{name, standard, func(value string) (identity.Cost, error) {
		c, err := identity.ParseCost(value)
		if err != nil {
			return c, fmt.Errorf("%w: it must be %w", ErrValue, err)
		}
		return c, nil
	}}
}

// choice is an item like "no".
func choice(name string, standard bool) Of[bool] {
	words := map[string]bool{"yes": true, "no": false}
	word := "no"
	if standard {
		word = "yes"
	}
	return Of[bool]{name, word, func(value string) (bool, error) {
		chosen, known := words[value]
		if !known {
			return false, fmt.Errorf("%w: it is yes or no", ErrValue)
		}
		return chosen, nil
	}}
}

// A Share is a part of a whole.
type Share float64

// String writes it like "0.1%".
func (s Share) String() string {
	return strconv.FormatFloat(float64(s)*100, 'g', 6, 64) + "%"
}

// share is an item like "0.1%".
func share(name string, standard, least, most Share) Of[Share] {
	return Of[Share]{name, standard.String(), func(value string) (Share, error) {
		number, ok := strings.CutSuffix(value, "%")
		percent, err := strconv.ParseFloat(number, 64)
		if err != nil || !ok {
			return 0, fmt.Errorf("%w: it is written like 0.1%%", ErrValue)
		}
		s := Share(percent / 100)
		if !(s >= least && s <= most) { // nor what is not a number
			return 0, fmt.Errorf("%w: it must be from %s to %s", ErrValue, least, most)
		}
		return s, nil
	}}
}

// Hours are the minutes of a day from one to another.
type Hours struct{ From, Till int }

// Hold tells whether a time of a day is within them, at the place whose time it is.
func (h Hours) Hold(at time.Time) bool {
	minute := at.Hour()*60 + at.Minute()
	return h.From <= minute && minute < h.Till
}

// String writes them like "08:00-20:00".
func (h Hours) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d", h.From/60, h.From%60, h.Till/60, h.Till%60)
}

// hours is an item like "08:00-20:00".
func hours(name, standard string) Of[Hours] {
	return Of[Hours]{name, standard, func(value string) (h Hours, err error) {
		from, till, _ := strings.Cut(value, "-")
		begin, errFrom := time.Parse("15:04", from)
		end, errTill := time.Parse("15:04", till)
		h = Hours{begin.Hour()*60 + begin.Minute(), end.Hour()*60 + end.Minute()}
		if errFrom != nil || errTill != nil || h.From >= h.Till {
			return h, fmt.Errorf("%w: it is written like 08:00-20:00", ErrValue)
		}
		return h, nil
	}}
}

// pauses is an item like "1m 2m 5m": the last pause is for all that follow.
func pauses(name string, standard ...time.Duration) Of[[]time.Duration] {
	text := make([]string, len(standard))
	for i, d := range standard {
		text[i] = d.String()
	}
	return Of[[]time.Duration]{name, strings.Join(text, " "), func(value string) ([]time.Duration, error) {
		var all []time.Duration
		for _, field := range strings.Fields(value) {
			d, err := time.ParseDuration(field)
			if err != nil || d < 10*time.Second || d > time.Hour {
				return nil, fmt.Errorf("%w: each must be from 10s to 1h", ErrValue)
			}
			all = append(all, d)
		}
		if len(all) == 0 || len(all) > 10 {
			return nil, fmt.Errorf("%w: from 1 to 10 pauses, like 1m 2m 5m", ErrValue)
		}
		return all, nil
	}}
}

// limit is an item like "10 in 15m". The tries are bounded, and so is the time: to a third and to four times what it is by default, so that a
// limit can neither be lifted nor lock people out for days.
func limit(name string, tries int, in time.Duration, least, most int) Of[throttle.Limit] {
	return Of[throttle.Limit]{name, fmt.Sprintf("%d in %s", tries, in), func(value string) (throttle.Limit, error) {
		l := throttle.Limit{Name: name}
		tries, within, _ := strings.Cut(value, " in ")
		var errTries, errIn error
		l.Tries, errTries = strconv.Atoi(tries)
		l.In, errIn = time.ParseDuration(within)
		if errTries != nil || errIn != nil || l.Tries < least || l.Tries > most || l.In < in/3 || l.In > 4*in {
			return l, fmt.Errorf("%w: it is written like %d in %s, with %d to %d tries in %s to %s", ErrValue, least, in, least, most, in/3, 4*in)
		}
		return l, nil
	}}
}
