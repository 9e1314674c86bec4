// Package sms keeps messages to phones until they have left.
//
//	act's transaction ── Outbox.Put ──► queued ──► sent ──► delivered   the network took it; it says what became of it
//	                                      │ │        └────► failed      it never reached the phone, or nobody said so in time
//	                                      │ └─────────────► delivered   taken by a network that tells nothing more
//	                                      └───────────────► failed      its term was over first, or no phone has the number
//
// A message is put into the transaction of the act it tells of, together with
// the job that will send it; no act waits for an operator's network, and none is
// told of that did not happen. Number and text are sealed while they wait and
// wiped once the message has left (resolution 792 ¶7). The job carries the
// message's id and nothing else.
//
// There may be two gateways. Which one is about to be asked is written down
// before. One that refuses leaves the message to the other; one whose answer was
// not heard may have taken it, also if it was this program that died, and keeps
// it for a window of 30 seconds, in which no message is sent twice: a gateway
// without receipts is asked again and tells by the id, one with receipts is left
// to bring one. Then the other is asked. A code that comes late and twice is
// better than a person without one.
//
// What a gateway has taken counts, whatever it is of, against what all messages
// together may cost. Beyond that none is held back here, and a metric tells the
// operator; it is whoever has codes sent without much proof that has fewer then.
package sms
