package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/clients"
)

// prepare does, while the programs come up, what people and other systems would: registers the clients, brings the
// people to their states, and says what to open.
func (d *demo) prepare(ctx context.Context, registered chan<- struct{}) error {
	at := d.addresses()
	d.say.step("sign-in")
	if err := answers(ctx, at.Issuer); err != nil {
		return err
	}
	d.say.step("clients")
	if err := clients.Register(ctx, clients.ByAPI(d.as(clients.Operator)), at, d.keep.clients(), d.keep.put); err != nil {
		return err
	}
	if d.keep.client(clients.Draft).ClientID == "" {
		if err := clients.Body(ctx, d.as(clients.Operator), cast.Representatives(), d.keep.put); err != nil {
			return fmt.Errorf("bring the body and its draft: %w", err)
		}
	}
	if err := d.introduce(); err != nil {
		return err
	}
	close(registered) // from here on the rest comes up
	d.say.step("cabinet")
	if err := answers(ctx, at.Cabinet); err != nil {
		return err
	}
	d.say.step("e-service")
	if err := answers(ctx, at.EService); err != nil {
		return err
	}
	select {
	case <-d.follower.CaughtUp():
	case <-ctx.Done():
		return ctx.Err()
	}
	d.say.step("people")
	if !d.keep.prepared() { // who has come to the cast since is told of in welcome
		if err := d.people(ctx); err != nil {
			return err
		}
	}
	if d.Env != "" {
		if err := d.tell(d.Env); err != nil {
			return err
		}
	}
	d.ready.Store(true)
	d.welcome()
	return nil
}

// introduce tells the cabinet and the e-service the credentials that they were registered with.
func (d *demo) introduce() error {
	cabinet, eservice := d.keep.client(clients.Cabinet), d.keep.client(clients.EService)
	key, err := json.Marshal(cabinet.JWK)
	if err != nil {
		return err
	}
	if err := place(filepath.Join(d.dir, "cabinet.jwk"), key); err != nil {
		return err
	}
	return d.choose(map[string]string{
		"CABINET_CLIENT_ID":  cabinet.ClientID,
		"ESERVICE_CLIENT_ID": eservice.ClientID, "ESERVICE_CLIENT_SECRET": eservice.ClientSecret,
	})
}

// answers returns when a program says that it is ready.
func answers(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute) // a slow machine hashes many a password before everybody stands
	defer cancel()
	client := http.Client{Timeout: time.Second}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/readyz", nil)
		if err != nil {
			return err
		}
		if answer, err := client.Do(r); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w", address, ctx.Err())
		}
	}
}
