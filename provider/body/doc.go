// Package body keeps the bodies that run e-services, the people who represent them, and what these want of their
// clients: mission R166, by which no one person takes an e-service to citizens.
//
//	a client:    Register ──▶ draft ──────── Propose, Approve ───────▶ live ◀── Propose, Approve
//	                          changed at will by any representative    changed by what two people wish
//
//	a proposal:  open ──▶ approved   by another representative, or an operator: never by who made it
//	               ├────▶ refused    by the same, for a reason
//	               └────▶ withdrawn  by who made it
//
// A proposal is the whole of what the client is to be, over the version that its author saw: of a client that has
// changed since it changes nothing. When a draft goes live all that made-up people were given there ends in the
// same transaction.
//
// The clients themselves are kept by provider/clients. By is whoever acts for a body, as that room asks: everything
// there that By changes is checked, in its own transaction, to be a client of a body that the person represents.
package body
