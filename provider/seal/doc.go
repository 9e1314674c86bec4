// Package seal keeps personal columns and keys unreadable at rest.
//
// A master key, which the database never sees, wraps two key sets that lie in
// the table key_set: one encrypts (AES-256-GCM), one derives (HMAC-SHA-256).
// What is sealed is bound to its place, named table:column:row, so a sealed
// value that is moved to another row or column does not open. A blind index
// finds a sealed value without opening any: a keyed digest, of no use without
// the key, where a plain digest of a phone number could be tried in minutes.
//
// A key of the set that encrypts goes its way by hand (Rotate, Reseal, Retire):
//
//	next ── every node knows it ──▶ it seals ── another one does ──▶ it opens ── all is sealed anew ──▶ gone
//
// What is carried and not kept, in cookies and in Redis, is sealed by a Pouch, whose key is derived.
package seal
