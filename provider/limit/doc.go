// Package limit slows down whoever asks too often, in process: it spends no round trip on them.
//
// Each caller has a bucket of tokens, kept as the one moment at which it is full again; that it is full needs no keeping.
//
//	full again at:   past ── full ──► now ── owes ──► now + burst × every ── empty ──►
//
// A node counts for itself: who is spread over n nodes has n times as much, and a node that starts anew has forgotten.
// Whatever has to hold across nodes, as tries at a password do, is counted in Redis (login/throttle).
//
// The table has a fixed size, for callers are strangers and have as many names as they like. Where it is full, whoever owes least is
// forgotten: a crowd of new names pushes out its own, and not the one in deep debt.
package limit
