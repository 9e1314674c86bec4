// Package printed sets what a desk puts on paper: the applications that people sign
// (resolution 792 ¶3, ¶6), and the slips that say why the desk has refused and how
// to appeal. They are in the languages of the state, one sheet of A4 each, black on
// white; a page of a sheet loads nothing and runs nothing.
//
// What was not given is left as a line to be filled in by hand.
package printed
