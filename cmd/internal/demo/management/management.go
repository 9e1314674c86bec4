// Package management calls the provider's management API, as any system outside does.
package management

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// A Caller calls with the token of a client or of a clerk.
type Caller struct {
	URL  string       // of the management API
	HTTP *http.Client // adds the token
	Key  string       // of what is asked for, to ask again without acting again (Idempotency-Key)
}

// A Refusal is a problem (RFC 9457) that the API answered with.
type Refusal struct {
	Status   int     `json:"status"`
	Code     string  `json:"code"`
	Title    string  `json:"title"`
	Instance string  `json:"instance"` // the name of a refusal that is on record
	Fields   []Field `json:"fields"`

	Again time.Time `json:"-"` // when it may be asked for again; zero where that is not said (RFC 9110 §10.2.3)
}

// A Field is what is wrong with one member.
type Field struct {
	Name string `json:"name"`
	Code string `json:"code"`
}

func (r *Refusal) Error() string {
	text := fmt.Sprintf("refused with %d %s", r.Status, r.Code)
	for _, f := range r.Fields {
		text += " " + f.Name + ":" + f.Code
	}
	return text
}

// Call sends in as JSON, or nothing where it is nil, and reads the answer into out, or drops it where that is nil.
// What the API refuses is a *Refusal.
func (c Caller) Call(ctx context.Context, method, path string, in, out any) error {
	answer, err := c.SendJSON(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	limited := io.LimitReader(answer.Body, largest)
	if out == nil {
		_, err = io.Copy(io.Discard, limited)
		return err
	}
	if err := json.NewDecoder(limited).Decode(out); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return nil
}

// SendJSON sends in as JSON, or nothing where it is nil, and gives the answer, to be closed.
func (c Caller) SendJSON(ctx context.Context, method, path string, in any) (*http.Response, error) {
	if in == nil {
		return c.Send(ctx, method, path, "", nil)
	}
	b, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return c.Send(ctx, method, path, "application/json", bytes.NewReader(b))
}

// largest is the most that is read of an answer, in bytes.
const largest = 16 << 20

// Send sends a body of some kind, and gives the answer, to be closed. What the API refuses is a *Refusal.
func (c Caller) Send(ctx context.Context, method, path, kind string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.URL+path, body)
	if err != nil {
		return nil, err
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if c.Key != "" {
		r.Header.Set("Idempotency-Key", c.Key)
	}
	answer, err := c.HTTP.Do(r)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, r.URL.Path, err)
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		defer answer.Body.Close()
		refusal := &Refusal{}
		_ = json.NewDecoder(io.LimitReader(answer.Body, largest)).Decode(refusal) // a body that is no problem leaves the status
		refusal.Status = answer.StatusCode
		if wait, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
			refusal.Again = time.Now().Add(time.Duration(wait) * time.Second)
		}
		return nil, fmt.Errorf("%s %s: %w", method, r.URL.Path, refusal)
	}
	return answer, nil
}
