// Package agreement keeps what a person has agreed to release to a client.
//
//	     Give                     Withdraw, or the term ends
//	─────────────▶ in force ─────────────────────────────────▶ over
//	                 │   ▲                                       │
//	            Give └───┘ (a new term)            Give          │
//	                 ▲───────────────────────────────────────────┘
//
// There is a row for each scope, because each was shown and agreed to on its
// own day and has a term of its own. The history is in the events.
//
// A client with an official basis is given values whether the person likes it or
// not, but not behind the person's back: the person is informed, and that is
// kept here in the same way. Being informed is not agreeing (law 99-Z, art. 5
// and 6): a row counts only for the basis under which it was made.
//
// A withdrawal ends what the client was given before, and while a scope stands
// withdrawn no grant with that scope is given (grant.Give), so that a code which
// is on its way at that moment is worth nothing.
package agreement
