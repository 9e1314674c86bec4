package login

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/throttle"
	"asoba.example/provider"
	"asoba.example/provider/api"
)

// An act is something that people do, or try, so often and no more.
type act int

// Acts.
const (
	passwordToSignIn act = iota
	passwordToBlock
	passwordToUnblock
	numberToRecover // with which the errand begins; beyond it whoever comes with a document goes on
	numberToBlock
	documentToRecover
	codeToRecover // that is sent
	codeToBlock
	codeToUnblock
	factorOnErrand
	passwordSent // another temporary one
	codeOfOneself
	currentPassword
	passwordChange
	newPassword  // that is judged and hashed where none is asked for: at the first sign-in, on an errand
	wrongPasskey // that is recorded; what is beyond is answered alike, and a right one is held up by nothing
)

// limits is all that acts are counted by here, and what is beside where strangers have used up what they share: another limit, or another way. Codes
// are counted besides by whom they are sent to (login/code), and what is typed of factors by whose they are (login/factor). Whoever has proved something
// is no stranger.
//
// The password. At a number one counts for all strangers, whoever has how many networks; at a network all numbers count together, for whoever has a list of
// a million of them and tries each but once (password spraying). Beyond that the network goes on, but one by one, so that from one address
// there come twice as many guesses at most and nobody is shut out who lives behind the address of a mobile operator, or is told to wait for longer than a guesser
// keeps at it; to give each number something of its own there instead would give it to each of the million. A right password wins back what guesses could use
// up, so it uses up nothing of the neighbours', but how many are hashed in all for one browser, or for one number at one network, has an end.
var limits = map[act]budget{
	passwordToSignIn: {
		home: passwordAtHome, owner: passwordOfOwner, elsewhere: passwordElsewhere, brake: policy.TriesInAll,
		beside: []beside{atHome, asOwner},
	},
	passwordToBlock: {
		home: passwordAtHome, owner: passwordOfOwner, elsewhere: passwordElsewhere, brake: policy.TriesInAll,
		beside: []beside{atHome, byCodeToBlock},
	},
	passwordToUnblock: {
		home: passwordAtHome, owner: passwordOfOwner, elsewhere: passwordElsewhere, brake: policy.TriesInAll,
		beside: []beside{atHome, atDesk},
	},
	numberToRecover: {
		elsewhere: numberElsewhere, brake: policy.MessagesInAll,
		beside: []beside{atHome, withDocument},
	},
	numberToBlock: {
		elsewhere: numberElsewhere, brake: policy.MessagesInAll,
		beside: []beside{atHome, onceRecovered},
	},
	documentToRecover: { // a neighbour who knows the number can use up what both count: beside it stands another network
		home: []line{{limit: policy.RecoveriesAtHome, by: byBrowser}},
		elsewhere: []line{
			{limit: policy.RecoveriesElsewhere, by: byNumberAtNetwork},
			{limit: policy.RecoveriesOfNumber, by: byNumber, beyond: &line{limit: policy.BrakedRecoveries, by: byNumberAtNetwork}},
		},
	},
	codeToRecover: {elsewhere: codeElsewhere, beside: []beside{atHome, withDocument}},
	codeToBlock:   {elsewhere: codeElsewhere, beside: []beside{atHome, byLink}},
	codeToUnblock: {elsewhere: codeElsewhere, proved: true},

	factorOnErrand: {everywhere: []line{{limit: policy.RecoveryProofs, by: byPersonAtBrowser, right: forgotten}}, proved: true},
	passwordSent:   {everywhere: []line{{limit: policy.TemporaryPasswords, by: byPerson}}, proved: true},
	codeOfOneself: {
		everywhere: []line{{limit: policy.CodesOfNetwork, by: byNetwork, braked: policy.BrakedCodesOfNetwork}},
		brake:      policy.MessagesInAll, proved: true,
	},
	currentPassword: {
		everywhere: []line{
			{limit: policy.CurrentPasswordTries, by: byPersonAtBrowser, right: forgotten},
			{limit: policy.CurrentPasswordTriesInAll, by: byPerson},
		},
		proved: true,
	},
	passwordChange: {everywhere: []line{{limit: policy.PasswordChanges, by: byPerson}}, proved: true},
	newPassword:    {everywhere: []line{{limit: policy.NewPasswords, by: byPerson}}, proved: true},
	wrongPasskey:   {everywhere: []line{{limit: policy.WrongPasskeys, by: byPersonAtNetwork}}},
}

var (
	passwordAtHome = []line{
		{limit: policy.KnownBrowserTries, by: byBrowser, right: forgotten},
		{limit: policy.KnownBrowserTriesInAll, by: byBrowser},
	}
	passwordOfOwner = []line{
		{limit: policy.KnownBrowserTries, by: byInteraction, right: forgotten},
		{limit: policy.KnownBrowserTriesInAll, by: byInteraction},
	}
	passwordElsewhere = []line{
		{limit: policy.NetworkTries, by: byNetwork, braked: policy.BrakedNetworkTries, paced: true, right: returned},
		{limit: policy.NumberTries, pauses: policy.NumberPauses, by: byNumber, right: forgotten},
		{limit: policy.NumberTriesInAll, by: byNumberAtNetwork},
		{limit: policy.TriesInAll, by: byAll, right: returned},
	}
	// Each leaves a record, but for those beyond it that come with a document and to nothing; these wait for nobody. At home nothing is counted: whose
	// browser it is can act in an emergency, whatever the neighbours do.
	numberElsewhere = []line{{limit: policy.RecoveriesOfNetwork, by: byNetwork, braked: policy.BrakedCodesOfNetwork, paced: true}}
	// What strangers may have sent to one person, from wherever they ask.
	codeElsewhere = []line{{limit: policy.RecoveryCodesElsewhere, by: byTyped}}
)

// A budget is what an act counts against, in this order.
type budget struct {
	home       []line                    // at a browser that is known to whose number it is
	owner      []line                    // where the number's owner has shown that they are (provider.Interaction.Owner); nil: as elsewhere
	elsewhere  []line                    // at other browsers
	everywhere []line                    // at all of them
	brake      policy.Of[throttle.Limit] // while all together are beyond it, lines are what they are braked to
	proved     bool                      // only who has proved something comes to it
	beside     []beside                  // the ways that are open while strangers have used up what they share
}

// A beside is another way.
type beside string

// Ways.
const (
	atHome        beside = "a browser that is known"
	asOwner       beside = "a code, and the document or a factor, after which the tries are one's own"
	withDocument  beside = "the document: what is asked for with it is counted apart from what is asked for without"
	onceRecovered beside = "a recovery with the document: whoever is signed in blocks"
	byCodeToBlock beside = "a code to the phone"
	byLink        beside = "the link in a message to the phone"
	atDesk        beside = "the desk, which is shut at night: only where there is no other"
)

// A line is one limit of a budget.
type line struct {
	limit  policy.Of[throttle.Limit]
	pauses policy.Of[[]time.Duration] // between its tries; may be none
	by     key
	braked policy.Of[throttle.Limit] // what the limit is while there is too much in all
	paced  bool                      // beyond it tries go on one by one, as far apart as the limit has them on average
	beyond *line                     // what counts beyond it
	right  fate
}

// A key is what tries are counted by. For what all have tried together nobody is shut out.
type key int

// Keys.
const (
	byAll key = iota
	byNumber
	byNetwork
	byNumberAtNetwork
	byTyped // whatever was typed to say who somebody is
	byBrowser
	byInteraction
	byPerson
	byPersonAtNetwork
	byPersonAtBrowser // and at each browser that is known to them by that one, so that whoever sits at another stops nobody at home
)

// A fate is what becomes of tries once one was right.
type fate int

// Fates.
const (
	kept      fate = iota
	returned       // this one is given back
	forgotten      // with all before it
)

// An asker is who does an act, by all that they may be counted by.
type asker struct {
	purpose     code.Purpose // of the errand; "" for no errand
	number      string
	typed       uuid.UUID // alias of what was
	network     string
	browser     []byte // what it is known by to whose number it is; nil elsewhere
	interaction string // of the number's owner, as the table has it; "" for others
	person      uuid.UUID
}

// at tells where somebody is who tries a password.
func (a asker) at() identity.From {
	switch {
	case a.browser != nil:
		return identity.AtHome
	case a.interaction != "":
		return identity.AsOwner
	}
	return identity.Elsewhere
}

// key is what the asker is counted by.
func (a asker) key(by key) string {
	of := ""
	if a.purpose != "" {
		of = string(a.purpose) + " "
	}
	switch by {
	case byNumber:
		return a.number
	case byNetwork:
		return of + a.network
	case byNumberAtNetwork:
		return a.number + " " + a.network
	case byTyped:
		return of + a.typed.String()
	case byBrowser:
		return string(a.browser)
	case byInteraction:
		return a.interaction
	case byPerson:
		return a.person.String()
	case byPersonAtNetwork:
		return a.person.String() + " " + a.network
	case byPersonAtBrowser:
		return a.person.String() + string(a.browser)
	case byAll:
	}
	return ""
}

// of gives the lines that count an asker.
func (b budget) of(who asker) []line {
	own := b.elsewhere
	switch {
	case who.browser != nil:
		own = b.home
	case who.interaction != "" && b.owner != nil:
		own = b.owner
	}
	return slices.Concat(b.everywhere, own)
}

// A count is a line as it is in force, for somebody.
type count struct {
	line
	try    throttle.Try
	beyond *throttle.Try // what counts beyond it; nil for nothing
}

// counts gives what an act of somebody's counts against.
func (l *Login) counts(ctx context.Context, a act, who asker) (all []count, err error) {
	budget, braked := limits[a], time.Duration(0)
	lines := budget.of(who)
	if slices.ContainsFunc(lines, func(of line) bool { return of.braked.Name() != "" }) {
		if braked, err = l.cfg.Throttle.Look(ctx, throttle.Try{Limit: budget.brake.In(l.cfg.Policies)}); err != nil {
			return nil, err
		}
	}
	for _, of := range lines {
		if braked > 0 && of.braked.Name() != "" {
			of.limit = of.braked
		}
		c := count{line: of, try: throttle.Try{Limit: of.limit.In(l.cfg.Policies), By: who.key(of.by)}}
		if of.pauses.Name() != "" {
			c.try.Limit.Pauses = of.pauses.In(l.cfg.Policies)
		}
		switch {
		case of.paced:
			c.beyond = &throttle.Try{Limit: paced(c.try.Limit), By: c.try.By}
		case of.beyond != nil:
			c.beyond = &throttle.Try{Limit: of.beyond.limit.In(l.cfg.Policies), By: who.key(of.beyond.by)}
		}
		all = append(all, c)
	}
	return all, nil
}

// paced is the limit beyond another, by which tries go on one by one.
func paced(limit throttle.Limit) throttle.Limit {
	return throttle.Limit{Name: limit.Name + " paced", Tries: 1, In: limit.In / time.Duration(limit.Tries)}
}

// A taken is what an act was counted against.
type taken struct{ all, returned, forgotten []throttle.Try }

// take counts an act of somebody's, and tells how long to wait; zero means go on. What waits counts nowhere. It counts alike for numbers that exist
// and numbers that do not.
func (l *Login) take(ctx context.Context, a act, who asker) (t taken, wait time.Duration, err error) {
	counts, err := l.counts(ctx, a, who)
	if err != nil {
		return t, 0, err
	}
	for _, c := range counts {
		try := c.try
		wait, err = l.cfg.Throttle.Take(ctx, try)
		if err == nil && wait > 0 && c.beyond != nil {
			try = *c.beyond
			wait, err = l.cfg.Throttle.Take(ctx, try)
		}
		switch {
		case err != nil:
			return taken{}, 0, err
		case wait > 0 && c.by == byAll:
			continue
		case wait > 0:
			return taken{}, wait, l.cfg.Throttle.Return(ctx, t.all...)
		}
		t.all = append(t.all, try)
		switch c.right {
		case returned:
			t.returned = append(t.returned, try)
		case forgotten:
			t.forgotten = append(t.forgotten, try)
		case kept:
		}
	}
	return t, 0, nil
}

// look tells how long an act of somebody's would have to wait, and counts nothing.
func (l *Login) look(ctx context.Context, a act, who asker) (longest time.Duration, err error) {
	counts, err := l.counts(ctx, a, who)
	for _, c := range counts {
		wait, err := l.cfg.Throttle.Look(ctx, c.try)
		if err == nil && wait > 0 && c.beyond != nil {
			wait, err = l.cfg.Throttle.Look(ctx, *c.beyond)
		}
		if err != nil {
			return 0, err
		}
		longest = max(longest, wait)
	}
	return longest, err
}

// right wins back what wrong tries would use up.
func (l *Login) right(ctx context.Context, t taken) error {
	return errors.Join(l.cfg.Throttle.Forgive(ctx, t.forgotten...), l.cfg.Throttle.Return(ctx, t.returned...))
}

// asker tells who comes with a number: at a browser that is known to whose it is, as its owner, or as a stranger.
func (l *Login) asker(r *http.Request, i provider.Interaction, id identity.Identifier) (asker, error) {
	who := asker{number: id.Reveal(), network: api.Network(r)}
	person, err := l.cfg.Registry.Whose(r.Context(), id)
	if err != nil {
		return asker{}, err
	}
	if person != uuid.Nil && person == i.Owner {
		who.interaction = i.ID
	}
	who.browser, err = l.cfg.Browsers.KnownBy(r.Context(), r, person)
	return who, err
}
