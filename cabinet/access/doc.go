// Package access decides whether a sign-in may open a cabinet now.
//
// The provider tells the cabinet by its feed which sign-ins have ended. They are kept in the cabinet's database,
// written in the transaction that moves past the feed's entry, and read by the statement that admits: one round
// trip, and no moment in which the feed's cursor has passed a block that is not obeyed. What the feed said is worth
// something only while it speaks: after five seconds of silence each token is put before the provider; and a web session's,
// which is over long before the session is, so that it tells whether the sign-in is good.
package access
