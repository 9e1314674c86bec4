// Package grant is what one sign-in gave one client, and the end of it.
//
//	        Give                     End…, SignOut, Forestall
//	code ─────────▶ live grant ───────────────────────────────▶ ended
//	                  │   ▲                                        ▲
//	           Renew  └───┘ refresh token used twice, past grace ──┘
//
// A grant's id is the claim gid of every access token made from it, so one row
// ends them all: its refresh tokens by the row, its access tokens by the deny
// list in Redis.
//
// Where sessions end, and not one grant alone, the clients that took part in
// them are told: the notices are queued in the same transaction (backchannel).
//
// # Refused at once
//
// End writes ended(person, at) in the transaction of the act that calls for it.
// Give refuses a sign-in that is not later, and waits for whoever holds the
// identity's row, so that of a block and a code exchange in the same instant
// one comes first: either the grant is not given, or the block ends it. What
// Redis still holds is taken out after the commit, and once more by a job that
// was queued in the same transaction; a crash between the two lets nobody in.
//
// EndSpecimens does so for a client that goes live: Give then finds its stage.
//
// So do SignOut for one session and EndSessions for those at other browsers; the
// mark is the session's row in signed_out.
//
// # Locks
//
// Always in this order: identity, grant, refresh token.
package grant
