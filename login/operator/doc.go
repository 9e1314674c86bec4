// Package operator is what the operator's staff does with people: who of them
// is a clerk, and their doors in the management API.
//
// A client's own token does nothing here: somebody acts who has signed in by more
// than a password, and a moment ago. Operators themselves are made and unmade at
// the terminal alone (idp clerk).
package operator
