package provider

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/redis/go-redis/v9"

	"asoba.example/provider/clients"
)

// asked reads what a client asks an endpoint of clients: the form, with nothing in it twice, and which client it is.
func (p *Provider) asked(w http.ResponseWriter, r *http.Request) (*clients.Client, url.Values, error) {
	values, err := form(w, r)
	if err != nil {
		return nil, nil, err
	}
	if err := once(values); err != nil {
		return nil, nil, err
	}
	client, err := p.authenticate(r.Context(), r, values)
	return client, values, err
}

// authenticate tells which client makes a request, and uses its assertion up.
func (p *Provider) authenticate(ctx context.Context, r *http.Request, values url.Values) (*clients.Client, error) {
	client, assertion, err := p.identify(ctx, r, values)
	if err != nil {
		return nil, err
	}
	return client, p.take(ctx, assertion)
}

// identify tells which client makes a request, within its limits. An assertion is still to be taken.
func (p *Provider) identify(ctx context.Context, r *http.Request, values url.Values) (client *clients.Client, assertion turn, err error) {
	c, err := credentialsOf(r, values)
	if err != nil {
		return nil, turn{}, err
	}
	err = p.limits.prove(r, c.id, func() error {
		client, assertion, err = p.prove(ctx, r, c)
		return err
	})
	if err != nil {
		return nil, turn{}, err
	}
	return client, assertion, p.limits.take(r, client)
}

// prove checks the credentials of a client by the one method that it is registered with (RFC 6749 §2.3). Whether the client_id or the secret
// is wrong is not told.
func (p *Provider) prove(ctx context.Context, r *http.Request, c credentials) (client *clients.Client, assertion turn, err error) {
	client, err = p.cfg.Clients.Find(ctx, c.id)
	if errors.Is(err, clients.ErrUnknown) {
		return nil, turn{}, refuse("invalid_client", "Client authentication failed.").because(err)
	}
	if err != nil {
		return nil, turn{}, err
	}
	method := client.Metadata.TokenEndpointAuthMethod
	if c.method == "none" && (method == "tls_client_auth" || method == "self_signed_tls_client_auth") {
		return client, turn{}, p.checkCertificate(client, r) // client_id is all that is sent beside it (RFC 8705 §2)
	}
	if method != c.method {
		return nil, turn{}, refuse("invalid_client", "The client is registered with another method of authentication.")
	}
	switch c.method {
	case "private_key_jwt":
		assertion, err = p.checkAssertion(ctx, client, c.parsed)
	case "client_secret_basic", "client_secret_post":
		if !client.HasSecret(c.secret, p.cfg.Now()) {
			err = refuse("invalid_client", "Client authentication failed.")
		}
	}
	return client, assertion, err
}

// A turn is the right to use once what is good once: a client assertion, a DPoP proof. The zero turn is none.
type turn struct {
	place string        // in Redis
	keep  time.Duration // for how long it is to be remembered that it was used
	taken error         // what somebody hears who comes a second time
}

// take takes turns, all in one round trip.
func (p *Provider) take(ctx context.Context, turns ...turn) error {
	turns = slices.DeleteFunc(turns, func(t turn) bool { return t.place == "" })
	if len(turns) == 0 {
		return nil
	}
	taken, err := p.cfg.Redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, t := range turns {
			pipe.SetArgs(ctx, t.place, "", redis.SetArgs{Mode: "NX", TTL: t.keep})
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("remember what is good once: %w", err)
	}
	for i, t := range turns {
		switch err := taken[i].Err(); {
		case errors.Is(err, redis.Nil):
			return t.taken
		case err != nil:
			return fmt.Errorf("remember what is good once: %w", err)
		}
	}
	return nil
}

// credentials are what a request brings to authenticate a client. The method follows from where they stand.
type credentials struct {
	method    string // one of authMethods
	id        string
	secret    string
	assertion string
	parsed    *jwt.JSONWebToken // the assertion; its signature is not checked yet
}

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// credentialsOf reads the credentials, which must be of one method only (RFC 6749 §2.3), and never in the query.
func credentialsOf(r *http.Request, values url.Values) (credentials, error) {
	if query := r.URL.Query(); query.Has("client_secret") || query.Has("client_assertion") {
		return credentials{}, refuse("invalid_request", "Credentials do not belong in the query.")
	}
	scheme, encoded, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	c := credentials{id: values.Get("client_id"), secret: values.Get("client_secret"), assertion: values.Get("client_assertion")}
	switch basic := strings.EqualFold(scheme, "Basic"); {
	case len(r.Header.Values("Authorization")) > 1, basic && (c.secret != "" || c.assertion != ""), c.secret != "" && c.assertion != "":
		return c, refuse("invalid_request", "The client authenticates by more than one method.")
	case basic:
		return basicCredentials(r, c.id, encoded)
	case c.assertion != "":
		if values.Get("client_assertion_type") != assertionType {
			return c, refuse("invalid_request", "client_assertion_type must be "+assertionType+".")
		}
		return assertionCredentials(c)
	case c.id == "":
		return c, refuse("invalid_client", "No client authentication was sent.")
	case c.secret != "":
		c.method = "client_secret_post"
	default:
		c.method = "none"
	}
	return c, nil
}

// basicCredentials reads HTTP Basic, in which id and secret are form-encoded (RFC 6749 §2.3.1).
func basicCredentials(r *http.Request, sent, encoded string) (credentials, error) {
	c := credentials{method: "client_secret_basic"}
	user, password, ok := r.BasicAuth()
	if !ok || encoded == "" {
		return c, refuse("invalid_client", "The Authorization header is malformed.")
	}
	var err, errSecret error
	c.id, err = url.QueryUnescape(user)
	c.secret, errSecret = url.QueryUnescape(password)
	if err = errors.Join(err, errSecret); err != nil {
		return c, refuse("invalid_client", "The Authorization header is not form-encoded.")
	}
	if sent != "" && sent != c.id {
		return c, refuse("invalid_request", "client_id is another than in the Authorization header.")
	}
	return c, nil
}
