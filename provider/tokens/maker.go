package tokens

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"maps"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"asoba.example/provider/api"
	"asoba.example/provider/keys"
)

// A Maker makes and reads the provider's JWTs.
type Maker struct {
	Ring   *keys.Ring
	Issuer string
	IDFor  func() time.Duration // how long an ID token is good that is made now
}

// Types of our JWTs (RFC 9068 §2.1). A reader asks for one and takes no other.
const (
	typeAccess = "at+jwt"
	typeID     = "JWT"

	typeIntrospection = "token-introspection+jwt" // RFC 9701 §5
	typeUserInfo      = "userinfo+jwt"            // not that of ID tokens: it must be no hint (RFC 8725 §3.11)
)

// An Access is what an access token says (RFC 9068 §2.2). Those of client_credentials have neither grant nor session.
type Access struct {
	Subject  string
	ClientID string
	Audience []string
	Scopes   []string
	Claims   []string // that UserInfo tells beyond those of the scopes
	GID      uuid.UUID
	SID      string
	AuthTime time.Time
	ACR      string
	AMR      []string
	Act      *api.Actor       // of a token that was exchanged (RFC 8693 §4.1)
	Via      []string         // the clients that it was exchanged from
	Bound    api.Confirmation // to whom it is bound; zero for whoever bears it
	Till     time.Time
}

type accessClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience []string `json:"aud"`
	Expiry   int64    `json:"exp"`
	IssuedAt int64    `json:"iat"`
	ID       string   `json:"jti"`
	ClientID string   `json:"client_id"`
	Scope    string   `json:"scope"`
	Claims   []string `json:"userinfo,omitempty"`
	AuthTime int64    `json:"auth_time,omitempty"`
	ACR      string   `json:"acr,omitempty"`
	AMR      []string `json:"amr,omitempty"`
	GID      string   `json:"gid,omitempty"`
	SID      string   `json:"sid,omitempty"`

	Act   *api.Actor       `json:"act,omitempty"`
	Via   []string         `json:"via,omitempty"`
	Bound api.Confirmation `json:"cnf,omitzero"`
}

// Access makes an access token.
func (m *Maker) Access(a Access, now time.Time) (string, error) {
	id, err := uuid.NewRandom()
	if err != nil {
		return "", err
	}
	c := accessClaims{
		Issuer: m.Issuer, Subject: a.Subject, Audience: a.Audience, ClientID: a.ClientID,
		Expiry: a.Till.Unix(), IssuedAt: now.Unix(), ID: id.String(),
		Scope: strings.Join(a.Scopes, " "), Claims: a.Claims, ACR: a.ACR, AMR: a.AMR, SID: a.SID, Act: a.Act, Via: a.Via, Bound: a.Bound,
	}
	if a.GID != uuid.Nil {
		c.GID, c.AuthTime = a.GID.String(), a.AuthTime.Unix()
	}
	return m.Ring.Sign(jose.ES256, typeAccess, c)
}

// An ID is what an ID token says (OpenID Connect Core §2). Of the person it says what was asked of it by name (§5.5); what scopes give is
// UserInfo's (§5.4).
type ID struct {
	Subject  string
	ClientID string
	Nonce    string
	AuthTime time.Time
	ACR      string
	AMR      []string
	SID      string
	Claims   map[string]any
}

type idClaims struct {
	Issuer          string   `json:"iss"`
	Subject         string   `json:"sub"`
	Audience        string   `json:"aud"`
	Expiry          int64    `json:"exp"`
	IssuedAt        int64    `json:"iat"`
	AuthTime        int64    `json:"auth_time"`
	Nonce           string   `json:"nonce,omitempty"`
	ACR             string   `json:"acr,omitempty"`
	AMR             []string `json:"amr,omitempty"`
	SID             string   `json:"sid,omitempty"`
	AccessTokenHash string   `json:"at_hash,omitempty"`
}

// ID makes an ID token that stands beside an access token.
func (m *Maker) ID(alg jose.SignatureAlgorithm, t ID, accessToken string, now time.Time) (string, error) {
	own := idClaims{
		Issuer: m.Issuer, Subject: t.Subject, Audience: t.ClientID,
		Expiry: now.Add(m.IDFor()).Unix(), IssuedAt: now.Unix(), AuthTime: t.AuthTime.Unix(),
		Nonce: t.Nonce, ACR: t.ACR, AMR: t.AMR, SID: t.SID,
		AccessTokenHash: halfHash(alg, accessToken),
	}
	if len(t.Claims) == 0 {
		return m.Ring.Sign(alg, typeID, own)
	}
	text, err := json.Marshal(own)
	if err != nil {
		return "", err
	}
	all := maps.Clone(t.Claims)
	if err := json.Unmarshal(text, &all); err != nil { // over the person's claims, none of which may pass for one of ours
		return "", err
	}
	return m.Ring.Sign(alg, typeID, all)
}

type introspectionClaims struct {
	Issuer        string   `json:"iss"`
	Audience      []string `json:"aud"`
	IssuedAt      int64    `json:"iat"`
	Introspection any      `json:"token_introspection"`
}

// Introspection signs what a resource server is told of a token (RFC 9701 §5). The server is meant by all its names: some libraries look for
// the audience that it serves, others for the client_id that it asks by. It has neither sub nor exp, so that nobody takes it for the token.
func (m *Maker) Introspection(alg jose.SignatureAlgorithm, server []string, answer any, now time.Time) (string, error) {
	return m.Ring.Sign(alg, typeIntrospection, introspectionClaims{m.Issuer, server, now.Unix(), answer})
}

// UserInfo signs what UserInfo tells one client (OpenID Connect Core §5.3.2).
func (m *Maker) UserInfo(alg jose.SignatureAlgorithm, clientID string, claims map[string]any) (string, error) {
	claims["iss"], claims["aud"] = m.Issuer, clientID
	return m.Ring.Sign(alg, typeUserInfo, claims)
}

// halfHash is the left half of the digest that goes with alg (OpenID Connect Core §3.1.3.6): SHA-512 for Ed25519, else SHA-256.
func halfHash(alg jose.SignatureAlgorithm, token string) string {
	var h hash.Hash
	switch alg {
	case jose.EdDSA:
		h = sha512.New()
	default:
		h = sha256.New()
	}
	h.Write([]byte(token))
	sum := h.Sum(nil)
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// ErrNotOurs says that a token is not an ID token of ours.
var ErrNotOurs = errors.New("not an ID token of this issuer")

// A Hint is what an ID token says that comes back as id_token_hint.
type Hint struct {
	Subject  string
	ClientID string
	SID      string
}

// longest bounds what is parsed: longer than any token of ours.
const longest = 8 << 10

// ReadHint reads an ID token of ours. It may have expired (OpenID Connect Core §3.1.2.1), and be signed with a key since retired; an
// access token is no hint.
func (m *Maker) ReadHint(token string) (Hint, error) {
	if len(token) > longest {
		return Hint{}, ErrNotOurs
	}
	parsed, err := jwt.ParseSigned(token, keys.Algorithms)
	if err != nil {
		return Hint{}, fmt.Errorf("%w: %w", ErrNotOurs, err)
	}
	header := parsed.Headers[0]
	if typ, _ := header.ExtraHeaders[jose.HeaderType].(string); typ != typeID {
		return Hint{}, fmt.Errorf("%w: typ is not %s", ErrNotOurs, typeID)
	}
	key, err := m.Ring.PastKey(header.KeyID)
	if err != nil {
		return Hint{}, fmt.Errorf("%w: %w", ErrNotOurs, err)
	}
	if key.Algorithm != header.Algorithm {
		return Hint{}, fmt.Errorf("%w: its key signs %s", ErrNotOurs, key.Algorithm)
	}
	var c idClaims
	if err := parsed.Claims(key, &c); err != nil {
		return Hint{}, fmt.Errorf("%w: %w", ErrNotOurs, err)
	}
	if c.Issuer != m.Issuer || c.Subject == "" { // a signed answer is of the same typ, and about nobody
		return Hint{}, fmt.Errorf("%w: of another issuer, or about nobody", ErrNotOurs)
	}
	return Hint{Subject: c.Subject, ClientID: c.Audience, SID: c.SID}, nil
}
