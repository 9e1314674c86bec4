package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/clients"
	"asoba.example/cmd/internal/demo/management"
	"asoba.example/cmd/internal/demo/standing"
	"asoba.example/cmd/internal/demo/walk"
	"asoba.example/cmd/internal/run"
)

// patience is how long bringing one person to their state may take before the demo gives up and says whom. A message
// that a killed run was sending is sent again by the next one, in a minute or two.
const patience = 3 * time.Minute

// lag is longer than the feed takes to tell of anything.
const lag = 3 * time.Second

// people brings everybody to the state that their line on the workbench tells of, each step as in life. It goes on
// from wherever a run that was ended had come.
func (d *demo) people(ctx context.Context) error {
	citizens := slices.DeleteFunc(cast.All(), func(p cast.Person) bool { return p.Role != "" })
	for _, group := range [][]cast.Person{cast.Staff(), citizens} { // somebody must serve before others are served
		var lives []run.Part
		for _, p := range group {
			lives = append(lives, func(ctx context.Context) error {
				if err := d.live(ctx, p); ended(ctx, err) != nil { // not of those who stop because another one failed
					return fmt.Errorf("bring %s to be %s: %w", p.Key, p.Goal, err)
				}
				return nil
			})
		}
		if err := run.All(ctx, lives...); err != nil {
			return err
		}
	}
	if err := d.edition(ctx, cast.Editions); err != nil {
		return err
	}
	for _, p := range cast.All() {
		if p.Since.Death == "" {
			continue
		}
		if err := d.await(ctx, p, patience, func(s standing.Standing) bool { return s.State == "blocked" }); err != nil {
			return err
		}
	}
	return d.keep.prepare()
}

// live takes one person through life.
func (d *demo) live(ctx context.Context, p cast.Person) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	steps := []struct {
		from string
		take func(context.Context, cast.Person) error
	}{
		{"none", d.issue},
		{"temporary", d.activate},
		{"active", d.block},
	}
	for _, step := range steps[:stepsTo(p.Goal)] {
		if d.follower.Of(p.IdentificationNumber).State != step.from {
			continue // taken before
		}
		moved := func(s standing.Standing) bool { return s.State != step.from }
		if err := step.take(ctx, p); err != nil {
			// A run that was killed may have taken the step without the feed's having told.
			if d.await(ctx, p, lag, moved) != nil {
				return err
			}
			continue
		}
		if err := d.await(ctx, p, patience, moved); err != nil {
			return err
		}
	}
	return nil
}

func stepsTo(g cast.Goal) int {
	switch g {
	case cast.New:
		return 0
	case cast.Temporary:
		return 1
	case cast.Active:
		return 2
	case cast.BlockedBySelf, cast.BlockedByDesk:
		return 3
	}
	panic("no such goal: " + string(g))
}

// await returns when the feed has told that somebody stands as wanted.
func (d *demo) await(ctx context.Context, p cast.Person, wait time.Duration, as func(standing.Standing) bool) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return d.follower.Await(ctx, p.IdentificationNumber, as)
}

// issue is a visit to the desk (resolution 792 ¶3–4).
func (d *demo) issue(ctx context.Context, p cast.Person) error {
	if p.Role != "" {
		return d.appoint(ctx, p)
	}
	desk := d.as(clients.Desk)
	begun := time.Now()
	var issuance struct{ ID string }
	if err := desk.Call(ctx, http.MethodPost, "/desk/issuances", d.visit(p, map[string]any{
		"names": map[string]string{"family": p.Family, "given": p.Given, "middle": p.Middle},
		"phone": p.Phone,
	}), &issuance); err != nil {
		return err
	}
	clerk := map[string]any{"clerk": serving(p).IdentificationNumber, "office": cast.Office}
	for since := begun; ; {
		sms, err := d.phones.Await(ctx, p.Phone, "code", since)
		if err != nil {
			return err
		}
		err = desk.Call(ctx, http.MethodPost, "/desk/issuances/"+issuance.ID+"/phone", with(clerk, "code", sms.Code()), nil)
		if err == nil {
			break
		}
		if refusal := new(management.Refusal); !errors.As(err, &refusal) || refusal.Code != "wrong_code" {
			return err
		}
		since = sms.At.Add(1) // that one was a killed run's, and late; ours is still to come
	}
	if err := desk.Call(ctx, http.MethodPost, "/desk/issuances/"+issuance.ID+"/assign", clerk, nil); err != nil {
		return err
	}
	_, err := d.phones.Await(ctx, p.Phone, "temporary_password", begun)
	return err
}

// activate is the first sign-in: the temporary password becomes a static one (resolution 792 ¶5).
func (d *demo) activate(ctx context.Context, p cast.Person) error {
	sms, err := d.phones.Await(ctx, p.Phone, "temporary_password", time.Time{})
	if err != nil {
		return err
	}
	_, err = d.signIn(ctx, p, sms.TemporaryPassword(), "/security")
	return err
}

// block is what a person does who no longer wishes to use the identifier (resolution 792 ¶6): on the page, or by a
// written application at the desk.
func (d *demo) block(ctx context.Context, p cast.Person) error {
	if p.Goal == cast.BlockedByDesk {
		return d.as(clients.Desk).Call(ctx, http.MethodPost, "/desk/blocks", d.visit(p, nil), nil)
	}
	b, err := d.signIn(ctx, p, cast.Password, "/security")
	if err != nil {
		return err
	}
	if err := b.Open(ctx, d.idp.Issuer+"/block"); err != nil {
		return err
	}
	return b.Decide(ctx, "block", d.wallet(p, cast.Password))
}

// signIn walks from one of the provider's pages through the sign-in and back to it.
func (d *demo) signIn(ctx context.Context, p cast.Person, password, page string) (*walk.Browser, error) {
	b, err := walk.New()
	if err != nil {
		return nil, err
	}
	if err := b.Open(ctx, d.idp.Issuer+page); err != nil {
		return nil, err
	}
	return b, b.Walk(ctx, d.idp.Issuer+page, d.wallet(p, password))
}

// wallet is what a person can answer a page with. Codes are read from the phone as they come.
func (d *demo) wallet(p cast.Person, password string) walk.Wallet {
	begun := time.Now()
	return walk.Wallet{
		Identifier: p.IdentificationNumber, Password: password, NewPassword: cast.Password,
		Code: func(ctx context.Context) (string, error) {
			sms, err := d.phones.Await(ctx, p.Phone, "code", begun)
			return sms.Code(), err
		},
	}
}

// visit is what every act at the desk names: whose identifier, by which document, on which paper, by which clerk.
func (d *demo) visit(p cast.Person, more map[string]any) map[string]any {
	body := map[string]any{
		"identifier": p.IdentificationNumber,
		"document":   map[string]string{"kind": p.Document.Kind, "number": p.Document.Number, "valid_till": p.Document.ValidTill},
		"attested":   []string{"holder", "particulars", "phone"},
		"basis":      map[string]string{"number": p.Application(), "date": time.Now().Format(time.DateOnly)},
		"clerk":      serving(p).IdentificationNumber,
		"office":     cast.Office,
	}
	for name, value := range more {
		body[name] = value
	}
	return body
}

func with(body map[string]any, name string, value any) map[string]any {
	more := map[string]any{name: value}
	for name, value := range body {
		more[name] = value
	}
	return more
}

// serving is the clerk at whose window the person stands: nobody serves himself.
func serving(p cast.Person) cast.Person {
	for _, clerk := range cast.Clerks() {
		if clerk.Key != p.Key {
			return clerk
		}
	}
	panic("a desk needs two clerks")
}

// as calls the management API as one of the demo's clients.
func (d *demo) as(key string) management.Caller {
	d.mu.Lock()
	defer d.mu.Unlock()
	caller, known := d.callers[key]
	if !known {
		caller = d.keep.client(key).Caller(d.addresses())
		d.callers[key] = caller
	}
	return caller
}
