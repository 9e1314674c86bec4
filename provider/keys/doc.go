// Package keys is the ring of signing keys.
//
//	        an hour at least         until it is rotated             a year
//	Next ──────────────────▶ Active ──────────────────▶ Retired ─────────────▶ Gone
//	                            │      compromised         │                    ▲
//	                            └──────────────────────────┴────────────────────┘
//
//	            signs   in JWKS           known to us      private part
//	Next                 ✓                 ✓                ✓
//	Active       ✓       ✓                 ✓                ✓
//	Retired              for an hour       ✓                wiped
//	Gone                                                    wiped
//
// There is one active key of each algorithm, and behind it one that is next. A
// rotation retires the one, makes the other active, and puts a new one behind it,
// in one transaction with its record. So what begins to sign was published long
// before (OpenID Connect Core §10.1.1): for an hour at least, though nobody may
// keep our JWKS for more than five minutes, because some keep it for longer. Who
// rotates sooner is told to wait.
//
// A retired key is published until nothing that it signed is good any more:
// nothing may be good for longer than [Longest]. As a hint an ID token is good for
// much longer: it tells whose session is meant, current or past, and may have
// expired (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2). A client may
// hold one for as long as a person's agreement with it lasts, so we know the key
// for a year. So an access token that is over tells the client whose it was of its
// session. We alone: others need no key of what they must not accept, and by
// [Ring.Key] we accept nothing else by it either. Its private part has been wiped,
// so nobody signs with it now.
//
// A key that others may have is not believed for a moment longer: it is gone with
// the retired ones, from JWKS and for hints. That breaks what it signed in the
// last minutes, and whoever keeps our JWKS believes in the key for as long as that.
// The key behind it is published already, so what is signed from now on is good
// everywhere.
//
// The schedule and the commands take turns under one lock in the database, and the
// hour keeps a second from rotating what the first just has: no node leads. Every
// node follows what the table says.
//
// A kid is the key's thumbprint (RFC 7638), so it never stands for two keys.
// Private keys lie in the database sealed, each in its own place; only the active
// ones are opened, held by the ring, and never leave it. Or they are in a hardware
// security module ([HSM]), and the database has only their labels; a retired one
// is destroyed there once every node has followed.
package keys
