// Package factor is what people prove themselves by besides the password: their passkeys, an authenticator app, recovery codes.
//
//	             right answer, its counter higher
//	               ┌────┐
//	none ──Add──► bound ──Remove──► gone   the person, who came by one as strong
//	                │  └──Forget──► gone   the first password after an unblocking at the desk
//	                └─────Check───► gone   a passkey whose counter has gone back
//
// A passkey (WebAuthn Level 3) is a key pair that a device keeps for one site and uses after it has verified its
// user. It is two factors at once, nobody can be talked out of it, and another site cannot ask for it. All of them are
// discoverable, so that the browser offers them before anybody has typed who they are. What the authenticator is told
// of the person is a handle that means nothing elsewhere, and the identifier masked.
//
// An authenticator app (RFC 6238) shares a key with us and shows what it is by now; its counter is the step of time. It and recovery codes,
// of which each is good once, come after a password and are typed; so wrong ones are counted, with a budget for each browser that is known to
// the person. Somebody who guesses stops nobody else.
//
//	passkey          phishing-resistant                         Unphishable
//	authenticator    of what the person has                     Owned
//	recovery code    the same, spent                            Owned
//	code by SMS      of whoever has the number (login/code)     Message
//
// A [Proof] is a factor that was used rightly, for a [Purpose]. What it leads to uses it up in its own transaction, so that of two who answer
// at once one goes on.
//
// Only an active identifier has factors. Under a block they are worth nothing, but to lift a block that the person made. An unblocking at
// the desk does not bring them back: whoever held a stolen device, or had bound a key of their own before the block, would come back
// with the citizen. The assurance is that of the issuance, as before (eIDAS 2015/1502, annex 2.2.3): a document at
// the desk, the phone, a new password; factors are bound anew.
//
// Adding and removing are one transaction each with their record and a notice to the phone. The package owns the tables passkey, authenticator
// and recovery_codes, of which the first two are sealed and the third holds digests, passkey_answer with the challenges that a passkey was used by,
// and in Redis all that were answered and the keys that wait for an app to confirm them, sealed.
package factor
