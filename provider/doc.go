// Package provider is the OpenID Provider: the endpoints that relying parties and resource servers speak to.
//
//	e-service          browser                       provider                        login, consent
//	    │  GET or POST /authorize                        │                                  │
//	    │─────────────────►│────────────────────────────►│ read: is the request right?      │
//	    │                  │                             │ Next: what does it need?         │
//	    │                  │        /sign-in, /consent   │   Login, Consent                 │
//	    │                  │◄────────────────────────────│                                  │
//	    │                  │─────────────────────────────────────────────────────────────►  │ the pages
//	    │                  │        /authorize?interaction=…                                │
//	    │                  │◄───────────────────────────────────────────────────────────────│
//	    │                  │────────────────────────────►│ Next, again                      │
//	    │   code, iss      │                             │   Answer, Refuse…                │
//	    │◄─────────────────│◄────────────────────────────│
//	    │  POST /token                                   │ authenticate, redeem, settle, make
//	    │───────────────────────────────────────────────►│
//	    │  access token, ID token                        │
//	    │◄───────────────────────────────────────────────│
//
// Who waits is an [Interaction]; pages never route to one another, they all return to /authorize, where [Next] decides from what is known
// then; or to /device, where it does the same for a device that has no browser (device.go). Its browser has a sealed copy of the request, from
// which it begins anew where Redis has lost it (copy.go). What the provider offers and what each client
// is held to is one table, policy.go; discovery tells it and the endpoints hold to it.
//
// A client that is tried out, a draft, is for made-up people alone, and a live one for everybody but them: Next says so, grant.Give holds
// it, and a draft gets nothing in its own name (clients/stage.go).
//
// The provider asks others two things: how a person stands ([Accounts]) and what they agreed to ([Consents]). It knows no passwords, no
// documents and no pages but its own few.
//
// # Round trips
//
//	authorize, with a live session   Redis: session │ PostgreSQL: standing and agreement │ Redis: code
//	authorize, a pushed request      Redis: the request │ and the same again
//	par                              Redis: the request
//	token, a code                    Redis: code    │ PostgreSQL: standing, the grant
//	token, a refresh token           PostgreSQL: the token │ PostgreSQL: standing, renewal
//	device_authorization             Redis: the device
//	token, a device code             Redis: the device │ PostgreSQL: standing, the grant, once it is approved
//	token, an exchange               Redis: deny list │ PostgreSQL: the grant │ PostgreSQL: standing, the record
//	token, client_credentials        none
//	introspection                    Redis: deny list │ PostgreSQL: the sign-in, of a token that is over
//	userinfo                         Redis: deny list │ PostgreSQL: standing, claims
//
// A client assertion, a DPoP proof or both add one trip to Redis, to be good once. No request holds a connection while it waits for another.
// The limits of clients are kept in process and cost none (limits.go).
//
// # fosite
//
// github.com/ory/fosite is the skeleton under /authorize and /token (fosite.go), but for the grants that it does not know. It stores nothing
// and answers nothing by itself; client authentication, tokens, stores, errors, introspection, revocation, logout and discovery are ours.
package provider
