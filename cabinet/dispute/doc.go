// Package dispute is a citizen's word that a value of the profile is wrong (law 99-Z, art. 11). The value is not the
// cabinet's to change: the dispute is sent to whoever the value is from, and what they answer is told.
//
//	           the operator sends it on        the source's answer
//	received ───────────────────────────▶ sent ──────────────────▶ corrected, or upheld
//	   │  └──────────────────────────────────────────────────────────▲
//	   └──────────── the citizen takes it back ──▶ withdrawn ◀── sent
//
// While it is open, e-services are told that the value is disputed, and are not given it where the citizen wants so: of
// values that other systems told, not of the register's, which e-services have from the provider. Each act stands in the
// citizen's journal; what was said lies sealed.
package dispute
