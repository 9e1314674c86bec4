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
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// The browser has a copy of each authorization request that its person waits with, one in each tab, sealed. Redis may lose what it holds and keeps nothing
// for ever; from the copy the same request begins anew, so that nobody is left standing on a page of ours without a way back to the service.

// copiesSize is what all of them may take, and so the cookie of one, of which every browser keeps 4096 bytes (RFC 6265 §6.1). Where another comes that has
// no room, the oldest go: all are sent with each request, of which no server reads a head of any size.
const copiesSize = 3 << 10

// leaveCopy gives the browser the copy: of the request, or of no more than whose it is where the request is good once (RFC 9126 §7.3), names its person
// or is too long.
func (s *Interactions) leaveCopy(w http.ResponseWriter, r *http.Request, i Interaction) error {
	if i.ClientID == "" || i.Page != "" { // a page of ours is opened by hand as well, and a device's request is lost for the device too
		return nil
	}
	copies := []Interaction{i, {ID: i.ID, ClientID: i.ClientID, Asked: i.Asked}}
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
		if len(value) <= copiesSize {
			s.makeRoom(w, r, copiesSize-len(value))
			s.setCookie(w, s.copyName()+"_"+i.ID, value, 0)
			return nil
		}
	}
	return nil
}

// makeRoom takes back the oldest copies, for which there is no room.
func (s *Interactions) makeRoom(w http.ResponseWriter, r *http.Request, room int) {
	for _, kept := range s.copies(r) {
		if room -= len(kept.cookie.Value); room < 0 {
			s.setCookie(w, kept.cookie.Name, "", -1)
		}
	}
}

// A keptCopy is one that the browser has; of the zero Interaction where it cannot be opened.
type keptCopy struct {
	Interaction
	cookie *http.Cookie
}

// copies gives what the browser has, the latest first; also one that was left when there was but one, by the bare name.
func (s *Interactions) copies(r *http.Request) []keptCopy {
	var all []keptCopy
	browser := s.Browser(r)
	for _, cookie := range r.Cookies() {
		if strings.HasPrefix(cookie.Name, s.copyName()) {
			all = append(all, keptCopy{s.openCopy(browser, cookie.Value), cookie})
		}
	}
	slices.SortStableFunc(all, func(a, b keptCopy) int { return b.Asked.Compare(a.Asked) })
	return all
}

func (s *Interactions) openCopy(browser []byte, value string) Interaction {
	sealed, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return Interaction{}
	}
	var i Interaction
	plain, err := s.pouch.Open(copyPlace(browser), sealed)
	if err != nil || json.Unmarshal(plain, &i) != nil {
		return Interaction{}
	}
	i.browser = browser
	return i
}

// Copy gives what the browser has a copy of: the request of that ID, or else the last that it waits with; of either perhaps only the client. It is the
// zero Interaction where the browser waits with nothing.
func (s *Interactions) Copy(r *http.Request, id string) Interaction {
	all := s.copies(r)
	if len(all) == 0 {
		return Interaction{}
	}
	return all[max(0, slices.IndexFunc(all, func(c keptCopy) bool { return c.ID == id }))].Interaction
}

// revive begins a request anew that Redis has no more: nothing was agreed to yet, and a fresh sign-in is one from now on. It gives the record: of two
// that do so at once, that of the first, with which its browser may have gone on already.
func (s *Interactions) revive(ctx context.Context, r *http.Request, id string) ([]byte, error) {
	i := s.Copy(r, id)
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
	for _, kept := range s.copies(r) {
		if i.ID != "" && kept.ID == i.ID {
			s.setCookie(w, kept.cookie.Name, "", -1)
		}
	}
}

// copyName is what the name of a copy's cookie begins with; the request's ID follows.
func (s *Interactions) copyName() string {
	if s.cfg.Secure {
		return "__Host-idp_request"
	}
	return "idp_request"
}

// copyPlace binds a copy to the browser that it was left in.
func copyPlace(browser []byte) string { return "cookie:request:" + hex.EncodeToString(browser) }
