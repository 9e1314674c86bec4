// Package clients keeps the registered relying parties and checks what they
// claim to be (RFC 7591, OpenID Connect Registration).
//
// A client is what it has registered, with the strict value for whatever it left
// open. What we do not offer yet is refused when it is registered, rather than
// ignored when it is relied upon; members that we do not know are left out, as
// RFC 7591 §2 wants, and the answer shows what was kept.
//
// Every node holds all clients in memory. A change is written to the database,
// with its record, and taken over by the others within seconds.
package clients
