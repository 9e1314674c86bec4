package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"

	"asoba.example/provider/clients"
)

// Subjects says as whom a client knows a person. What one sector is told of a person and a session means nothing to another (OpenID Connect
// Core §8.1): it is made under a key, so that nobody can try people out.
type Subjects struct {
	Key []byte // of what pairwise clients are told: seal.Box.Key("pairwise subjects")
}

// Of gives the sub: the identifier; or, for a pairwise client, a value of its sector's. That is made of who the person is to us, so that it
// outlives a change of the identifier.
func (s Subjects) Of(c *clients.Client, person Standing) string {
	if !c.Pairwise() {
		return person.Identifier
	}
	return s.forSector(c, "sub", person.Person.String())
}

// SID gives the sid: the session's; or, for a pairwise client, a value of its sector's, for else two sectors would find each other's subs
// together in one session.
func (s Subjects) SID(c *clients.Client, sid string) string {
	if !c.Pairwise() {
		return sid
	}
	return s.forSector(c, "sid", sid)
}

func (s Subjects) forSector(c *clients.Client, claim, value string) string {
	h := hmac.New(sha256.New, s.Key)
	_, _ = io.WriteString(h, claim+"\x00"+value+"\x00"+c.Sector())
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}
