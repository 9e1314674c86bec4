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

// MountMTLS puts the endpoints that clients call by themselves on the mux of the listener that asks them for certificates (RFC 8705 §5).
func (p *Provider) MountMTLS(mux *http.ServeMux) {
	mux.Handle("POST /token", endpoint(p.token))
	mux.Handle("POST /par", endpoint(p.par))
	mux.Handle("GET /userinfo", endpoint(p.userinfo))
	mux.Handle("POST /userinfo", endpoint(p.userinfo))
	mux.Handle("POST /introspect", endpoint(p.introspect))
	mux.Handle("POST /revoke", endpoint(p.revoke))
	mux.Handle("POST /device_authorization", endpoint(p.authorizeDevice))
}

// aliases are the addresses of those endpoints.
type aliases struct {
	TokenEndpoint         string `json:"token_endpoint"`
	PushedRequestEndpoint string `json:"pushed_authorization_request_endpoint"`
	UserinfoEndpoint      string `json:"userinfo_endpoint"`
	IntrospectionEndpoint string `json:"introspection_endpoint"`
	RevocationEndpoint    string `json:"revocation_endpoint"`
	DeviceEndpoint        string `json:"device_authorization_endpoint"`
}

// aliases are what discovery tells of the listener; nil where there is none.
func (p *Provider) aliases() *aliases {
	at := p.cfg.MTLSURL
	if at == "" {
		return nil
	}
	return &aliases{
		TokenEndpoint: at + "/token", PushedRequestEndpoint: at + "/par", UserinfoEndpoint: at + "/userinfo", IntrospectionEndpoint: at + "/introspect",
		RevocationEndpoint: at + "/revoke", DeviceEndpoint: at + "/device_authorization",
	}
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
