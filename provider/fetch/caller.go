package fetch

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// ErrAddress says that an address is none that is called.
var ErrAddress = errors.New("not an https address on the open Internet")

// Limits on a call.
const (
	patience = 3 * time.Second // from the first look at the name to the last byte
	maxBody  = 64 << 10
	maxHead  = 16 << 10
	atOnce   = 64 // calls, all clients' together
)

// Config is what a Caller needs.
type Config struct {
	// AllowLoopback lets calls go to this machine too, by plain http as well. For trials only.
	AllowLoopback bool
	// AllowPrivate lets calls go into private networks too, and lets an address bear a name and a password: for what the operator has
	// named. Still by https.
	AllowPrivate bool
	// Certificates are shown to a server that asks for one.
	Certificates []tls.Certificate
}

// A Caller calls addresses that others have named.
type Caller struct {
	loopback bool
	private  bool
	http     *http.Client
	slots    chan struct{}
}

// New makes a Caller.
func New(cfg Config) *Caller {
	c := &Caller{loopback: cfg.AllowLoopback, private: cfg.AllowPrivate, slots: make(chan struct{}, atOnce)}
	dialer := &net.Dialer{ControlContext: c.judge}
	c.http = &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, Certificates: cfg.Certificates},
			DisableKeepAlives:      true,
			DisableCompression:     true, // what is small on the way may be large here
			MaxResponseHeaderBytes: maxHead,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// Get gives the document at uri.
func (c *Caller) Get(ctx context.Context, uri string) (body []byte, err error) {
	err = c.call(ctx, http.MethodGet, uri, "", nil, whole(&body)) //nolint:bodyclose // call closes it
	return body, err
}

// Ask sends a question to uri, in JSON, and gives the answer.
func (c *Caller) Ask(ctx context.Context, uri string, question []byte) (answer []byte, err error) {
	err = c.call(ctx, http.MethodPost, uri, "application/json", question, whole(&answer)) //nolint:bodyclose // call closes it
	return answer, err
}

// whole reads an answer that is 200 and not too long.
func whole(body *[]byte) func(*http.Response) error {
	return func(answer *http.Response) (err error) {
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("the answer is %d", answer.StatusCode)
		}
		*body, err = io.ReadAll(io.LimitReader(answer.Body, maxBody+1))
		if err == nil && len(*body) > maxBody {
			err = errors.New("the answer is too long")
		}
		return err
	}
}

// Post sends a form to uri and gives the status of the answer.
func (c *Caller) Post(ctx context.Context, uri string, form url.Values) (status int, err error) {
	return c.Send(ctx, uri, "application/x-www-form-urlencoded", []byte(form.Encode()))
}

// Send sends something of a kind to uri and gives the status of the answer.
func (c *Caller) Send(ctx context.Context, uri, kind string, body []byte) (status int, err error) {
	err = c.call(ctx, http.MethodPost, uri, kind, body, func(answer *http.Response) error {
		status = answer.StatusCode
		return nil
	})
	return status, err
}

// Calls tells whether uri is of a kind that is called at all: where it leads is judged with each call.
func (c *Caller) Calls(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.Host != "" && u.Fragment == "" && c.speaks(u)
}

// call makes one call, in its turn, and has the answer read. An error names the host alone: the rest of an address may be a secret.
func (c *Caller) call(ctx context.Context, method, uri, kind string, body []byte, read func(*http.Response) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, uri, bytes.NewReader(body))
	if err != nil || !c.speaks(r.URL) {
		return ErrAddress
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", kind)
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return fmt.Errorf("%s %s: too many calls at once: %w", method, r.URL.Host, ctx.Err())
	}
	answer, err := c.http.Do(r)
	if err == nil {
		defer answer.Body.Close()
		err = read(answer)
	}
	if at, ok := errors.AsType[*url.Error](err); ok {
		err = at.Err
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, r.URL.Host, err)
	}
	return nil
}

// speaks tells whether an address is of a kind that is called. Where it leads is judged later.
func (c *Caller) speaks(u *url.URL) bool {
	if u.User != nil && !c.private {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && c.loopback && isLoopback(u.Hostname())
}
