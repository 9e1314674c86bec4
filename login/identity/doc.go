// Package identity keeps the unique identifiers of people (resolution 792):
// who has one, in what state, with what phone and what password.
//
// The life of an identifier; no other move exists, and nothing leads back to
// "none", for the fact of an assignment must stay so that a second one can be
// refused (¶4):
//
//	none ──Issue──► temporary ──Activate──► active ◄─┐
//	                 ▲  │  ▲ ├─Reissue─────┐ │  └────┴─ChangePassword, Recover
//	                 │  │  │ └─Expire──────┤ │         ChangePhone
//	                 │  │  └───ChangePhone─┘ │
//	                 │  └───────┐   ┌────────┘
//	              Unblock     Block, Deactivate
//	                 │          ▼   ▼
//	                 └────── blocked (self, desk, security; register)
//
//	Issue           the desk, under its guards (¶4): a temporary password goes out by SMS
//	Reissue         the desk: another temporary password to the same phone, or to another one;
//	                the citizen himself, to the same phone
//	Expire          the clock: a temporary password whose term is over is destroyed
//	Activate        the citizen at the first sign-in, forming the static password (¶5)
//	ChangePassword  the citizen, as often as he likes (¶5)
//	Recover         the citizen who has lost the static password and proves himself otherwise
//	                (¶5); grave acts are frozen for a time
//	ChangePhone     the desk, while temporary or active, which it stays: the former phone
//	                is told, and a temporary password is replaced by one to the new phone
//	Block           self (only while active; NotMe: by the link in a warning), desk, security (¶6)
//	Deactivate      the register: death, declared dead, missing (order 82 p. 10); over a block of the
//	                citizen's own too, who does not come back from there without the desk; one of the
//	                desk's or of security stays, and that sign-ins end is told all the same
//	Restore         the register took that back: its block becomes the desk's
//	Incapacitate    a court has found the person incapable, in whatever state: sign-ins end
//	Renumber        the register gave the person another number, in whatever state: sign-ins end
//	UnblockSelf     the citizen, of a block of his own: with the password, a code and the factor that is bound,
//	                and another password
//	Unblock         the desk, on a written application (¶6, ¶7): a new temporary
//	                password, to the same phone or to another one; never over the
//	                register's block
//
// What is done to a password, a phone or a factor is told to the phone by a warning, whose link blocks, once, for
// whoever did not do it. It proves nothing else and signs nobody in.
//
// The citizen asks for another phone himself (AskPhone), proves it by a code (ConfirmPhone), and has it a day after
// the present one was told, unless it is given up before (CancelPhone): the life of a PhoneChange.
//
// A phone belongs to one identifier. That of a blocked one is kept for it until
// another person proves at a desk that the number is theirs now: then that person
// has it, and the blocked identifier has none until it is unblocked with another.
//
// A state moves by compare-and-set, and no wrong password moves it. Each act is
// one transaction with its record; what an act must end it ends there, and Redis
// is cleaned after the commit and again by a job. Slow hashing comes before the
// transaction.
//
// Phone, names and document are sealed, phone and document are found by a blind
// index, and a password is an Argon2id hash of a keyed digest. The package needs
// the register, whose people it speaks of, and an outbox for SMS.
package identity
