// Package operator is what the operator's staff does with people: who of them is a
// clerk, which identifiers are blocked for security, and the doors of both in the
// management API; and those of the editions and events of the population
// register, which login/register keeps.
//
// Identifiers that somebody else may have taken over, one or many, are blocked by two:
//
//	Propose ──▶ open ──┬─ Approve, by another ──▶ approved: all of them blocked, in one transaction
//	                   ├─ Refuse, by another ───▶ refused
//	                   └─ Withdraw, by the same ▶ withdrawn
//
// Every sign-in so far ends with it, and each phone is told where to turn. The way back
// leads through a desk (login/identity).
//
// In the same way two restore somebody whom the register tells to be dead or missing, on
// the act that proves otherwise (order 82, p. 8); and so they undo that where it was a mistake.
//
// A client's own token does nothing here, but bring editions and events in and read of them: somebody acts who has signed in by more
// than a password, and a moment ago. Operators themselves are made and unmade at
// the terminal alone (idp clerk), so that no one of them can be two.
package operator
