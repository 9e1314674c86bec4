// Package audit records what happened, in the transaction in which it happened,
// and hands it on in the order in which it was committed.
//
//	act's transaction ── Record ──▶ event without a place
//	                                      │  Sealer: one node at a time
//	                                      ▼
//	                          event with a place and a link ── Feed ──▶ cabinet, journals
//	                                      │  Roots: once a day
//	                                      ▼
//	                                signed root ── kept elsewhere ──▶ Verifier
//
// An act never waits for another act's event: it writes its own row and no more.
// The Sealer gives places afterwards, without gaps, to what it finds committed;
// whoever has read up to a place has therefore seen everything before it.
//
// Each event is linked to the one before it (provider/chain), and what was recorded
// can be neither changed nor taken out but by the owner of the tables. What is proved
// of whom depends on how far an event has come:
//
//	recorded         nobody but the owner can have changed it or taken it out
//	in its place     nor the owner, unless they have made the end of the chain anew as well:
//	                 a Verifier misses the newest event, too
//	under a root     nor the owner at all, for whoever has kept that root elsewhere
//
// It comes into its place within a second, and under a root within a day. Consumers
// of the feed who have read further than the chain then reaches are told (ErrCursor).
// Years of events go as a whole, when their time is over.
//
// Events hold no personal data. People are named by their internal id.
package audit
