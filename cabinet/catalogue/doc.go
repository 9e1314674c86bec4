// Package catalogue is the list of what citizens can ask of bodies (order 82, p. 11): e-services and administrative
// procedures, with what each takes, costs and asks for, in three languages.
//
// It comes by editions. An edition is a file that says everything, and is taken in whole or not at all:
//
//	file ──Parse──▶ Edition ──Compare──▶ Report ──Import──▶ in force, and recorded
//	         │                    │
//	         ▼                    └─▶ ErrOld, ErrTaken, ErrEarly: nothing is written
//	      Faults, all at once
//
// A service that an edition does not tell of any more is closed and stays: applications point at it. One that comes
// again is restored.
//
//	(unknown) ──added──▶ in force ──closed──▶ closed
//	                      │    ▲                │
//	                      └────┴────restored────┘
//	                     changed
//
// A search takes a code, or how one begins; or words as people type them: in either state language or English, in any
// form, with letters that the other language has not, with slips, and with the keyboard left in the wrong layout. What the
// forms of a word have in common, its root, is written with each service when an edition comes (root.go, words.go), and so
// is what each word is with one of its letters hidden, by which one with a slip in it is known again (slip.go).
package catalogue
