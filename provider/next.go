package provider

import (
	"time"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/session"
)

// A Step is what somebody who waits needs now.
type Step int

// The steps. Login, Consent, Confirm and Answer are acts; the rest refuse, by the name of the error.
const (
	Login Step = iota + 1
	Consent
	Confirm
	Answer
	RefuseAccessDenied
	RefuseSandbox
	RefuseLoginRequired
	RefuseConsentRequired
)

// A Prompt is a set of prompt values (OpenID Connect Core §3.1.2.1).
type Prompt uint8

// Prompt values. A browser carries one session, so to select another account is to sign in anew.
const (
	PromptNone Prompt = 1 << iota
	PromptLogin
	PromptConsent
)

// A Question is all that Next looks at.
type Question struct {
	Prompt Prompt
	MaxAge time.Duration // negative: any
	ACR    string        // the least level asked; "" for any
	Hint   string        // digest of the subject that id_token_hint names; "" for none

	Asked    time.Time // when the request first came: a sign-in since then is fresh
	Session  session.Session
	Standing Standing // of the session's person
	Subject  string   // by which the client knows them
	Covered  bool     // a standing agreement covers the scopes, or none is needed
	Informs  bool     // the person is told, and not asked: what the client is given has an official basis
	Agreed   bool     // the consent page of this request was answered with yes, which is also Covered
	Refused  bool     // the person said no

	Draft bool // the client is in the sandbox

	Device    bool   // a device asks, of which the provider cannot tell whether it stands before the person (RFC 8628 §5.4)
	Confirmed string // the session whose person said that it does
}

// Next decides what a request needs now (OpenID Connect Core §3.1.2.3–6). It is the only place that does.
func Next(q Question, now time.Time) Step {
	fresh := !q.Session.AuthTime.Before(q.Asked)
	signedIn := !q.Session.IsZero() && q.Standing.Holds(q.Session.AuthTime) &&
		api.Level(q.Session.ACR) >= api.Level(q.ACR) &&
		(fresh || q.Prompt&PromptLogin == 0) &&
		(fresh || q.MaxAge < 0 || now.Sub(q.Session.AuthTime) < q.MaxAge)
	// An answer on the page does not say whose it was; the agreement that it led to does. Somebody else may have signed
	// in at this browser since.
	agreed := q.Covered && (q.Agreed || q.Prompt&PromptConsent == 0)
	silent := q.Prompt&PromptNone != 0

	switch {
	case q.Refused:
		return RefuseAccessDenied
	case !signedIn && silent:
		return RefuseLoginRequired
	case !signedIn:
		return Login
	case q.Draft != clients.Specimen(q.Standing.Identifier):
		return RefuseSandbox // made-up people sign in at drafts, and nobody else does
	case q.Device && q.Confirmed != q.Session.SID:
		return Confirm
	case !agreed && q.Standing.Incapable && !q.Informs:
		return RefuseAccessDenied // their consent would bind nobody
	case !agreed && silent:
		return RefuseConsentRequired
	case !agreed:
		return Consent
	case q.Hint != "" && q.Hint != digest(q.Subject):
		// Somebody else is here: an error, never a silent switch (§3.1.2.2).
		return RefuseLoginRequired
	}
	return Answer
}
