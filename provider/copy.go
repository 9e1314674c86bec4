package provider

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/redis/go-redis/v9"
)

// The browser has a copy of the authorization request that its person waits with last, sealed. Redis may lose what it holds and keeps nothing for
// ever; from the copy the same request begins anew, so that nobody is left standing on a page of ours without a way back to the service.

// copySize is what the cookie may take of the 4096 bytes that every browser keeps of one (RFC 6265 §6.1).
const copySize = 3 << 10

// leaveCopy gives the browser the copy: of the request, or of no more than whose it is where the request is good once (RFC 9126 §7.3), names its person
// or is too long.
func (s *Interactions) leaveCopy(w http.ResponseWriter, i Interaction) error {
	if i.ClientID == "" || i.Page != "" { // a page of ours is opened by hand as well, and a device's request is lost for the device too
		return nil
	}
	copies := []Interaction{i, {ID: i.ID, ClientID: i.ClientID}}
	if i.Pushed != "" || i.Hint != "" {
		copies = copies[1:]
	}
	for _, c := range copies {
		plain, err := json.Marshal(c)
		if err != nil {
			return err
		}
		sealed, err := s.pouch.Seal(copyPlace(i.browser), plain)
		if err != nil {
			return err
		}
		value := base64.RawURLEncoding.EncodeToString(sealed)
		if len(value) <= copySize {
			s.setCookie(w, s.copyName(), value, 0)
			return nil
		}
	}
	return nil
}

// Copy gives what the browser has a copy of: the request, or only the client; the zero Interaction where it waits with nothing.
func (s *Interactions) Copy(r *http.Request) Interaction {
	var i Interaction
	kept, err := r.Cookie(s.copyName())
	if err != nil {
		return Interaction{}
	}
	sealed, err := base64.RawURLEncoding.DecodeString(kept.Value)
	if err != nil {
		return Interaction{}
	}
	browser := s.Browser(r)
	plain, err := s.pouch.Open(copyPlace(browser), sealed)
	if err != nil || json.Unmarshal(plain, &i) != nil {
		return Interaction{}
	}
	i.browser = browser
	return i
}

// revive begins a request anew that Redis has no more: nothing was agreed to yet, and a fresh sign-in is one from now on. It gives the record: of two
// that do so at once, that of the first, with which its browser may have gone on already.
func (s *Interactions) revive(ctx context.Context, r *http.Request, id string) ([]byte, error) {
	i := s.Copy(r)
	if i.ID != id || i.Request == nil {
		return nil, over()
	}
	i.Asked = s.cfg.Now()
	value, err := s.record(i)
	if err != nil {
		return nil, err
	}
	first, err := s.cfg.Redis.SetArgs(ctx, interactionKey(id), value, redis.SetArgs{Mode: "NX", Get: true, TTL: s.cfg.For}).Bytes()
	switch {
	case errors.Is(err, redis.Nil): // there was none
		return value, nil
	case err != nil:
		return nil, fmt.Errorf("begin a request anew: %w", err)
	}
	return first, nil
}

// Gone is where somebody goes whose interaction is over: to the page that tells the way back to the service.
func Gone(r *http.Request) string {
	return "/sign-in?interaction=" + url.QueryEscape(r.URL.Query().Get("interaction"))
}

// dropCopy takes back the copy of a request that is answered.
func (s *Interactions) dropCopy(w http.ResponseWriter, r *http.Request, i Interaction) {
	if i.ID != "" && s.Copy(r).ID == i.ID {
		s.setCookie(w, s.copyName(), "", -1)
	}
}

func (s *Interactions) copyName() string {
	if s.cfg.Secure {
		return "__Host-idp_request"
	}
	return "idp_request"
}

// copyPlace binds a copy to the browser that it was left in.
func copyPlace(browser []byte) string { return "cookie:request:" + hex.EncodeToString(browser) }
