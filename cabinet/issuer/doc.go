// Package issuer is the provider as the cabinet sees it: from outside, by its URL and its discovery document, with
// the cabinet's own client key in hand. It gives the keys that sign tokens, asks whether a token is still good, gets
// the token by which the feed is read, and signs citizens in to the web cabinet.
//
// Nothing is asked before it is needed, so the cabinet starts while the provider is away.
package issuer
