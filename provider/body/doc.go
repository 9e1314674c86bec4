// Package body keeps the bodies that run e-services, the people who represent them, and what these want of their
// clients. No one of them takes an e-service to citizens alone.
//
//	a client:    Register ──▶ draft ──────── Propose, Approve ───────▶ live ◀── Propose, Approve
//	                          changed at will by any representative    changed by what two people wish
//
//	a proposal:  open ──▶ approved   by another representative, or an operator: never by who made it
//	               ├────▶ refused    by the same, for a reason
//	               └────▶ withdrawn  by who made it
//
// A proposal is the whole of what the client is to be. Its author names the version that they saw, and over other
// metadata than that one's it changes nothing. When a draft goes live all that made-up people were given there ends in the
// same transaction; when a client is given to another body (Give) what was proposed of it is withdrawn.
//
// No one changes a live client of a body's alone, nor removes it: not a system of the operator's either, which may disable it and say
// whose it is. The operator's command at the terminal stays all-powerful, to go live included.
//
// The clients themselves are kept by provider/clients. By is whoever acts for a body, as that room asks: everything
// there that By changes is checked, in its own transaction, to be a client of a body that the person represents.
package body
