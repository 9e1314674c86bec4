// Package manage is the management API's doors that belong to the provider:
// clients and the bodies whose they are, the feed of changes, the search for events,
// and the document that describes the whole API, for programs and for people.
//
// Its callers are operators, desks and other systems of the state, each with an
// access token of this provider for this API (RFC 9068); and people who act for
// bodies, with one of their own (caller.go). Bearer is that check,
// for the rooms whose doors stand beside these as well.
//
// Bodies are held to the document. Who changes a thing may name the version
// that they have seen (If-Match); who makes one may send the request again without
// making a second (Idempotency-Key, see provider/answer).
package manage
