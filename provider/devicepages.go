package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/page"
)

// device handles GET /device, the verification_uri (RFC 8628 §3.3): it asks for the code that the device shows, and leads on whoever
// has typed it in.
func (p *Provider) device(w http.ResponseWriter, r *http.Request) error {
	switch query := r.URL.Query(); {
	case query.Has("interaction"):
		return p.decideDevice(w, r)
	case query.Has("connected"):
		return p.cfg.Site.Show(w, r, page.View{Name: "device-connected"})
	case query.Has("refused"):
		return p.cfg.Site.Show(w, r, page.View{Name: "device-refused"})
	case query.Has("late"):
		return p.askUserCode(w, r, http.StatusOK, "", page.FieldError{Field: "user_code", Word: "device.late"})
	default:
		code, _ := parseUserCode(query.Get("user_code")) // of verification_uri_complete: to be compared with the device, and sent (§5.4)
		return p.askUserCode(w, r, http.StatusOK, code)
	}
}

func (p *Provider) askUserCode(w http.ResponseWriter, r *http.Request, status int, typed string, wrong ...page.FieldError) error {
	return p.cfg.Site.Show(w, r, page.View{Status: status, Name: "device", Data: typed, Errors: wrong})
}

// enterUserCode handles POST /device.
func (p *Provider) enterUserCode(w http.ResponseWriter, r *http.Request) error {
	code, ok := parseUserCode(r.PostFormValue("user_code"))
	if !ok {
		return p.askUserCode(w, r, http.StatusBadRequest, "", page.FieldError{Field: "user_code", Word: "device.no_code"})
	}
	asked, err := p.findDevice(r.Context(), api.Network(r), code)
	switch {
	case errors.Is(err, errTooManyCodes):
		return p.askUserCode(w, r, http.StatusTooManyRequests, code, page.FieldError{Wait: guessesIn})
	case errors.Is(err, errNoDevice):
		return p.askUserCode(w, r, http.StatusBadRequest, code, page.FieldError{Field: "user_code", Word: "device.unknown"})
	case err != nil:
		return err
	}
	q, err := p.asking(r.Context(), asked.Get("client_id"), asked)
	if err != nil {
		return err
	}
	i, err := p.cfg.Interactions.Begin(r.Context(), w, r, Interaction{Page: "/device", ClientID: q.client.ID, Request: asked, ACR: q.acr})
	if err != nil {
		return err
	}
	redirect(w, i.Continue())
	return nil
}

var (
	errNoDevice     = errors.New("no device waits with this code")
	errTooManyCodes = errors.New("too many codes were tried")
)

// Whoever guesses at codes has a hundred tries in ten minutes from one network, which whole villages share (RFC 8628 §5.1): with a thousand
// devices waiting, one such network in a quarter of a million finds one, and can then do no more than sign in on it.
const (
	guesses   = 100
	guessesIn = 10 * time.Minute
)

// findDevice finds what the device asks that waits with a code.
func (p *Provider) findDevice(ctx context.Context, network, code string) (url.Values, error) {
	var (
		tried  *redis.IntCmd
		device *redis.StringCmd
	)
	_, err := p.cfg.Redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		key := "user-code-tries:{" + digest(network) + "}"
		tried = pipe.Incr(ctx, key)
		pipe.ExpireNX(ctx, key, guessesIn)
		device = pipe.Get(ctx, userCodeKey(code))
		return nil
	})
	switch {
	case err != nil && !errors.Is(err, redis.Nil):
		return nil, fmt.Errorf("find a device: %w", err)
	case tried.Val() > guesses:
		return nil, errTooManyCodes
	case device.Val() == "":
		return nil, errNoDevice
	}
	value, err := p.cfg.Redis.HGet(ctx, deviceKey(device.Val()), "asked").Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, errNoDevice
	}
	if err != nil {
		return nil, fmt.Errorf("find a device: %w", err)
	}
	var asked url.Values
	if err := json.Unmarshal(value, &asked); err != nil {
		return nil, fmt.Errorf("find a device: %w", err)
	}
	return asked, nil
}

// decideDevice asks Next what the person needs who connects a device, and does what it says.
func (p *Provider) decideDevice(w http.ResponseWriter, r *http.Request) error {
	i, q, err := p.connecting(r)
	if err != nil {
		return err
	}
	question, err := p.question(r, q, i)
	if err != nil {
		return err
	}
	switch Next(question, p.cfg.Now()) {
	case Login:
		redirect(w, i.At("/sign-in"))
		return nil
	case Confirm:
		return p.cfg.Site.Show(w, r, confirmDeviceView(confirmDevicePage{
			Client: q.client.Name(p.cfg.Site.Language(r)), UserCode: unbroken(i.Request.Get("user_code")), Action: i.At("/device/decision"),
			SID: question.Session.SID,
		}))
	case Consent:
		redirect(w, i.At("/consent"))
		return nil
	case Answer:
		gid, err := uuid.Parse(i.Request.Get("gid"))
		if err != nil {
			return err
		}
		return p.endDevice(w, r, i, "approved", p.grantOf(gid, q, i, question.Session))
	default:
		return p.endDevice(w, r, i, "denied", grant.Grant{})
	}
}

// endDevice tells the device, and then the person.
func (p *Provider) endDevice(w http.ResponseWriter, r *http.Request, i Interaction, state string, g grant.Grant) error {
	told, err := p.tellDevice(r.Context(), i, state, g)
	switch {
	case err != nil:
		return err
	case state == "denied":
		redirect(w, i.Page+"?refused")
	case told:
		redirect(w, i.Page+"?connected")
	default:
		redirect(w, i.Page+"?late")
	}
	return nil
}

// confirmDevice handles POST /device/decision: whether the device is the person's. Like /logout/decision it is not open to other sites.
func (p *Provider) confirmDevice(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	i, _, err := p.connecting(r)
	if err != nil {
		return err
	}
	s, err := p.cfg.Sessions.Find(ctx, r)
	if err != nil {
		return err
	}
	err = p.cfg.Interactions.Learn(ctx, &i, func(i *Interaction) {
		switch r.PostFormValue("decision") {
		case "allow":
			// Somebody else may have signed in at this browser since: they have not seen the page.
			if sid := r.PostFormValue("sid"); sid == s.SID {
				i.Confirmed = sid
			}
		case "deny":
			i.Refused = true
		}
	})
	if err != nil {
		return err
	}
	redirect(w, i.Continue())
	return nil
}

// connecting finds who connects a device, and what it asks for.
func (p *Provider) connecting(r *http.Request) (Interaction, *request, error) {
	ctx := r.Context()
	i, err := p.cfg.Interactions.Find(ctx, r)
	if err != nil {
		return i, nil, err
	}
	if i.Page != "/device" {
		return i, nil, over()
	}
	q, err := p.asking(ctx, i.ClientID, i.Request)
	return i, q, err
}

// asking reads what a device asks for. Its client may be out of use meanwhile, or may ask for less.
func (p *Provider) asking(ctx context.Context, clientID string, asked url.Values) (*request, error) {
	client, err := p.cfg.Clients.Find(ctx, clientID)
	if errors.Is(err, clients.ErrUnknown) {
		return nil, over()
	}
	if err != nil {
		return nil, err
	}
	q, err := p.readDevice(ctx, client, asked)
	if err != nil || !allows(client, deviceCode) {
		return nil, over()
	}
	return q, nil
}
