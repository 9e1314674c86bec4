// Package keys is the ring of signing keys.
//
//	Next ──▶ Active ──▶ Retired
//
// One key of each algorithm is active and signs. The ring publishes all of them,
// so that a key can be there before it first signs, and stay until nothing it
// signed is alive (OpenID Connect Core §10.1.1). A kid is the key's thumbprint
// (RFC 7638), so it never stands for two keys.
//
// As yet no act moves a key along: New makes those that are missing, active at
// once, and every node follows what the table says.
//
// Private keys lie in the database sealed, each in its own place; in memory they
// are held by the ring and never leave it.
package keys
