package clients

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// A Client is a registered relying party or resource server. It does not change: a changed client is another one.
type Client struct {
	ID                 string
	Version            Version
	Metadata           Metadata
	Stage              Stage
	Owner              *uuid.UUID // the body; nil: the operator's own
	OwnedAt            *time.Time // since when it is that body's
	CreatedAt          time.Time
	ChangedAt          time.Time
	DisabledAt         *time.Time // nil: in use
	PreviousSecretTill *time.Time // nil: there is no previous secret

	secret    []byte // digest; nil for a client without one
	previous  []byte // of the secret before, good until PreviousSecretTill
	key       []byte // keys the digests
	removedAt *time.Time

	registration      []byte  // digest of the registration access token; nil for a client that does not manage itself
	registrationScope *string // the most that it may register itself for
}

// Format keeps the digest and its key out of every message a Client strays into.
func (c *Client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "client "+c.ID) }

// HasSecret tells whether the secret is the client's now: the present one, or the previous one in its time. Both are compared,
// each in constant time; a client without one has none.
func (c *Client) HasSecret(secret string, now time.Time) bool {
	shown := digest(c.key, secret)
	present := hmac.Equal(c.secret, shown)
	previous := hmac.Equal(c.previous, shown) && now.Before(*c.PreviousSecretTill)
	return present || previous
}

// newSecret makes a secret. The prefix lets scanners of leaked secrets know what they found.
func newSecret(prefix string) string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program instead
	return prefix + base64.RawURLEncoding.EncodeToString(b)
}

// digest is what is kept of a secret. The secret is random and long, so a slow hash would add nothing.
func digest(key []byte, secret string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(secret))
	return h.Sum(nil)
}

// Public tells that the client has no credentials.
func (c *Client) Public() bool { return c.Metadata.public() }

// ByKey tells that the client authenticates by a key that it alone has: no secret of it is anywhere to be copied from.
func (c *Client) ByKey() bool { return slices.Contains(byKey, c.Metadata.TokenEndpointAuthMethod) }

// Allows tells whether the client may ask for the scope (exact case).
func (c *Client) Allows(scope string) bool {
	return slices.Contains(strings.Fields(c.Metadata.Scope), scope)
}

// RedirectsTo tells whether uri is a registered redirect URI: character for
// character, but for the port of a native client's loopback address (RFC 8252 §7.3).
func (c *Client) RedirectsTo(uri string) bool {
	if slices.Contains(c.Metadata.RedirectURIs, uri) {
		return true
	}
	if c.Metadata.ApplicationType != "native" && !c.Public() {
		return false
	}
	asked, ok := withoutPort(uri)
	return ok && slices.ContainsFunc(c.Metadata.RedirectURIs, func(registered string) bool {
		registered, ok := withoutPort(registered)
		return ok && registered == asked
	})
}

// withoutPort gives a loopback redirect URI as it is but for the port; false for every other URI.
func withoutPort(uri string) (string, bool) {
	u, reason := absolute(uri)
	if reason != "" || u.Scheme != "http" || !loopback(u.Hostname()) {
		return "", false
	}
	rest := strings.TrimPrefix(uri, "http://"+u.Host)
	return u.Hostname() + rest, rest != uri
}

// Name is the client's official name in the language.
func (c *Client) Name(language string) string {
	if name := c.Metadata.ClientName.In(language); name != "" {
		return name
	}
	return c.ID
}

// SignIn is where a sign-in at the client may begin (OpenID Connect Core §4); "" where it has registered no such place.
func (c *Client) SignIn(issuer string) string {
	begins, err := url.Parse(c.Metadata.InitiateLoginURI)
	if err != nil || begins.String() == "" {
		return ""
	}
	q := begins.Query()
	q.Set("iss", issuer)
	begins.RawQuery = q.Encode()
	return begins.String()
}
