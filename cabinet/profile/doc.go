// Package profile is a citizen's cabinet as a fact (order 82): its state, and the official data that the population
// register and other systems of the state told. Nobody edits them here.
//
//	              primary sign-in (p. 9)
//	not activated ─────────────────────▶ activated
//	     ▲  │                                │
//	     │  └──────────────┬─────────────────┘
//	     │                 │ death, declared dead, missing (p. 10)
//	     │   reversal      ▼
//	     └───────────  deactivated
//
// Two cabinets whose people turn out to be one become one.
//
// The register has no names, so neither has a profile, unless another system told one. Blocking belongs to the
// identifier, not to the cabinet.
//
// Other systems are asked at the primary sign-in and on four occasions (p. 12), and the one that a disputed value is from when it was corrected;
// in the background, about one person once at a time, by what the act itself has written:
//
//	         occasion                 its turn                   a whole answer
//	at rest ──────────▶ due ─────────────────────▶ asked ──────────────────────────▶ at rest, heard
//	   ▲                 ▲                           │ none
//	   │                 │  longer each time         ▼
//	   └─────────────────┴───────────────────────  silent: its last word stands, with its date
//	     after the last time
//
// Which systems those are the operator says, by acts with a record; a node's settings name their addresses alone. Of several sources' words the
// latest holds. What they told lies sealed; the journal tells that a value changed, and what it was and is stands beside it, sealed too.
package profile
