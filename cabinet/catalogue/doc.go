// Package catalogue is the list of what citizens can ask of bodies (order 82, p. 11): e-services and administrative
// procedures, with what each takes, costs and asks for, in three languages.
//
// It comes by editions. An edition is a file that says everything, and is taken in whole or not at all:
//
//	file ──Parse──▶ Edition ──Compare──▶ Report ──Import──▶ in force, and recorded
//	         │                    │
//	         ▼                    └─▶ ErrOld, ErrTaken, ErrFar, ErrEarly: nothing is written
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
// form, with letters that the other language has not, with slips, and with the keyboard left in the wrong layout. Each node
// keeps the services in force in memory, and reads them anew when a search comes with the number of another edition (index.go).
// A word that was typed is looked for
//
//	by its root, which all forms have in common, and both state languages (root.go)
//	  or as what a word begins with
//	  or as the word of which a usual form is nearest to it, by one distance (vocabulary.go, slip.go): that is a guess, and told as one
package catalogue
