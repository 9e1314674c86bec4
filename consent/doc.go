// Package consent is where a person sees who asks for what, with the very
// values, and agrees or refuses; and where the person looks at what was agreed
// to and takes it back.
//
//	GET, POST /consent     the page of an authorization request (Next: Consent)
//	GET, POST /agreements  what this person has agreed to
//
// There are two pages for a request. A client that is given values because the
// person agrees asks: the page says what the law wants said before consent
// (law 99-Z, art. 5: who, why, which data, for how long, what refusing means,
// how to take it back). A client with an official basis informs. Both can be
// refused: then the browser goes back with access_denied and nothing is released.
//
// Neither page decides anything: it keeps the agreement and goes back to the
// authorization endpoint, which asks again whether all is covered.
package consent
