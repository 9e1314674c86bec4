// Package follow follows the provider's feed of changes, so that cabinets are as the register says, ended sign-ins
// are refused, and the citizen's journal tells what happened.
//
//	feed ──▶ Run ─┬─▶ journal                  one transaction with the cursor: an entry has its
//	              ├─▶ ended sign-ins           effects exactly once, whenever the program is killed
//	              ├─▶ disabled clients
//	              ├─▶ grants, and signals of their end
//	              ├─▶ activated cabinets, and joined ones
//	              └─▶ editions, events ──▶ RunEditions ──▶ cabinets, page by page of people as they come; the first edition's at once
//
// Reading an edition may take minutes; it stands apart so that a block is heard meanwhile. Whatever comes first, the
// person's record or the person's events, the outcome is the same; and what the register had taken back before anybody came
// to read of it, the events tell. Any number of nodes may follow: the cursor moves by compare-and-set, and pages of people
// are applied one after another. To start anew, set the cursor to 0: nothing doubles. Where the feed has dropped what comes
// next, everybody is read as they are, and the feed from there on: whoever was joined to another meanwhile is not among them.
//
// A single event of the register has a place among editions, and is read like one, but before the rest of an edition that was begun. The feed names
// the person of it and no values: those are asked of the provider, who tells how the person stands by then. Of each event there is an entry in the
// journal, and of each value that was otherwise here before, one of what it was and is. What changed more than once in between, while the cabinet was
// away above all, is one such change, and none where it changed back.
//
// Verify compares all cabinets with the register; Lag tells in metrics how far they are behind.
package follow
