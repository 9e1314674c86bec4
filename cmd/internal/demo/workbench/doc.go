// Package workbench is the demo's own site: the made-up people with their phones, the clients with their
// credentials, links into every part, and the same as JSON for testers' tools. It knows what a tester may know and
// asks nobody's database: states come from the feed of changes, passwords from what the phones received and from
// what the demo itself typed.
package workbench
