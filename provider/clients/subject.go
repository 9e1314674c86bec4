package clients

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// SubjectTypes are how a client may know people: by the identifier, or by a sub that is made for its sector (OpenID Connect Core §8).
var SubjectTypes = []string{"public", pairwise}

const pairwise = "pairwise"

// Pairwise tells that the client is not to know people by their identifier.
func (c *Client) Pairwise() bool { return c.Metadata.SubjectType == pairwise }

// Sector is the host for which a pairwise sub is made: clients of one sector know a person by the same (OpenID Connect Core §8.1).
func (c *Client) Sector() string { return c.Metadata.sector() }

func (m Metadata) sector() string {
	if m.SectorIdentifierURI != "" {
		return host(m.SectorIdentifierURI)
	}
	return host(m.RedirectURIs[0])
}

func host(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// checkSubject keeps a pairwise client from all that would tell it the identifier: an access token is read by whoever holds it, and an API
// that knows people by their identifier would not know whom it is for.
func (m *Metadata) checkSubject() error {
	if m.SectorIdentifierURI != "" {
		if reason := landing(m.SectorIdentifierURI); reason != "" {
			return wrong("sector_identifier_uri", reason)
		}
	}
	if m.SubjectType != pairwise {
		return nil
	}
	for _, s := range strings.Fields(m.Scope) {
		if !slices.Contains(IdentityScopes, s) {
			return wrong("scope", "has one of an API that knows people by their identifier: not for a pairwise client")
		}
	}
	switch {
	case slices.Contains(m.GrantTypes, deviceCode): // nothing is sent to a redirect URI, so to name one proves no sector
		return wrong("grant_types", "has the device grant, which is not for a pairwise client")
	case m.SectorIdentifierURI != "":
	case len(m.RedirectURIs) == 0:
		return wrong("sector_identifier_uri", "is missing: there is no redirect URI to tell a pairwise client's sector")
	case m.ApplicationType == "native": // everybody's own machine is no sector
		return wrong("sector_identifier_uri", "is missing: a native client has no host to tell its sector")
	case slices.ContainsFunc(m.RedirectURIs, func(uri string) bool { return host(uri) != m.sector() }):
		return wrong("sector_identifier_uri", "is missing: the redirect URIs of a pairwise client have several hosts")
	}
	return nil
}

// checked gives the metadata with every default filled in, or a *MetadataError.
func (r *Registry) checked(ctx context.Context, m Metadata) (Metadata, error) {
	m, err := m.checked()
	if err != nil {
		return m, err
	}
	return m, r.checkSector(ctx, m)
}

// checkSector has the sector itself say that all redirect URIs belong to it (OpenID Connect Registration §5).
func (r *Registry) checkSector(ctx context.Context, m Metadata) error {
	if m.SectorIdentifierURI == "" {
		return nil
	}
	var members []string
	document, err := r.sectors.Get(ctx, m.SectorIdentifierURI)
	if err != nil || json.Unmarshal(document, &members) != nil {
		return wrong("sector_identifier_uri", "cannot be read: it must lead to a JSON array of redirect URIs")
	}
	for _, uri := range m.RedirectURIs {
		if !slices.Contains(members, uri) {
			return wrong("sector_identifier_uri", "leads to a list that lacks a redirect URI")
		}
	}
	return nil
}
