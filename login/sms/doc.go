// Package sms keeps messages to phones until they have left.
//
//	act's transaction ── Outbox.Put ──► queued ──► delivered   the gateway has taken it
//	                                       └─────► failed      its term was over first
//
// A message is put into the transaction of the act it tells of, together with
// the job that will send it; no act waits for an operator's network, and none is
// told of that did not happen. Number and text are sealed while they wait and
// wiped once the message is settled (resolution 792 ¶7). The job carries the
// message's id and nothing else.
//
// A message may reach the gateway twice, if the program dies between the two;
// the gateway tells by its id.
package sms
