// Package profile is a citizen's cabinet as a fact (order 82): its state, and the official data that the population
// register sent. Nobody edits them here.
//
//	              primary sign-in (p. 9)
//	not activated ─────────────────────▶ activated
//	     ▲  │                                │
//	     │  └──────────────┬─────────────────┘
//	     │                 │ death, declared dead, missing (p. 10)
//	     │   reversal      ▼
//	     └───────────  deactivated
//
// The register has no names, so neither has a profile. Blocking belongs to the identifier, not to the cabinet.
package profile
