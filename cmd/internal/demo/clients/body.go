package clients

import (
	"context"
	"fmt"
	"net/http"

	"asoba.example/cmd/internal/demo/management"
)

// draft is a body's e-service that is still tried out, where testers' own relying parties listen.
var draft = Metadata{
	"client_name": "Запись к врачу", "client_name#be": "Запіс да ўрача", "client_name#en": "Doctor’s appointments",
	"redirect_uris": testRedirects, "grant_types": []string{"authorization_code"}, "token_endpoint_auth_method": "client_secret_basic",
	"scope": "openid profile", "purpose": "Записать вас к врачу", "purpose#be": "Запісаць вас да ўрача", "purpose#en": "To book a doctor for you",
}

// Body brings, by the management API, a body that these people represent, and its draft. A run that was ended may have come as far as the
// body; nothing comes twice but the draft, of which only the one that was kept has a secret that anybody knows.
func Body(ctx context.Context, api management.Caller, representatives []string, keep func(Credentials) error) error {
	const name = "Пробное ведомство"
	var found struct {
		Bodies []struct{ ID, Name string }
	}
	if err := api.Call(ctx, http.MethodGet, "/bodies", nil, &found); err != nil {
		return err
	}
	var body struct{ ID string }
	for _, b := range found.Bodies {
		if b.Name == name {
			body.ID = b.ID
		}
	}
	if body.ID == "" {
		names := map[string]string{"name": name, "name#be": "Пробнае ведамства", "name#en": "Trial agency"}
		if err := api.Call(ctx, http.MethodPost, "/bodies", names, &body); err != nil {
			return err
		}
	}
	for _, identifier := range representatives {
		if err := api.Call(ctx, http.MethodPost, "/bodies/"+body.ID+"/representatives", map[string]string{"identifier": identifier}, nil); err != nil {
			return fmt.Errorf("name a representative: %w", err)
		}
	}
	var registered struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if err := api.Call(ctx, http.MethodPost, "/bodies/"+body.ID+"/clients", draft, &registered); err != nil {
		return err
	}
	return keep(With(Draft, registered.ID, registered.Secret, nil, draft))
}
