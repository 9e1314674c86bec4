// Package factortest is a device with passkeys, and the browser before it, for tests: it answers rightly until it is told to lie.
package factortest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
)

// A Device keeps one passkey. The fields after the first may be changed between two answers.
type Device struct {
	t      testing.TB
	Origin string // of the page that asks
	RPID   string // of the site that the passkey is for
	Absent bool   // the user is there, but not verified
	Count  uint32 // of answers; zero for ever at a device that does not count
	Counts bool
	Handle []byte // of its user, as the site has told it

	ID  []byte
	key *ecdsa.PrivateKey
}

// New makes a device that counts, before a page of the site.
func New(t testing.TB, origin, rpID string) *Device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	return &Device{t: t, Origin: origin, RPID: rpID, Counts: true, ID: id, key: key}
}

// Flags of authenticator data (WebAuthn Level 3 §6.1).
const (
	present  = 1 << 0
	verified = 1 << 2
	attested = 1 << 6
)

// Make makes the passkey that PublicKeyCredentialCreationOptionsJSON invites, and gives RegistrationResponseJSON.
func (d *Device) Make(invitation string) string {
	d.t.Helper()
	var asked struct {
		Challenge string
		User      struct{ ID string }
	}
	d.read(invitation, &asked)
	d.Handle = d.bytes(asked.User.ID)
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		d.t.Fatal(err)
	}
	public := d.cbor(webauthncose.EC2PublicKeyData{
		PublicKeyData: webauthncose.PublicKeyData{KeyType: int64(webauthncose.EllipticKey), Algorithm: int64(webauthncose.AlgES256)},
		Curve:         int64(webauthncose.P256), XCoord: point[1:33], YCoord: point[33:],
	})
	data := d.data(attested)
	data = append(data, make([]byte, 16)...) // AAGUID: of no make
	data = binary.BigEndian.AppendUint16(data, uint16(len(d.ID)))
	data = append(append(data, d.ID...), public...)
	return d.write(map[string]any{
		"clientDataJSON":    d.client("webauthn.create", asked.Challenge),
		"attestationObject": d.cbor(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data}),
		"transports":        []string{"internal"},
	})
}

// Use answers PublicKeyCredentialRequestOptionsJSON by AuthenticationResponseJSON.
func (d *Device) Use(question string) string {
	d.t.Helper()
	var asked struct{ Challenge string }
	d.read(question, &asked)
	if d.Counts {
		d.Count++
	}
	data, client := d.data(0), d.client("webauthn.get", asked.Challenge)
	digest := sha256.Sum256(client)
	signed := sha256.Sum256(append(append([]byte{}, data...), digest[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, signed[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return d.write(map[string]any{
		"clientDataJSON": client, "authenticatorData": data, "signature": signature, "userHandle": d.Handle,
	})
}

func (d *Device) data(flags byte) []byte {
	flags |= present
	if !d.Absent {
		flags |= verified
	}
	site := sha256.Sum256([]byte(d.RPID))
	return binary.BigEndian.AppendUint32(append(site[:], flags), d.Count)
}

func (d *Device) client(kind, challenge string) []byte {
	text, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": d.Origin, "crossOrigin": false})
	if err != nil {
		d.t.Fatal(err)
	}
	return text
}

func (d *Device) read(asked string, to any) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(asked), to); err != nil {
		d.t.Fatalf("the page asks %q: %v", asked, err)
	}
}

func (d *Device) bytes(text string) []byte {
	d.t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		d.t.Fatal(err)
	}
	return raw
}

func (d *Device) cbor(v any) []byte {
	d.t.Helper()
	raw, err := webauthncbor.Marshal(v)
	if err != nil {
		d.t.Fatal(err)
	}
	return raw
}

// write writes what PublicKeyCredential.toJSON gives: bytes are base64url.
func (d *Device) write(response map[string]any) string {
	d.t.Helper()
	for name, value := range response {
		if raw, ok := value.([]byte); ok {
			response[name] = base64.RawURLEncoding.EncodeToString(raw)
		}
	}
	id := base64.RawURLEncoding.EncodeToString(d.ID)
	text, err := json.Marshal(map[string]any{
		"id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform", "clientExtensionResults": map[string]any{},
		"response": response,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}
