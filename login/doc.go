// Package login is the doors at which a citizen proves who they are, and looks after the means of it.
//
//	/sign-in ── right ──► known browser ────────────────────────► session, acr low
//	   │                  unknown browser, or more is asked
//	   │                     └─► /sign-in/authenticator
//	   │                         /sign-in/code
//	   │                         /sign-in/recovery-code ─ right ► session, acr substantial
//	   ├─ right, temporary ───► /sign-in/password ── formed ────► session, acr low, or the code where more is asked
//	   └─ a passkey's answer, also in place of the code ────────► session, acr substantial
//
// Who signs in anew proves no less than the session has at this browser that they go on with. Where a service asks for a fresh sign-in, by prompt=login or
// max_age, who has bound a factor shows it in any browser.
//
// Somebody who signs in is waited for: by an authorization request or by a page of ours. That is the
// provider's Interaction; every door ends by going back through it, and the provider decides what comes
// next. How far a person has come between two pages is kept in Redis under the interaction, so that
// reload and Back do no harm, and only the browser that began can go on. A form that comes twice, for its button was pressed twice or the line died before the
// answer came, leads on as the first time, into the same session. The request waits a day, and what was proved on the way an
// hour from the last look: each page says till when it is good, and warns before. Whoever comes later begins again for the same service, of
// which the browser has a copy, and is told so. On each page the person may refuse what the service asks, and the service hears so.
//
// The second step asks for what the person has bound (factor): what their app shows, or else a code by SMS, which stays the way of those
// who cannot; a recovery code stands in for the app. A passkey is offered where there is a browser that has them: by a button, by autofill,
// and in place of the second step. It is all that needs scripts. Once, with the first password, all of them are offered.
//
// The pages of the person signed in are /security, /security/password, /security/factors with a page for each kind, /security/phone,
// /security/sessions, /security/history and /block. They ask for a fresh sign-in where the act is grave; where factors are bound and given up,
// or another phone is asked for, for one of their own, by the strongest factor that the person has. So does the password of who has bound one. Where
// the strongest is asked, the second step offers nothing less. To end a session is safe and asks for none, and the block asks for no more
// than it did. Everybody may read /rules: what the operator has settled (policy).
//
// People and Rulings are doors of the management API: whom an edition of the register touched, and what the
// operator's staff settle.
//
// Who cannot sign in comes on an errand, which begins with the number and a code to the phone, and comes back to whoever waits:
//
//	/recover ─► the document ─► code ─► the factor where one is bound ─┬─ static ────► another password ─► session, acr substantial
//	         └► or none ──────► code ─► the factor that is bound ──────┤
//	                                                                   └─ temporary ─► another one by SMS
//	/block ──► the password, or a code ──► blocked
//	/not-me/… , the link in a warning ───► blocked
//	/unblock ─► the password ─► code ─► the factor where one is bound ──► another password ─► session, acr substantial
//
// Up to the right code an errand is alike for all numbers, to the byte and to the number of questions asked of the stores: to a number
// without an identifier, or with a blocked one, or with another document, or with none and no factor bound, the code simply never comes. So whoever
// knows only a number, which is printed on documents, uses up no codes of who comes with the document. Codes have budgets of their own in
// a known browser, and elsewhere in each network, and the last to block that strangers may have sent in a day comes with a link that blocks. The temporary
// password that comes so is tried apart from strangers, who could keep the number's tries used up and its person, who has no browser yet, from ever coming in;
// and so is the static one of who knows it, and has come to /recover only for them.
// Whoever fails with the password in hand closes the way back for a while, not for good, and never in a browser of the person's own.
//
// What is wrong with a sign-in is not told: an unknown number, a number without an identifier, a wrong
// password, a blocked identifier and an expired password get one answer, after the same work. That one
// tried too often is told openly, because it is counted alike for all numbers.
//
// The package holds no SQL; it needs provider and its leaves, and the rooms below it.
package login
