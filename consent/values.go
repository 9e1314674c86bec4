package consent

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"asoba.example/provider/clients"
	"asoba.example/provider/page"
)

// A value that would be released, with what it is called: the claim's name, for which there is a word.
// It is said by exactly one of Text, Word and Day.
type value struct {
	Claim string
	Text  string
	Word  string
	Day   time.Time
}

// inScope are the claims that a scope gives, in the order in which people say them. The page names those that are
// not known too: the agreement is to the claim, and it may become known.
var inScope = map[string][]string{
	"profile":     {"family_name", "given_name", "middle_name", "gender", "birthdate"},
	"citizenship": {"citizenship"},
	"phone":       {"phone_number"},
}

// elsewhere are claims that say nothing besides what is on the page: the whole name beside its parts, the identifier
// a second time, that the phone is a confirmed one, as every phone here is.
var elsewhere = []string{"sub", "name", "identification_number", "phone_number_verified"}

// knows tells whether a client learns the identifier itself: a pairwise one only as a claim that it asks for.
func knows(client *clients.Client, scopes []string) bool {
	return !client.Pairwise() || slices.Contains(scopes, "identification_number")
}

// values lists what the scopes would release; identifier is "" for a client that does not learn it.
func values(identifier string, scopes []string, claims map[string]any, language string) []value {
	all := []value{{Claim: "sub", Text: identifier}}
	if identifier == "" {
		all = []value{{Claim: "pairwise", Word: "value.pairwise"}}
	}
	listed := slices.Clone(elsewhere)
	for _, scope := range []string{"profile", "citizenship", "phone"} {
		if !slices.Contains(scopes, scope) {
			continue
		}
		for _, claim := range inScope[scope] {
			all = append(all, say(claim, claims[claim], language))
			listed = append(listed, claim)
		}
	}
	// Whatever else is released stands on the page as well.
	for _, claim := range slices.Sorted(maps.Keys(claims)) {
		if !slices.Contains(listed, claim) {
			all = append(all, say(claim, claims[claim], language))
		}
	}
	return all
}

// say puts one claim as a person would.
func say(claim string, is any, language string) value {
	v := value{Claim: claim, Text: fmt.Sprint(is)}
	switch {
	case is == nil || v.Text == "":
		return value{Claim: claim, Word: "value.unknown"}
	case claim == "gender" && (v.Text == "female" || v.Text == "male"):
		return value{Claim: claim, Word: "value." + v.Text}
	case claim == "citizenship" && v.Text == "stateless":
		return value{Claim: claim, Word: "value.stateless"}
	case claim == "citizenship":
		v.Text = page.Country(v.Text, language)
	case claim == "birthdate":
		if day, err := time.Parse(time.DateOnly, v.Text); err == nil {
			return value{Claim: claim, Day: day}
		}
	case claim == "updated_at":
		if seconds, ok := is.(int64); ok {
			return value{Claim: claim, Day: time.Unix(seconds, 0)}
		}
	}
	return v
}

// A power is something that the client could do for the person, by the word that says it; Scope where there is none.
type power struct {
	Word  string
	Scope string
}

// powers lists what the scopes let the client do: use the cabinet, and come back when the person is away.
func powers(scopes []string) []power {
	var all []power
	for _, scope := range scopes {
		part, isCabinet := strings.CutPrefix(scope, "cabinet.")
		part, mode, _ := strings.Cut(part, ".")
		known := isCabinet && slices.Contains([]string{"profile", "services", "cases", "inbox", "journal"}, part)
		switch {
		case slices.Contains([]string{"openid", "profile", "citizenship", "phone", "identification_number"}, scope):
			// These release values.
		case known && (mode == "read" || mode == "write"):
			all = append(all, power{Word: "power." + part + "." + mode})
		case known && mode == "":
			all = append(all, power{Word: "power." + part + ".read"}, power{Word: "power." + part + ".write"})
		case scope == "offline_access":
			all = append(all, power{Word: "power.offline"})
		default:
			all = append(all, power{Scope: scope})
		}
	}
	return slices.Compact(all)
}
