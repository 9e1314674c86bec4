// Package session is the browser's session with the provider: who signed in
// here, when and how strongly.
//
// The browser holds a random token in a cookie; Redis holds the session under
// the token's digest, so that a reader of Redis can use none of them. A session
// ends when it lies idle, when its total time is over, when the person signs
// out, and when the person's sign-ins are ended. It may also be lost: then the
// person signs in again. A session alone gives nothing: whatever is issued asks
// PostgreSQL whether the sign-in still counts (grant.Give).
//
//	session:{digest of token}   the session; lives as long as it may lie idle
//	sessions:{digest of person} digests of the person's sessions by auth_time
package session
