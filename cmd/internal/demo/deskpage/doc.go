// Package deskpage is a page for the desk's clerks, by whoever runs desks: a relying party like any other. The clerk
// signs in at the provider; the forms call the desk API with the clerk's own token, and show what it answers. The operator's
// staff propose and decide security blocks and restorations here, and supervisors and auditors read what was signed, in the same way.
package deskpage
