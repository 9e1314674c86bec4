package backchannel

import (
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"asoba.example/provider/clients"
	"asoba.example/provider/keys"
)

// goodFor is how long a Logout Token is good: two minutes at most (OpenID Connect Back-Channel Logout §2.4).
const goodFor = 2 * time.Minute

// event is the one that every Logout Token tells of.
const event = "http://schemas.openid.net/event/backchannel-logout"

// A token is a Logout Token (OpenID Connect Back-Channel Logout §2.4). It never has a nonce, or it could be taken for an ID token.
type token struct {
	Issuer   string              `json:"iss"`
	Subject  string              `json:"sub,omitempty"` // "" for somebody who has no identifier any more
	Audience string              `json:"aud"`
	IssuedAt int64               `json:"iat"`
	Expiry   int64               `json:"exp"`
	ID       string              `json:"jti"`
	SID      string              `json:"sid"`
	Events   map[string]struct{} `json:"events"`
}

// mint makes a Logout Token, signed as the client's ID tokens are (§2.4).
func mint(ring *keys.Ring, issuer string, client *clients.Client, sub, sid string, now time.Time) (string, error) {
	return ring.Sign(jose.SignatureAlgorithm(client.Metadata.IDTokenSignedResponseAlg), "logout+jwt", token{
		Issuer: issuer, Subject: sub, Audience: client.ID, SID: sid,
		IssuedAt: now.Unix(), Expiry: now.Add(goodFor).Unix(), ID: uuid.NewString(), Events: map[string]struct{}{event: {}},
	})
}
