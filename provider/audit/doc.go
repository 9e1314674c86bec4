// Package audit records what happened, in the transaction in which it happened,
// and hands it on in the order in which it was committed.
//
//	act's transaction ── Record ──▶ event without a place
//	                                      │  Sealer: one node at a time
//	                                      ▼
//	                                event with a place ── Feed ──▶ cabinet, journals
//
// An act never waits for another act's event: it writes its own row and no more.
// The Sealer gives places afterwards, without gaps, to what it finds committed;
// whoever has read up to a place has therefore seen everything before it.
//
// Events hold no personal data. People are named by their internal id.
package audit
