package sms

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/identity"
)

// A Message is what a gateway is handed. It holds secrets: only its id and kind
// can be printed.
type Message struct {
	ID   uuid.UUID            `json:"id"` // the same when it is sent again
	Kind identity.MessageKind `json:"kind"`
	To   string               `json:"to"` // E.164
	Text string               `json:"text"`
}

// Format writes the kind and the id under every verb.
func (m Message) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s %s", string(m.Kind), m.ID.String())
}

// A Gateway hands one message to an operator's network. It returns when the
// network has taken it.
type Gateway interface {
	Send(ctx context.Context, m Message) error
}

// gatewayTimeout is how long a gateway may take to take a message.
const gatewayTimeout = 10 * time.Second

// An HTTPGateway posts each message as JSON to one address; 2xx means taken.
type HTTPGateway struct {
	url    string
	client *http.Client
}

var _ Gateway = (*HTTPGateway)(nil)

// NewHTTPGateway makes a gateway of its address.
func NewHTTPGateway(address string) (*HTTPGateway, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("the SMS gateway's address is no http or https URL")
	}
	return &HTTPGateway{url: address, client: &http.Client{
		Timeout: gatewayTimeout,
		// A redirect would carry a password to who knows whom.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Send posts the message.
func (g *HTTPGateway) Send(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("the SMS gateway's address cannot be asked")
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := g.client.Do(request)
	if err != nil {
		// The address may hold the gateway's own password; it stays out of the log.
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err
		}
		return fmt.Errorf("ask the SMS gateway: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 4096)) // so that the connection is used again
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("the SMS gateway answered %d", answer.StatusCode)
	}
	return nil
}
