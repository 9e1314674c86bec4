// Package policy keeps what the law leaves to the operator's regulation (order 82,
// p. 3): how long, how often, how many. Each item has a default and bounds in the
// source code; what the operator settles is a dated row, which two people made.
//
//	Propose ──▶ open ──┬─ Approve, by another ──▶ approved ── its date ──▶ in force, until the next one is
//	                   └─ Refuse ──▶ refused
//
// A value is never in force from a day before it was approved. Rows stay for ever:
// they tell what was in force when. Every node holds the values that are in force,
// and takes over a change within a second; no request asks the database.
package policy
