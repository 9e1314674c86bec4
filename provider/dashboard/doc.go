// Package dashboard is the pages of the people who represent bodies: their e-services, from a draft to what citizens meet.
//
//	/e-services ──▶ /e-services/new ──▶ the secret, shown once
//	     │
//	     └────────▶ /e-services/ID ──▶ /e-services/ID/change    a draft is changed at once, of a live one it is proposed
//	                     └── propose, approve, refuse, withdraw, another secret, remove
//
// Whoever opens them is signed in by more than a password. The doors keep nothing and decide nothing: they call what the
// management API calls, provider/clients and provider/body, and what these refuse is said in the reader's language.
package dashboard
