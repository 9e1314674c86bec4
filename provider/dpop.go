package provider

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
)

// caller tells which client makes a request, and what the tokens that it gets are bound to: the key of its DPoP proof, where it sends one
// (RFC 9449 §5), and its certificate, where it is registered for that (RFC 8705 §3.4). Everything is checked before anything is used up, so
// that a client that is sent away for a nonce comes back with the same assertion and the same code (RFC 9449 §8).
func (p *Provider) caller(w http.ResponseWriter, r *http.Request, values url.Values) (*clients.Client, api.Confirmation, error) {
	var bound api.Confirmation
	client, assertion, err := p.identify(r.Context(), r, values)
	if err != nil {
		return nil, bound, err
	}
	proof, err := p.proof(w, r, client)
	if err != nil {
		return nil, bound, err
	}
	if certs := api.Certificates(r); policyOf(client).mtls && len(certs) > 0 {
		bound.Certificate = api.CertificateThumbprint(certs[0])
	}
	var once turn
	if proof != nil {
		bound.Key = proof.Thumbprint
		once = turn{proof.Place, proof.For, refuse("invalid_dpop_proof", "The DPoP proof was used before.")}
	}
	return client, bound, p.take(r.Context(), assertion, once)
}

// proof reads the DPoP proof of a client's request; nil where none was sent.
func (p *Provider) proof(w http.ResponseWriter, r *http.Request, client *clients.Client) (*api.Proof, error) {
	proof, err := p.proofs.Read(r)
	if code := api.Reason(err); code != "" {
		p.proofs.Challenge(w, err)
		return nil, refuse(code, "The DPoP proof is not accepted.").because(err)
	}
	if proof != nil && !slices.Contains(policyOf(client).proofs, proof.Algorithm) {
		return nil, refuse("invalid_dpop_proof", "The DPoP proof is not of an algorithm that the client may use.")
	}
	return proof, err
}

// constrain refuses tokens that nothing binds to a client that is registered for none other (RFC 9449 §5.2; RFC 8705 §3.4).
func constrain(client *clients.Client, bound api.Confirmation) error {
	switch is := policyOf(client); {
	case is.dpop && bound.Key == "":
		return refuse("invalid_dpop_proof", "The client is registered for DPoP, and no proof was sent.")
	case is.mtls && bound.Certificate == "":
		return refuse("invalid_request", "The client is registered for tokens that are bound to its certificate, and none was shown.")
	}
	return nil
}

// bind binds a pushed request to the key of the proof beside it, as dpop_jkt would; both must not differ (RFC 9449 §10.1).
func (q *request) bind(bound api.Confirmation) error {
	switch {
	case bound.Key == "" || bound.Key == q.key:
		return nil
	case q.key != "":
		return refuse("invalid_dpop_proof", "dpop_jkt names another key than the DPoP proof's.")
	}
	q.key = bound.Key
	q.values.Set("dpop_jkt", bound.Key)
	return nil
}

// checkKey takes the key that the code is to be bound to (RFC 9449 §10).
func (p *Provider) checkKey(_ context.Context, q *request) error {
	q.key = q.values.Get("dpop_jkt")
	if q.key != "" && !challenge.MatchString(q.key) {
		return refuse("invalid_request", "dpop_jkt is not the base64url of a SHA-256 digest.")
	}
	return nil
}
