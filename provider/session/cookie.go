package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
)

// tokenSize is in bytes; 256 bits cannot be guessed, so the token is the whole proof.
const tokenSize = 32

func newToken() string {
	b := make([]byte, tokenSize)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b)
}

// digest is the part of a key that stands for a secret or a person.
func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// cookieName has the prefix that keeps sub-domains and plain http from setting
// the cookie (RFC 6265bis §4.1.3.2) wherever the provider is reached by https.
func (s *Store) cookieName() string {
	if s.secure {
		return "__Host-idp_session"
	}
	return "idp_session"
}

// setCookie hands the browser its token. It has no Max-Age: it goes when the
// browser is closed, and the session's own end is decided here, not there.
// Lax, not Strict: a person who comes from an e-service is still signed in.
func (s *Store) setCookie(w http.ResponseWriter, token string) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(), Value: token, Path: "/",
		Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (s *Store) clearCookie(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(), Path: "/", MaxAge: -1,
		Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// key is where the request's session lies, or "" when its cookie is none of ours.
func (s *Store) key(r *http.Request) string {
	c, err := r.Cookie(s.cookieName())
	if err != nil || base64.RawURLEncoding.DecodedLen(len(c.Value)) != tokenSize {
		return ""
	}
	return sessionKey(digest([]byte(c.Value)))
}

// Each session and each person is an aggregate with a hash tag of its own.
func sessionKey(digest string) string { return "session:{" + digest + "}" }
func personKey(digest string) string  { return "sessions:{" + digest + "}" }
