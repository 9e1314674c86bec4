// Package journal is the citizen's journal (order 82, p. 4): what happened to the identifier, at the desk, in the
// cabinet and by e-services, newest first. It only grows; an entry that came by the provider's feed stands once,
// however often the feed is read, and under the id that the provider's audit has for its event.
//
//	act's transaction ── Append ──▶ entry without a place
//	                                     │  Sealer: one node at a time
//	                                     ▼
//	               entry with a place and a link in the chain of its month
//	                                     │  Roots: once a day
//	                                     ▼
//	                              signed root ── kept elsewhere ──▶ Verifier
//
// An act never waits for another act's entry: it writes its own row and no more. Each entry is linked to the one
// before it in the month in which it happened (provider/chain), and what was written can be neither changed nor
// taken out but by the owner of the tables; the roots prove it of the owner too. A month goes as a whole when its
// time is over, and leaves the chains of the others as they are.
//
// What a citizen does not recognise becomes a Report, once, with an entry of its own; operators read the reports, and
// Watch counts them. Receipts tell, from the entries, who was given the citizen's data.
package journal
