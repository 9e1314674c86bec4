package login

import (
	"slices"
	"testing"

	"asoba.example/login/identity"
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

// strangers tells whether whoever knows a number, or sits at the same network, can use up what is counted by a line.
func strangers(of line) bool {
	return of.by == byAll || of.by == byNumber || of.by == byNetwork || of.by == byTyped
}

// The right password wins back what wrong ones could use up, and nothing else: how often anybody may have a password
// hashed has an end, at known browsers too and of who has proved something, and strangers cannot use up what is a known browser's, the number's owner's or theirs.
func TestNoPasswordIsHashedWithoutEnd(t *testing.T) {
	t.Parallel()
	for _, a := range []act{passwordToSignIn, passwordToBlock, passwordToUnblock, currentPassword, newPassword} {
		places := map[string][]line{"home": limits[a].home, "owner": limits[a].owner, "elsewhere": limits[a].elsewhere}
		if limits[a].proved {
			places = map[string][]line{"every browser": limits[a].everywhere}
		}
		for at, lines := range places {
			lasting := func(of line) bool { return of.right == kept && of.by != byAll }
			if !slices.ContainsFunc(lines, lasting) {
				t.Errorf("%d at %s: all is won back", a, at)
			}
			if at != "elsewhere" && slices.ContainsFunc(lines, strangers) {
				t.Errorf("%d at %s: strangers use up what is somebody's own", a, at)
			}
		}
	}
}

// Beside each limit that strangers share stands another, or another proof: whoever must be able to do something can, whatever state they are in, though
// no browser is known to them yet. Of what only the desk stands beside it is said why. At home strangers share nothing with anybody.
func TestBesideWhatStrangersShareStandsAnother(t *testing.T) {
	t.Parallel()
	needs := map[act][]identity.State{
		passwordToSignIn:  {identity.Temporary, identity.Active},
		passwordToBlock:   {identity.Active},
		passwordToUnblock: {identity.Blocked},
		numberToRecover:   {identity.Temporary, identity.Active},
		numberToBlock:     {identity.Active},
		documentToRecover: {identity.Temporary, identity.Active},
		codeToRecover:     {identity.Temporary, identity.Active},
		codeToBlock:       {identity.Active},
		wrongPasskey:      {},
	}
	deskAlone := map[act]string{
		passwordToUnblock: "it begins with the password, past which only a thief needs a way; and nothing can happen to who is blocked while they wait",
	}
	var can func(act, identity.State) bool
	leads := func(way beside, a act, of line, state identity.State) bool {
		switch way {
		case atHome: // where there is one
			return false
		case asOwner:
			return limits[a].owner != nil && state != identity.Blocked && can(numberToRecover, state) && can(documentToRecover, state) && can(codeToRecover, state)
		case withDocument:
			return state != identity.Blocked && can(documentToRecover, state)
		case onceRecovered:
			return state == identity.Active && can(documentToRecover, state) && can(codeToRecover, state)
		case byCodeToBlock:
			return state == identity.Active && can(numberToBlock, state) && can(codeToBlock, state)
		case byLink: // goes with the last of the codes
			return state == identity.Active && of.by == byTyped
		case atDesk: // no way at night
			return false
		}
		return false
	}
	can = func(a act, state identity.State) bool {
		for _, of := range slices.Concat(limits[a].everywhere, limits[a].elsewhere) {
			beyond := of.by == byAll || of.beyond != nil && !strangers(*of.beyond)
			if strangers(of) && !beyond && !slices.ContainsFunc(limits[a].beside, func(way beside) bool { return leads(way, a, of, state) }) {
				return false
			}
		}
		return true
	}
	for a := range wrongPasskey + 1 {
		budget, there := limits[a]
		states, needed := needs[a]
		if !there || needed == budget.proved {
			t.Errorf("%d is in the table %t, for strangers %t, needed %t", a, there, !budget.proved, needed)
		}
		_, excused := deskAlone[a]
		if named := slices.Contains(budget.beside, atDesk); named != excused {
			t.Errorf("%d: the desk is named %t, excused %t", a, named, excused)
		}
		for _, state := range states {
			if can(a, state) == excused {
				t.Errorf("%d: whose identifier is %s has something left beside strangers %t, excused %t", a, state, excused, excused)
			}
		}
		if slices.ContainsFunc(budget.home, strangers) {
			t.Errorf("%d: strangers use up something at home", a)
		}
	}
}
