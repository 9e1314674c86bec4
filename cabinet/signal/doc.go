// Package signal tells e-services what becomes of the citizens whose profiles they may read while these are away: that a value has
// changed, that they may read no longer. It tells no value: whoever may read it comes and reads.
//
//	act's transaction ── Tell, End ──▶ signal ── Seal ──▶ its place ─┬─▶ an address, as a signed Security Event Token (RFC 8417, RFC 8935)
//	                                                                 └─▶ the feed, from any place on, for thirty days
//
// Who may read, the provider's feed tells: a client that was granted the profile together with offline_access, from the grant until its end,
// and no longer than thirty days. Whoever was granted it for a visit alone reads when the citizen comes.
//
// An e-service is told one thing after the other: the next one only once it has taken the one before, or a day of trying is over. All
// that is remembered is how far it was told, so that to tell again is to set that back. A program that dies between the two tells one
// thing twice, under one jti.
package signal
