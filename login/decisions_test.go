package login

import (
	"slices"
	"testing"

	"asoba.example/login/identity"
	"asoba.example/login/throttle"
	"asoba.example/provider"
	"asoba.example/provider/api"
)

func TestWhichPageFollowsARightPassword(t *testing.T) {
	t.Parallel()
	active, temporary := identity.Identity{State: identity.Active}, identity.Identity{State: identity.Temporary}
	app, passkey, both := active, active, active
	app.Authenticator, passkey.Passkey, both.Authenticator, both.Passkey = true, true, true, true
	low, more, ours := provider.Interaction{ClientID: "c", ACR: api.Low}, provider.Interaction{ClientID: "c", ACR: api.Substantial}, provider.Interaction{ACR: api.Substantial}
	fresh := provider.Interaction{ClientID: "c", Fresh: true}
	for name, c := range map[string]struct {
		who    identity.Identity
		known  bool
		asks   provider.Interaction
		want   string
		before string
	}{
		"known browser":                           {active, true, provider.Interaction{}, "", ""},
		"known browser, low is enough":            {active, true, low, "", ""},
		"known browser, more is asked":            {active, true, more, codePath, ""},
		"known browser, lately is asked":          {active, true, fresh, "", ""},
		"unknown browser":                         {active, false, provider.Interaction{}, codePath, ""},
		"unknown browser, low is enough":          {active, false, low, codePath, ""},
		"temporary password":                      {temporary, false, provider.Interaction{}, firstPasswordPath, ""},
		"temporary password, known browser":       {temporary, true, provider.Interaction{}, firstPasswordPath, ""},
		"temporary password, more is asked later": {temporary, false, more, firstPasswordPath, ""},
		"an app, known browser":                   {app, true, low, "", ""},
		"an app, more is asked":                   {app, true, more, authenticatorStep, ""},
		"an app, lately is asked":                 {app, true, fresh, authenticatorStep, ""},
		"an app, unknown browser":                 {app, false, low, authenticatorStep, ""},
		"a passkey, lately is asked":              {passkey, true, fresh, codePath, ""},
		"signed in by more, known browser":        {active, true, low, codePath, api.Substantial},
		"signed in by no more":                    {active, true, fresh, "", api.Low},
		"both, unknown browser":                   {both, false, low, authenticatorStep, ""},
		"both, the strongest is asked":            {both, true, ours, codePath, ""},
	} {
		if got := after(underWay{Interaction: c.asks, Identity: c.who}, c.known, c.before); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// The right password wins back what wrong ones could use up, and nothing else: how often anybody may have a password
// hashed has an end, at known browsers too, and neither strangers nor another known browser can use up what is a known browser's.
func TestNoPasswordIsHashedWithoutEnd(t *testing.T) {
	t.Parallel()
	id, err := identity.ParseIdentifier("1010130K001PB9")
	if err != nil {
		t.Fatal(err)
	}
	others := map[string][]throttle.Try{} // what is counted of them
	for _, other := range [][]byte{nil, []byte("another")} {
		_, others[string(other)] = new(Login).budget(id, other, false, "192.0.2.0/32")
	}
	for _, home := range [][]byte{nil, []byte("home")} {
		own, all := new(Login).budget(id, home, false, "192.0.2.0/32")
		lasting := slices.DeleteFunc(slices.Clone(all), func(try throttle.Try) bool { return counts(own, try) })
		if len(own) == 0 || len(lasting) == 0 {
			t.Errorf("at %q: won back %v of %v", home, own, all)
		}
		for by, theirs := range others {
			if home != nil && slices.ContainsFunc(all, func(try throttle.Try) bool { return counts(theirs, try) }) {
				t.Errorf("a browser known by %q can use up %v", by, all)
			}
		}
	}
}

// counts tells whether a try counts against a limit of a budget.
func counts(budget []throttle.Try, try throttle.Try) bool {
	return slices.ContainsFunc(budget, func(t throttle.Try) bool { return t.Limit.Name == try.Limit.Name && t.By == try.By })
}
