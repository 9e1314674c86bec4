// Package pair is the rule that nobody settles alone what much depends on: one person proposes it, another decides.
//
//	open ──▶ approved    by another
//	  ├────▶ refused     by another
//	  └────▶ withdrawn   by who proposed it
//
// Whoever decides the same once more did not hear the answer, and is told what became of it.
//
// What is proposed lies in the rooms that it is about, whose tables hold the same rule.
package pair
