// Package keys is the ring of signing keys.
//
//	Next ──▶ Active ──▶ Retired
//
// One key of each algorithm is active and signs. The ring publishes all of them:
// a key is there before it first signs, and stays until nothing it signed is
// alive (OpenID Connect Core §10.1.1). A kid is the key's thumbprint (RFC 7638),
// so it never stands for two keys.
//
// Private keys lie in the database sealed, each in its own place; in memory they
// are held by the ring and never leave it.
package keys
