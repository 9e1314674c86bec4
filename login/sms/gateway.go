package sms

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
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
	For  time.Duration        `json:"-"` // how long it is still worth something
	Via  string               `json:"-"` // the name of the gateway
}

// Format writes the kind and the id under every verb.
func (m Message) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "%s %s", string(m.Kind), m.ID.String())
}

// ErrDoubt says that a gateway may have taken the message: it was reached, and its answer was not heard.
var ErrDoubt = errors.New("it may have been taken")

// ErrNumber says that no phone has the number: whoever else were asked would find none either.
var ErrNumber = errors.New("no phone has the number")

// A Gateway hands one message to an operator's network.
type Gateway interface {
	// Send returns when the network has taken the message. Another error than ErrDoubt says that it has not and will not.
	Send(ctx context.Context, m Message) error
	// Receipts tells whether the network says later what became of a message. One that does not must know a message by
	// its id: what it may have taken it is asked to take again.
	Receipts() bool
}

// NewGateway makes the gateway at an address: http or https for an HTTPGateway, kannel+http or kannel+https for a Kannel,
// whose receipts come to receipts.
func NewGateway(address string, receipts *Receipts) (Gateway, error) {
	if plain, ok := strings.CutPrefix(address, "kannel+"); ok {
		return NewKannel(plain, receipts)
	}
	return NewHTTPGateway(address)
}

// gatewayTimeout is how long a gateway may take to take a message: less than the window, so that it is asked again within it.
const gatewayTimeout = window / 3

// An HTTPGateway posts each message as JSON to one address; 2xx means taken, and 422 that no phone has the number.
type HTTPGateway struct {
	url    string
	client *http.Client
}

var _ Gateway = (*HTTPGateway)(nil)

// NewHTTPGateway makes a gateway of its address.
func NewHTTPGateway(address string) (*HTTPGateway, error) {
	u, err := parseAddress(address)
	if err != nil {
		return nil, err
	}
	return &HTTPGateway{url: u.String(), client: newClient()}, nil
}

// Receipts: it gives none.
func (g *HTTPGateway) Receipts() bool { return false }

// Send posts the message.
func (g *HTTPGateway) Send(ctx context.Context, m Message) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	header := http.Header{"Content-Type": {"application/json"}}
	return post(ctx, g.client, g.url, header, body)
}

// parseAddress parses a gateway's address. It may hold a password, so no error repeats it.
func parseAddress(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("an SMS gateway's address is no http or https URL")
	}
	return u, nil
}

func newClient() *http.Client {
	return &http.Client{
		Timeout: gatewayTimeout,
		// A redirect would carry a password to who knows whom.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post asks a gateway. It is a POST for one more reason: net/http itself repeats a GET whose answer did not come.
func post(ctx context.Context, client *http.Client, address string, header http.Header, body []byte) error {
	reached := false
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { reached = true }})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("an SMS gateway's address cannot be asked")
	}
	request.Header = header
	answer, err := client.Do(request)
	if err != nil {
		// The address may hold the gateway's own password; it stays out of the log.
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err
		}
		if reached {
			err = errors.Join(ErrDoubt, err)
		}
		return fmt.Errorf("ask the SMS gateway: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 4096)) // so that the connection is used again
	switch {
	case answer.StatusCode/100 == 2:
		return nil
	case answer.StatusCode == http.StatusUnprocessableEntity: // Kannel never says so: it tells by a receipt
		return fmt.Errorf("the SMS gateway answered %d: %w", answer.StatusCode, ErrNumber)
	case answer.StatusCode == http.StatusBadGateway || answer.StatusCode == http.StatusGatewayTimeout:
		// A proxy did not hear the gateway's answer either (RFC 9110 §15.6.3, §15.6.5).
		return fmt.Errorf("the SMS gateway answered %d: %w", answer.StatusCode, ErrDoubt)
	}
	return fmt.Errorf("the SMS gateway answered %d", answer.StatusCode)
}
