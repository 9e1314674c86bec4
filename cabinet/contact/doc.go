// Package contact is what citizens tell the cabinet of themselves: how to reach them, and in which language and how large they
// like to read. It stands apart from the profile, since nobody has checked it: it proves nothing, nobody signs in by it, and no
// e-service is given it. Addresses and numbers lie in the database sealed; the journal says that they changed, never what
// they are.
package contact
