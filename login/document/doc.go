// Package document asks the register of identity documents, which another system
// of the state keeps, what it knows of the document that somebody shows.
//
// There may be no such register, and then the clerk's word is all there is. Where
// there is one it is asked over HTTP:
//
//	POST {"kind": "passport", "number": "MP1234567", "identification_number": "…"}
//	200  {"status": "valid" | "invalid" | "another_person" | "unknown"}
//
// Everything personal is in the body, so that no log of addresses has it. Whatever
// else comes of the call is no answer. Nothing is kept here: what was answered is
// kept with the act that rests on it.
package document
