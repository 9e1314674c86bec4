// Package eservice is a sample government e-service: the code to read first when connecting one of your own.
// It imports nothing of this module, only a standard client library (coreos/go-oidc with x/oauth2), so it may be copied whole.
//
//	browser          e-service            provider               cabinet
//	   │ GET /sign-in    │                    │                     │
//	   │◄── 303 ─────────┤ state, nonce, PKCE │                     │
//	   ├── GET /authorize ───────────────────►│ signs in, agrees    │
//	   │◄── 303 /callback?code&state&iss ─────┤                     │
//	   ├── GET /callback►│── code, verifier ─►│                     │
//	   │                 │◄─ ID, access token ┤                     │
//	   ├── GET / ───────►│── access token ────┼────────────────────►│
//	   │◄── page ────────┤◄─ profile ─────────┼─────────────────────┤
//	   │ POST /sign-out  │                    │                     │
//	   │◄── 307 ─────────┤ id_token_hint      │                     │
//	   ├── POST /logout ─────────────────────►│ ends the session    │
//	   │                 │◄─ logout_token ────┤ wherever it ended   │
//
// Files in reading order: config (what is agreed with the provider), routes, signin (the only protocol there is),
// signout, cabinet (an access token put to use), visit (who is signed in here), page.
package eservice
