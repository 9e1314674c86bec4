package journal

import "time"

// A Topic is what entries are about.
type Topic string

// Topics.
const (
	SignIns    Topic = "sign_ins"
	Identifier Topic = "identifier" // and password, and whatever else one signs in with
	Desk       Topic = "desk"
	Services   Topic = "services" // what e-services were given
	Profile    Topic = "profile"
	Cabinet    Topic = "cabinet"
	Changes    Topic = "changes" // of official values alone; nobody is asked to choose it
)

// Topics are all, in the order in which people would look for them.
var Topics = []Topic{SignIns, Identifier, Desk, Services, Profile, Cabinet}

// Actors are all.
var Actors = []Actor{Self, Client, Staff, System}

// kinds are what is told under a topic. What a clerk does to an identifier is about both.
var kinds = map[Topic][]Kind{
	SignIns: {"signed_in", "sign_in.refused", "code.sent", "signed_out", SessionsEnded, "browser.forgotten"},
	Identifier: {
		"identifier.issued", IdentifierActivated, IdentifierBlocked, "identifier.unblocked",
		"password.changed", "password.recovered", "password.reissued", "recovery.refused",
		"passkey.added", "passkey.removed", "authenticator.added", "authenticator.removed",
		"recovery_codes.made", "recovery_codes.removed", "recovery_code.used",
		"phone.changed", "phone.released", "phone_change.asked", "phone_change.cancelled",
	},
	Desk:     {DeskLookedUp, DeskRefused, PaperRead, TrailRead, "identifier.issued", "password.reissued", "phone.released"},
	Services: {GrantGiven, GrantEnded, TokenExchanged, "agreement.given", "agreement.withdrawn", ProfileRead, ProfileRefreshed, JournalRead},
	Profile:  {PersonChanged, ProfileChanged, ContactGiven, DisputeMade, DisputeWithdrawn, DisputeSent, DisputeAnswered},
	Changes:  {ProfileChanged},
	Cabinet:  {CabinetActivated, CabinetDeactivated, CabinetRestored, EntryReported, JournalExported, DataExported},
}

// A Filter says which entries are looked for; what is zero does not count.
type Filter struct {
	Actor Actor
	About Topic
	Field string    // the value that a change is of
	Since time.Time // the earliest
	Till  time.Time // the latest is before
}

// end is after every entry.
var end = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// arguments are those of list.
func (f Filter) arguments(subject string, from Place, limit int) []any {
	before := Place{at: end}
	if !f.Till.IsZero() {
		before.at = f.Till
	}
	if !from.IsZero() && from.at.Before(before.at) {
		before = from
	}
	return []any{subject, before.at, before.id, f.Since, string(f.Actor), kinds[f.About], limit, f.Field}
}
