package login

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/throttle"
	"asoba.example/provider"
	"asoba.example/provider/api"
)

// try counts by a limit that is in force.
func (l *Login) try(limit policy.Of[throttle.Limit], by string) throttle.Try {
	return throttle.Try{Limit: limit.In(l.policies), By: by}
}

// budget says what a try at a number counts against, and which of it a right password wins back. It counts alike for numbers that exist and
// numbers that do not. apart is what a browser is known by, or the interaction of the number's owner: each has a budget of its own, so that whoever
// sits at one of a person's shuts them out at no other. braked says that there are too many tries in all.
func (l *Login) budget(id identity.Identifier, apart []byte, braked bool, network string) (own, all []throttle.Try) {
	if apart != nil {
		own = []throttle.Try{l.try(policy.KnownBrowserTries, string(apart))}
		return own, []throttle.Try{own[0], l.try(policy.KnownBrowserTriesInAll, string(apart))}
	}
	own = []throttle.Try{l.try(policy.NumberTries, id.Reveal())}
	own[0].Limit.Pauses = policy.NumberPauses.In(l.policies)
	ofNetwork := policy.NetworkTries
	if braked {
		ofNetwork = policy.BrakedNetworkTries
	}
	return own, []throttle.Try{l.try(ofNetwork, network), own[0]}
}

// tryPassword counts a try at the password of a number, and tells what the browser is known by, what a right password wins back, and how
// long to wait. Who has no browser that is known yet, and proves by a document and a code whose the number is, goes on apart from strangers as well.
func (l *Login) tryPassword(
	r *http.Request, i provider.Interaction, id identity.Identifier,
) (home []byte, own []throttle.Try, wait time.Duration, err error) {
	person, home, err := l.atHome(r, id)
	if err != nil {
		return nil, nil, 0, err
	}
	apart := home
	if apart == nil && person != uuid.Nil && person == i.Owner {
		apart = []byte(i.ID)
	}
	if apart != nil {
		own, tries := l.budget(id, apart, false, "")
		wait, err = l.throttle.Take(r.Context(), tries...)
		return home, own, wait, err
	}
	inAll := l.try(policy.TriesInAll, "")
	crowded, err := l.throttle.Look(r.Context(), inAll)
	if err != nil {
		return nil, nil, 0, err
	}
	own, tries := l.budget(id, nil, crowded > 0, api.Network(r))
	wait, err = l.throttle.Take(r.Context(), tries...)
	if err == nil && wait == 0 { // only what is let through: what waits costs nothing, and of it one address has enough to brake all the others
		_, err = l.throttle.Take(r.Context(), inAll)
	}
	return nil, own, wait, err
}

// atHome gives whose a number is, and what the browser is known by to them; of a stranger nothing.
func (l *Login) atHome(r *http.Request, id identity.Identifier) (person uuid.UUID, home []byte, err error) {
	if person, err = l.registry.Whose(r.Context(), id); err != nil {
		return uuid.Nil, nil, err
	}
	home, err = l.browsers.KnownBy(r.Context(), r, person)
	return person, home, err
}

// tryDocument counts a try at the document of a number, and tells how long to wait. It counts alike for numbers that exist and numbers that do not.
// Where strangers have used up what all of them have together, each network goes on with a little of its own, or they could close the way back.
func (l *Login) tryDocument(r *http.Request, id identity.Identifier, home []byte) (wait time.Duration, err error) {
	ctx, number, network := r.Context(), id.Reveal(), api.Network(r)
	if home != nil {
		return l.throttle.Take(ctx, l.try(policy.RecoveriesAtHome, string(home)))
	}
	wait, err = l.throttle.Take(ctx, l.try(policy.RecoveriesElsewhere, number+" "+network))
	if err != nil || wait > 0 {
		return wait, err
	}
	wait, err = l.throttle.Take(ctx, l.try(policy.RecoveriesOfNumber, number))
	if err != nil || wait == 0 {
		return 0, err
	}
	return l.throttle.Take(ctx, l.try(policy.BrakedRecoveries, number+" "+network))
}

// share is what is asked for from one address counts against, that has codes sent: a limit of the network's or, while all messages together have used up
// what they may cost, a lesser one.
func (l *Login) share(r *http.Request, of policy.Of[throttle.Limit], what string) (throttle.Try, error) {
	braked, err := l.throttle.Look(r.Context(), l.try(policy.MessagesInAll, ""))
	if braked > 0 {
		of = policy.BrakedCodesOfNetwork
	}
	return l.try(of, what+api.Network(r)), err
}

// codeShare is that of a code of a sign-in or to a new phone, beside what code counts by the person and by the phone.
func (l *Login) codeShare(r *http.Request) (throttle.Try, error) {
	return l.share(r, policy.CodesOfNetwork, "")
}

// ownTry counts by a limit what a person who has proved something tries next: at a browser that is known to them by that one, so that whoever sits at
// another stops nobody at home, and everywhere else by the person.
func (l *Login) ownTry(limit policy.Of[throttle.Limit], person uuid.UUID, home []byte) throttle.Try {
	return l.try(limit, person.String()+string(home))
}
