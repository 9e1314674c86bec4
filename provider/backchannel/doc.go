// Package backchannel tells relying parties that a session is over (OpenID Connect Back-Channel Logout).
//
//	act's transaction ── Queue ──► queued ──► delivered   the client has answered 200
//	                               │    ▲ └─► failed      a day was over first, or the client is gone
//	                               └────┘ tried again after a pause, from a second to an hour
//
// An act that ends sessions writes a notice for each session and client into its own transaction, with the job that will deliver it: no act
// waits for a client, and no client is told of what did not happen. Who took part in a session is known by the grants that it gave, whatever
// has become of them since.
//
// The job mints a Logout Token at each try, so that none is old and none is stored. A client that is slow or dead holds up its own notices
// and nobody else's: the jobs have a queue of their own, a call has a term, and no client has more than a few calls at once.
//
// A notice may arrive twice, if the program dies between the two; to end an ended session changes nothing.
package backchannel
