// Package clients keeps the registered relying parties and checks what they
// claim to be (RFC 7591, OpenID Connect Registration).
//
//	Register ──▶ in use ◀── Disable, Enable ──▶ disabled
//	                │                               │
//	                └──────────── Remove ───────────┘
//	                                ▼
//	                        removed, for ever
//
// A client is what it has registered, with the strict value for whatever it left
// open. What we do not offer yet is refused when it is registered, rather than
// ignored when it is relied upon; members that we do not know are left out, as
// RFC 7591 §2 wants, and the answer shows what was kept.
//
// The keys of a client lie in its metadata or at an address of its own; they are
// given by Registry.Keys, and are good for nothing but to verify what it has signed.
// A pairwise client knows people by a sub that is made for its sector: a host, that of
// its redirect URIs or of the document that lists them.
//
// A client that is registered for a body begins as a draft, in the sandbox, and goes live when two people have wished it (stage.go; provider/body).
//
// Whoever has an initial access token registers a client, and that client manages
// itself (RFC 7592); it claims nothing that is an operator's to give.
//
// Find gives a client that is in use, and so decides what a client may ask for;
// Look gives a disabled one as well, to whoever only speaks of it.
//
// What of a client's ends soon is told with it, and to the operator each day (expiry.go).
//
// Every node holds all clients in memory. A change is written to the database
// over the version that whoever made it has seen, with the record of what it
// changed, and taken over by the other nodes within a second.
package clients
