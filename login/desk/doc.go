// Package desk is the issuing service's work upon identifiers (resolution 792
// ¶3, ¶4, ¶6): the rules of an issuance, of changes of phone, of blocks, unblocks and
// reissues, and their doors in the management API.
//
// An issuance is one visit, and so is whatever else brings another phone: a change of
// phone, and an unblocking or another temporary password where a phone comes with it.
// In each the phone is confirmed:
//
//	Open ──────────► opened ──ConfirmPhone──► confirmed ──Assign──► assigned
//	guards, a code      │ Resend                  guards again, and in one act: identifier and
//	goes to the phone   └──┘                      temporary password; or the phone, of which the
//	                                              former one is told, and what was asked besides
//
// A visit and its first code are one act: where no code may go yet, nothing is opened.
// It is over some time after it was opened, a visit's (login/policy), or with the assignment;
// where it came to nothing, it is forgotten like what waits too long.
// Everything else is one request.
//
// Who did not hear the answer asks again. In a visit that is known by the visit; a request that opens one, is all there is, or has
// another code sent carries a key of the clerk's choice (Idempotency-Key), by which is found what it has done: nothing else is done,
// and nothing more is sent. A key that comes with another request is refused. What is told again counts against no rate; but a scan counts
// whenever it comes, before it is read, and apart from acts. A refusal has done nothing, so it is looked at again: what can be done by now
// is done, and who is refused the same is told of the same refusal.
//
// The population register, where it can be asked, is asked about whoever is served; where it
// does not answer, what is known of them counts.
//
// An issuance for which a register does not answer, that of documents or ours because
// the person will be in its next edition, is kept as pending: nothing is issued, and no
// code is sent. When the register is back any clerk of that office goes on with it:
//
//	Open ──────────► pending ──Resume──► opened
//	guards but those    │                guards, by who has come again; a code goes to the phone
//	that must wait      ├──Withdraw──► withdrawn: nobody goes on with it, and what was written down is wiped
//	                    └── forgotten when its term is over (login/policy)
//
// # Guards
//
// What must hold, as data (guard.go); what does not is refused with the guard's
// code. Every refusal that decides of the person at the counter is recorded, by a guard or
// not (refusal.go). Every guard is looked at inside the transaction that acts, so that nothing
// can come between; of two desks that assign at one moment, the identity's keys let one through.
// What another system says is asked just before. A block waits for none: blocking must
// be easy.
//
//	g1  a valid identity document was presented
//	g2  no identifier was assigned to this person before, whatever became of it
//	g3  the person has confirmed the use of the phone, during this visit; or, where none comes,
//	    during an earlier one, and it is still theirs
//	g4  the phone is not used with another identifier; that of a blocked one, which stays with it
//	    until now, is released to whoever has confirmed it, for operators give numbers out again
//	g5  the clerk has attested what the act needs: holder and particulars, and the phone where one
//	    comes; a change of phone the holder and the phone
//	g6  the person is in the register, and neither dead, declared dead nor missing
//	g7  the register of documents, where there is one, reports the document neither invalid nor
//	    another person's; and where the act gives access to an identifier that exists, by an
//	    unblocking, a temporary password or another phone, reports it valid and this person's:
//	    unknown is not enough. Where there is no register the clerk's word stands, and is kept
//	    as such; so does it for a block while the register is silent, and that is kept
//	g8  the person is certainly of the age from which an identifier is issued (login/policy)
//	g9  the clerk does not serve himself
//
// What a clerk attests, each a sentence of ¶3 and ¶4:
//
//	holder       the holder of the document is the person who applied
//	particulars  the particulars in the application and the document are correct and genuine
//	phone        the person uses the number of a national cellular operator
//
// At an issuance each is said. In every other act whoever says none of them attests by
// the request itself all that the act needs; whoever says some must say all.
//
// # Who acts
//
// A clerk, always: with a token of their own (scope desk:act), or named by a
// desk's system whose client has that scope, and authenticates by a key of its own
// (private_key_jwt, or a certificate; FAPI 2.0 Security Profile §5.3.2.1): whoever has
// copied a secret must not speak for every clerk. A system that names nobody does
// nothing to anybody. In a visit it opened, the clerk it named there goes on.
//
// The office is the clerk's own, in every record, limit, report and alert. A system may
// say where it stands; if the clerk works elsewhere it is refused.
//
// A clerk's own token counts only by a sign-in with more than a password (RFC 9470).
//
// # Who watches
//
// Reading what is held of a person needs a purpose, and is in the person's journal
// (lookup.go). A clerk, an office and a system do so many acts in an hour and no more, and
// a person is sent so many temporary passwords anew in a day (rate.go). What is unusual
// of any act raises an alert, in the transaction of what was done (alert.go): it forbids
// nothing, and a supervisor is to look, whom a report tells what each clerk has done
// (report.go). Whoever has had a phone is told of every act that brings another one.
//
// Nobody here sees a password or a code: they go to the citizen's phone, and the
// desk learns whether the message has left (¶7).
//
// # On paper
//
// An application is printed before it is signed, filled in from the clerk's screen;
// of a refusal a slip is printed, by the number under which it is on record: why,
// what can be done now, and how to appeal (login/desk/printed).
//
// What was signed is kept with its act once that is done, scanned and sealed, by the clerk who did it or a supervisor of
// the office. Another scan puts a wrong one right, which stays beside it, and the newest is read first. Such a supervisor
// or an auditor reads them, for a purpose, and the person sees that in the journal.
package desk
