// Package manage is the management API's doors that belong to the provider:
// clients, the feed of changes, and the document that describes the whole API.
//
// Its callers are operators, desks and other systems of the state, each with an
// access token of this provider for this API (RFC 9068). Bearer is that check,
// for the rooms whose doors stand beside these as well.
package manage
