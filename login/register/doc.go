// Package register is the population register as we hold it: everyone it tells
// of, by monthly editions (order 82, p. 5) and by single events between them.
//
// The register is the truth about sex, birth, citizenship and the five facts;
// nobody here corrects it. It gives no names, addresses, phones or documents.
// It needs PostgreSQL alone. What an edition means for identifiers is the
// business of login/identity, which is called in the transaction that applies it.
//
// An edition is a file, full or delta, and lives so:
//
//	        Import
//	file ──────────▶ staging ─────────────────────────▶ applied
//	                  │   │                                ▲
//	  too many rows   │   └──▶ waiting ──Release, by ──────┘
//	  of it are bad   │           │ │    another
//	                  ▼           │ └────Withdraw, by ──▶ withdrawn
//	               refused ◀──────┘      the same
//	                    Refuse, by another
//
// While it is staging, its rows are copied piece by piece beside the register,
// and how far they are is committed with each piece: an import that was killed
// goes on from there when the same file comes again. It waits where it would
// deactivate, or leaves out, more people than one person may answer for. What it says is applied
// in one transaction, so that readers see all of it or nothing, and only where it
// differs from what is known.
//
// The very first load is not staged: its rows go straight to their place, in the
// transaction that applies them. To move ten million people twice would take longer
// than a kill can cost, and it has nobody to deactivate.
//
// An event is an edition of one: it is compared and written in the same way, in
// one transaction, and has a place among editions, by which the feed's consumers
// read of it. It alone tells that an identification number has become another one;
// the former one is nobody else's. Where an edition made somebody of the new
// number before, the two are one by the event, and an id is no more, unless what
// is told of them, or rests on them, keeps them apart. Of two that tell of one
// person, editions or events, that counts which the register says as of the later
// time, whichever comes first: an older event is refused, and an older edition's
// row withheld, and told by its line. So is what the operator has taken back
// (Restore), and only that, while the register says the very same, or until that is
// taken back in its turn (Undo). An edition that
// does not say as of when it tells was made between two moments, its month's
// beginning and when it came: what an event tells as of a time between them stays;
// but no death is lost in the edition that was not taken back, and the event takes
// none back:
//
//	               NotBefore              NotAfter
//	─────────────────────┼────────────────────┼─────────────────────▶ time of the event
//	the event is refused │ both tell of ends; │ the edition's row is
//	or gives way         │ else the event's   │ withheld
//
// Whoever a full edition does not tell of stays as they are, and is told to the
// operator: they are not dead because a file forgot them.
package register
