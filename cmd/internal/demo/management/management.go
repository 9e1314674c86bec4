// Package management calls the provider's management API, as any system outside does.
package management

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// A Caller calls with the token of a client or of a clerk.
type Caller struct {
	URL  string       // of the management API
	HTTP *http.Client // adds the token
}

// A Refusal is a problem (RFC 9457) that the API answered with.
type Refusal struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Title  string `json:"title"`
	Fields []struct {
		Name string `json:"name"`
		Code string `json:"code"`
	} `json:"fields"`
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
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.URL+path, body)
	if err != nil {
		return err
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.HTTP.Do(r)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, r.URL.Path, err)
	}
	defer answer.Body.Close()
	limited := io.LimitReader(answer.Body, 16<<20)
	if answer.StatusCode >= http.StatusMultipleChoices {
		refusal := &Refusal{}
		_ = json.NewDecoder(limited).Decode(refusal) // a body that is no problem leaves the status
		refusal.Status = answer.StatusCode
		return fmt.Errorf("%s %s: %w", method, r.URL.Path, refusal)
	}
	if out == nil {
		_, err = io.Copy(io.Discard, limited)
		return err
	}
	if err := json.NewDecoder(limited).Decode(out); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, r.URL.Path, err)
	}
	return nil
}
