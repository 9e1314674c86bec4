// Package fetch calls addresses that others have named.
//
// A client registers where its keys lie (jwks_uri), where its sector is told (sector_identifier_uri) and where it wants to hear of a
// sign-out. Whoever may register a client could so have the provider call on systems that only the provider's network reaches, and there
// are names that lead there by and by. A [Caller] therefore judges neither names nor what an address looks like: it judges the very
// address that a connection is about to be made to, and lets none through that is not on the open Internet.
//
//	https only                 what is asked, and who answers, is nobody else's business
//	open Internet only         checked as the connection is made, after names were resolved: a name that means another address the next
//	                           time gains nothing
//	no redirects, no proxy     the address that was registered is the one that is called
//	no cookies, no connection  one call tells nothing to the next
//	that is used again
//	64 KB, 3 seconds           and a bounded number at once: a client that is slow holds up nobody but itself
//
// Other systems of the state, which the operator names, are called in the same way, by a Caller that may go into private networks.
//
// [Documents] keeps what is called for often.
package fetch
