// Package clients keeps the registered relying parties and checks what they claim to be.
package clients

import (
	"context"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Meanings.
var (
	ErrUnknown  = errors.New("no such client")
	ErrMetadata = errors.New("client metadata is not acceptable") // wrapped by *MetadataError, which names the member
)

// Bases on which values are released to a client.
const (
	BasisOfficial = "official" // on a legal basis: the person is informed
	BasisConsent  = "consent"  // the person agrees
)

// Metadata is what a client registers: RFC 7591 §2, and ours after it.
type Metadata struct {
	ClientName               Texts               `json:"-"` // client_name, client_name#be, …
	RedirectURIs             []string            `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs   []string            `json:"post_logout_redirect_uris,omitempty"`
	GrantTypes               []string            `json:"grant_types,omitempty"`
	ResponseTypes            []string            `json:"response_types,omitempty"`
	Scope                    string              `json:"scope,omitempty"`
	TokenEndpointAuthMethod  string              `json:"token_endpoint_auth_method,omitempty"`
	JWKS                     *jose.JSONWebKeySet `json:"jwks,omitempty"`
	IDTokenSignedResponseAlg string              `json:"id_token_signed_response_alg,omitempty"`
	ClientURI                string              `json:"client_uri,omitempty"`
	PolicyURI                string              `json:"policy_uri,omitempty"`

	Profile        string   `json:"profile,omitempty"` // baseline (default) or fapi2
	RequirePKCE    *bool    `json:"require_pkce,omitempty"`
	FirstParty     bool     `json:"first_party,omitempty"`     // asks no consent
	Basis          string   `json:"basis,omitempty"`           // official or consent (default)
	Purpose        Texts    `json:"-"`                         // why the values are asked: purpose, purpose#be, …
	LegalBasis     Texts    `json:"-"`                         // the law that lets the client ask: legal_basis, legal_basis#be, …
	Resources      []string `json:"resources,omitempty"`       // audiences it may ask tokens for (RFC 8707)
	ResourceServer string   `json:"resource_server,omitempty"` // the audience it serves, and so may introspect
}

// Texts say one thing in several languages; "" is the one for all others (RFC 7591 §2.2).
type Texts map[string]string

// In gives the text in the language, or else the one for all others, or else any: a person is never shown nothing
// where something was said.
func (t Texts) In(language string) string {
	for _, l := range []string{language, "", "ru", "be", "en"} {
		if text := t[l]; text != "" {
			return text
		}
	}
	return ""
}

// A Client is a registered relying party or resource server.
type Client struct {
	ID       string
	Metadata Metadata
	// unexported: secret digest
}

// HasSecret tells whether the secret is the client's, in constant time; never for a client without one.
func (c *Client) HasSecret(secret string) bool { panic("unwritten") }

// Allows tells whether the client may ask for the scope (exact case).
func (c *Client) Allows(scope string) bool { panic("unwritten") }

// RedirectsTo tells whether uri is a registered redirect URI: exactly, but for the port of a loopback address (RFC 8252 §7.3).
func (c *Client) RedirectsTo(uri string) bool { panic("unwritten") }

// Name is the client's official name in the language.
func (c *Client) Name(language string) string {
	if name := c.Metadata.ClientName.In(language); name != "" {
		return name
	}
	return c.ID
}

// Config is what a Registry needs.
type Config struct {
	Pool              *pgxpool.Pool
	Key               []byte // keys the digests of secrets; seal.Box.Key("client secrets")
	Now               func() time.Time
	AllowLoopbackHTTP bool
}

// A Registry is the register of clients, with an in-process copy so that no request reads it from the database.
type Registry struct{}

// New reads every client.
func New(ctx context.Context, cfg Config) (*Registry, error) { panic("unwritten") }

// Run follows changes made elsewhere until ctx ends.
func (r *Registry) Run(ctx context.Context) error { panic("unwritten") }

// Find gives a client or ErrUnknown. It reads the database only for an id it does not know.
func (r *Registry) Find(ctx context.Context, id string) (*Client, error) { panic("unwritten") }

// By says who changes a client, for the record.
type By struct {
	ClientID string    // the management client
	Person   uuid.UUID // or an operator
	At       time.Time
}

// Register adds a client; the secret is given once, and "" for clients without one. A chosen id may be "": one is made.
func (r *Registry) Register(ctx context.Context, id string, m Metadata, by By) (*Client, string, error) {
	panic("unwritten")
}

// Replace sets the client's metadata; Remove takes the client out of use; List gives all, by id.
func (r *Registry) Replace(ctx context.Context, id string, m Metadata, by By) (*Client, error) {
	panic("unwritten")
}
func (r *Registry) Remove(ctx context.Context, id string, by By) error { panic("unwritten") }
func (r *Registry) List(ctx context.Context) ([]*Client, error)        { panic("unwritten") }
