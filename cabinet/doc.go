// Package cabinet holds the doors of the personal electronic cabinet: an API for e-services, which takes access tokens
// of the provider, and the web cabinet, where the citizen sees the same with a browser. To the provider the web
// cabinet is a relying party like any other.
//
//	e-service ── access token ──▶ API ──────────┐
//	                                            ├─▶ access.Gate ─▶ profile, dispute, contact, journal, catalogue   one round trip
//	citizen ── session in Redis ─▶ web cabinet ─┘
//
// What a request may see in the database is its subject's alone, whatever it asks for (wall).
//
// Whoever comes, and with every single request, the gate is asked: what the provider has ended is refused here within
// a second. A session of the web cabinet is over by a sign-out here, by a Logout Token of the provider's that says so,
// where the gate refuses it, or once it has rested, or lasted, for as long as any may. E-services hear of whom they may
// read by signals, here or at an address of theirs. What a token needs for a call stands in openapi.json, and the door
// reads it there. The catalogue is public knowledge: a client reads it by its own token too, and nobody's journal tells
// of it.
package cabinet
