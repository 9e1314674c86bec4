package provider

import (
	"crypto/x509"
	"net/http"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
)

// A client may prove itself by the certificate of its end of the connection (RFC 8705), on a listener of its own: the browsers of citizens
// are not to ask them for certificates. Only a connection that we ended ourselves tells of one; a header is a stranger's word.

// checkCertificate tells whether a certificate is the client's: one that a trusted authority issued to the registered subject (RFC 8705
// §2.1), or the very one, self-signed, that the client registered among its keys (§2.2).
func (p *Provider) checkCertificate(client *clients.Client, r *http.Request) error {
	chain := api.Certificates(r)
	if len(chain) == 0 {
		return refuse("invalid_client", "The client authenticates by its certificate, and none was shown.")
	}
	cert, now := chain[0], p.cfg.Now()
	if client.Metadata.TokenEndpointAuthMethod == "self_signed_tls_client_auth" {
		has, err := p.cfg.Clients.HasCertificate(r.Context(), client, cert)
		if err != nil {
			return refuse("invalid_client", "The client's keys cannot be read at its jwks_uri.").because(err)
		}
		if now.Before(cert.NotBefore) || now.After(cert.NotAfter) || !has {
			return refuse("invalid_client", "The certificate is not one of the client's.")
		}
		return nil
	}
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: p.cfg.ClientCAs, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil || p.cfg.ClientCAs == nil { // no pool would mean the roots of the system
		return refuse("invalid_client", "The certificate is not of an authority that is trusted here.").because(err)
	}
	if !client.IsNamedBy(cert) {
		return refuse("invalid_client", "The certificate is not the client's.")
	}
	return nil
}

// MountMTLS puts the calls on the mux of the listener that asks clients for certificates (RFC 8705 §5).
func (p *Provider) MountMTLS(mux api.Mux) {
	for _, c := range p.calls() {
		c.mount(mux, c.handle)
	}
}

// aliases are the addresses there, for discovery to tell; nil where there is no such listener.
func (p *Provider) aliases() *addresses {
	if p.cfg.MTLSURL == "" {
		return nil
	}
	return new(addressesAt(p.cfg.MTLSURL))
}

// authMethods are those by which a client can authenticate here: the ones by certificate only where somebody asks for it.
func (p *Provider) authMethods() []string {
	methods := authMethods
	if p.cfg.MTLSURL == "" || p.cfg.ClientCAs == nil {
		methods = without(methods, "tls_client_auth")
	}
	if p.cfg.MTLSURL == "" {
		methods = without(methods, "self_signed_tls_client_auth")
	}
	return methods
}
