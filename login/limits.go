package login

import (
	"net/http"
	"strconv"
	"time"

	"asoba.example/login/identity"
	"asoba.example/login/throttle"
	"asoba.example/provider/page"
)

// Limits of tries. They count alike for numbers that exist and numbers that do not.
var (
	// A known browser has a budget of its own, which nobody else can use up.
	ofKnownBrowser = throttle.Limit{Name: "sign_in_known", Tries: 5, In: 15 * time.Minute}
	// Right passwords win that budget back, and at a known browser they pass by the strangers' queue. This one they do
	// not win back: nobody keeps every processor busy by signing in over and over.
	ofKnownBrowserInAll = throttle.Limit{Name: "sign_in_known_in_all", Tries: 60, In: 15 * time.Minute}
	// All unknown browsers share one for a number. Three in quick succession are a machine's.
	ofNumber       = throttle.Limit{Name: "sign_in_number", Tries: 10, In: 15 * time.Minute}
	ofNumberAtOnce = throttle.Limit{Name: "sign_in_number_at_once", Tries: 3, In: 10 * time.Second}
	// Whole villages and mobile networks share an address.
	ofNetwork = throttle.Limit{Name: "sign_in_network", Tries: 300, In: 15 * time.Minute}
	// The current password, asked again of somebody who is signed in.
	ofCurrentPassword = throttle.Limit{Name: "current_password", Tries: 5, In: 15 * time.Minute}
	// The same where it is right each time.
	ofCurrentPasswordInAll = throttle.Limit{Name: "current_password_in_all", Tries: 30, In: 15 * time.Minute}
	// Changes of the password are not numbered, but beyond these a code is asked for each.
	ofPasswordChanges = throttle.Limit{Name: "password_change", Tries: 5, In: 24 * time.Hour}
)

// budget says what a try at a number counts against, and which of it a right password wins back.
func budget(id identity.Identifier, known bool, network string) (own, all []throttle.Try) {
	number := id.Reveal()
	if known {
		own = []throttle.Try{{Limit: ofKnownBrowser, By: number}}
		return own, []throttle.Try{own[0], {Limit: ofKnownBrowserInAll, By: number}}
	}
	own = []throttle.Try{{Limit: ofNumberAtOnce, By: number}, {Limit: ofNumber, By: number}}
	return own, append([]throttle.Try{{Limit: ofNetwork, By: network}}, own...)
}

// tooMany says how long to wait, in the header for machines and as a word for people.
func tooMany(w http.ResponseWriter, wait time.Duration) page.FieldError {
	w.Header().Set("Retry-After", strconv.Itoa(roundUp(wait, time.Second)))
	unit, count := inWords(wait)
	return page.FieldError{Word: "wait." + unit, Args: map[string]any{"Count": count}}
}

// inWords says a wait as people do: in seconds up to a minute, then in minutes, then in hours; never too short.
func inWords(wait time.Duration) (unit string, count int) {
	switch {
	case wait <= time.Minute:
		return "seconds", roundUp(wait, time.Second)
	case wait <= 90*time.Minute:
		return "minutes", roundUp(wait, time.Minute)
	default:
		return "hours", roundUp(wait, time.Hour)
	}
}

func roundUp(wait, unit time.Duration) int { return int((wait + unit - 1) / unit) }
