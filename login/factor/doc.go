// Package factor is what people prove themselves by besides the password: their passkeys.
//
//	             right answer, its counter higher
//	               ┌────┐
//	none ──Add──► bound ──Remove──► gone   the person, who came by a passkey
//	                │  └──Forget──► gone   the first password after an unblocking
//	                └─────Check───► gone   an answer whose counter has gone back
//
// A passkey (WebAuthn Level 3) is a key pair that a device keeps for one site and uses after it has verified its
// user. It is two factors at once, nobody can be talked out of it, and another site cannot ask for it. All of them are
// discoverable, so that the browser offers them before anybody has typed who they are. What the authenticator is told
// of the person is a handle that means nothing elsewhere, and the identifier masked.
//
// Only an active identifier has passkeys. Under a block they are worth nothing. An unblocking at the desk does not
// bring them back: whoever held a stolen device, or had bound a key of their own before the block, would come back
// with the citizen. The assurance is that of the issuance, as before (eIDAS 2015/1502, annex 2.2.3): a document at
// the desk, the phone, a new password; passkeys are bound anew.
//
// Adding and removing are one transaction each with their record and a notice to the phone. The package owns the table
// passkey, whose records are sealed, and in Redis the challenges that were answered.
package factor
