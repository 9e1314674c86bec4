// Package browser is the browsers a person is known to sign in from.
//
// A browser carries, in a cookie, a random token for each person who signs in there; the table known_browser keeps its digest. The tokens have nothing
// in common: two people who share a browser cannot be told from the table, and none makes a browser known for another by a token they have seen.
// A browser stays known for 180 days after its last sign-in, or until thirty others have had one since. Being known lets nobody in: it spares
// the code by SMS, and gives the person's own tries a budget that strangers cannot use up.
//
// Of each is kept what kind it is and, in words, from where the last sign-in came; never an address.
//
// The person sees their browsers with the sessions at them, ends one session, all others or all, and makes
// a browser a stranger again. It is one transaction with its record and the notices to those who took part.
package browser
