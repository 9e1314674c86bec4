package provider

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
)

// register handles POST /register (RFC 7591 §3; OpenID Connect Registration §3). Only who has an initial access token
// may, and within its limits: what an operator decides of a client, no client claims for itself.
func (p *Provider) register(w http.ResponseWriter, r *http.Request) error {
	token, err := registrationToken(r)
	if err != nil {
		return err
	}
	asked, err := registration(w, r)
	if err != nil {
		return err
	}
	if asked.ClientID != nil {
		return refuse(clients.InvalidClientMetadata, "client_id is chosen by the provider.")
	}
	var (
		client *clients.Client
		made   clients.Credentials
	)
	err = p.limits.prove(r, "", func() (err error) { // nobody yet
		client, made, err = p.cfg.Clients.RegisterSelf(r.Context(), token, asked.Metadata, p.cfg.Now())
		return registrationRefusal(err)
	})
	if err != nil {
		return err
	}
	return p.tellRegistration(w, http.StatusCreated, client, made)
}

// readRegistration handles GET /register/{client_id} (RFC 7592 §2.1). The secret is told no more: only its digest is kept.
func (p *Provider) readRegistration(w http.ResponseWriter, r *http.Request) error {
	client, token, err := p.self(r)
	if err != nil {
		return err
	}
	return p.tellRegistration(w, http.StatusOK, client, clients.Credentials{RegistrationToken: token})
}

// changeRegistration handles PUT /register/{client_id} (RFC 7592 §2.2): the metadata, whole, and the client_id with it.
func (p *Provider) changeRegistration(w http.ResponseWriter, r *http.Request) error {
	client, token, err := p.self(r)
	if err != nil {
		return err
	}
	asked, err := registration(w, r)
	if err != nil {
		return err
	}
	switch {
	case asked.ClientID == nil || *asked.ClientID != client.ID:
		return refuse(clients.InvalidClientMetadata, "client_id must be the client's own.")
	case asked.Secret != nil && !client.HasSecret(*asked.Secret, p.cfg.Now()):
		return refuse(clients.InvalidClientMetadata, "client_secret may not be chosen: it must be the client's own, if it is sent.")
	case asked.Token != nil || asked.URI != nil || asked.SecretExpiresAt != nil || asked.IssuedAt != nil:
		return refuse(clients.InvalidClientMetadata, "What the provider sets of a registration may not be sent back.")
	}
	client, secret, err := p.cfg.Clients.ReplaceSelf(r.Context(), client.ID, asked.Metadata, p.cfg.Now())
	if err != nil {
		return registrationRefusal(err)
	}
	return p.tellRegistration(w, http.StatusOK, client, clients.Credentials{Secret: secret, RegistrationToken: token})
}

// deleteRegistration handles DELETE /register/{client_id} (RFC 7592 §2.3).
func (p *Provider) deleteRegistration(w http.ResponseWriter, r *http.Request) error {
	client, _, err := p.self(r)
	if err != nil {
		return err
	}
	err = p.cfg.Clients.Remove(r.Context(), client.ID, clients.Any, clients.By{ClientID: client.ID, Self: true, At: p.cfg.Now()})
	if err != nil {
		return registrationRefusal(err)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// self gives the client that manages itself by this request, and its registration access token. That a client is gone,
// or another's, is not told apart (RFC 7592 §2.1).
func (p *Provider) self(r *http.Request) (*clients.Client, string, error) {
	token, err := registrationToken(r)
	if err != nil {
		return nil, "", err
	}
	var (
		client *clients.Client
		id     = r.PathValue("client_id")
	)
	err = p.limits.prove(r, id, func() (err error) {
		client, err = p.cfg.Clients.FindSelf(r.Context(), id, token)
		return registrationRefusal(err)
	})
	if err != nil {
		return nil, "", err
	}
	return client, token, p.limits.take(r, client)
}

// registrationToken reads the token of a registration, from the header only: the body is the client's (RFC 6750 §2.1).
func registrationToken(r *http.Request) (string, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", refuse("invalid_token", "Registration needs a token.").shown(api.Bearer)
	}
	return token, nil
}

// A registration as it is asked for. The members beside the metadata are the provider's to set.
type askedRegistration struct {
	Metadata        clients.Metadata `json:"-"`
	ClientID        *string          `json:"client_id"`
	Secret          *string          `json:"client_secret"`
	IssuedAt        any              `json:"client_id_issued_at"`
	SecretExpiresAt any              `json:"client_secret_expires_at"`
	Token           any              `json:"registration_access_token"`
	URI             any              `json:"registration_client_uri"`
}

func registration(w http.ResponseWriter, r *http.Request) (asked askedRegistration, err error) {
	body, err := api.Decode[json.RawMessage](w, r)
	if err != nil {
		return asked, refuse(clients.InvalidClientMetadata, "The body is not JSON of at most 64 KiB, with each member once.").because(err)
	}
	if err := json.Unmarshal(body, &asked.Metadata); err != nil {
		return asked, registrationRefusal(err)
	}
	if err := json.Unmarshal(body, &asked); err != nil {
		return asked, refuse(clients.InvalidClientMetadata, "client_id and client_secret are texts.").because(err)
	}
	return asked, nil
}

// tellRegistration answers with the client information of RFC 7591 §3.2.1 and RFC 7592 §3.
func (p *Provider) tellRegistration(w http.ResponseWriter, status int, c *clients.Client, made clients.Credentials) error {
	members, err := c.Describe(made.Secret, p.cfg.Now())
	if err != nil {
		return err
	}
	members["registration_access_token"] = made.RegistrationToken
	members["registration_client_uri"] = p.cfg.Issuer + "/register/" + c.ID
	answerJSON(w, status, members)
	return nil
}

// registrationRefusal gives the errors of RFC 7591 §3.2.2, and invalid_token (RFC 6750 §3.1).
func registrationRefusal(err error) error {
	if wrong, ok := errors.AsType[*clients.MetadataError](err); ok {
		return refuse(wrong.Code, strings.TrimSpace(wrong.Member+" "+wrong.Reason)+".").because(err)
	}
	if errors.Is(err, clients.ErrToken) || errors.Is(err, clients.ErrUnknown) {
		return refuse("invalid_token", "The token is not good for this registration.").because(err).shown(api.Bearer)
	}
	if errors.Is(err, clients.ErrKeyless) { // RFC 7592 §2.2: it has no right to change its record
		return refuse("insufficient_scope", "A client that speaks for clerks is changed by the operator.").because(err).shown(api.Bearer)
	}
	return err
}
