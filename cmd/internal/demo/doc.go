// Package demo runs the whole system on one machine by one command, and plays the parts that other systems of the
// state play: the mobile network with everybody's phone, the registers of the population and of documents, a desk's own system, its page.
//
//	demo ─┬─ PostgreSQL (a child process, two databases with a role each) ── Redis, twice (embedded)
//	      ├─ idp        :8080 :8082 ┐
//	      ├─ cabinet    :8081       ├ started by the functions that their own commands use
//	      ├─ eservice   :8083       ┘
//	      └─ workbench  :8084   people · phones (idp's SMS gateway) · the register of documents · clients · the desk page
//
// Nothing of the system is faked: the register comes by the real import, clients by the management API, identifiers
// from the desk, and static passwords by walking through the pages. So no state can be met here that a citizen, a
// clerk or the register could not have made.
package demo
