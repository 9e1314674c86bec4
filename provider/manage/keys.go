package manage

import (
	"errors"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"

	"asoba.example/provider/api"
	"asoba.example/provider/keys"
)

const manageKeys = "keys:manage"

// listKeys handles GET /keys: every signing key there has been, without its private part.
func (m *Manage) listKeys(w http.ResponseWriter, r *http.Request) error {
	if _, err := m.bearer.Require(w, r, manageKeys); err != nil {
		return err
	}
	return m.answerKeys(w, r)
}

// rotateKeys handles POST /keys/rotations, and tells what the ring is like now.
func (m *Manage) rotateKeys(w http.ResponseWriter, r *http.Request) error {
	token, err := m.bearer.Require(w, r, manageKeys)
	if err != nil {
		return err
	}
	body, err := api.DecodeDocumented[struct {
		Alg         jose.SignatureAlgorithm
		KID         string
		Compromised bool
	}](w, r)
	if err != nil {
		return err
	}
	err = m.keys.Rotate(r.Context(), keys.Rotation{Alg: body.Alg, KID: body.KID, Compromised: body.Compromised, By: token.ClientID})
	switch {
	case errors.Is(err, keys.ErrUnknownAlg):
		return api.Refuse(http.StatusUnprocessableEntity, "invalid", err, api.Field{Name: "/alg", Code: "unknown"})
	case errors.Is(err, keys.ErrTooSoon):
		return api.Refuse(http.StatusConflict, "too_soon", err)
	case errors.Is(err, keys.ErrTurned):
		return api.Refuse(http.StatusConflict, "turned", err)
	case err != nil:
		return err
	}
	return m.answerKeys(w, r)
}

func (m *Manage) answerKeys(w http.ResponseWriter, r *http.Request) error {
	type member struct {
		KID       string                  `json:"kid"`
		Alg       jose.SignatureAlgorithm `json:"alg"`
		State     keys.State              `json:"state"`
		CreatedAt time.Time               `json:"created_at"`
		ChangedAt time.Time               `json:"changed_at"`
		Published bool                    `json:"published"`
	}
	all, err := m.keys.List(r.Context())
	if err != nil {
		return err
	}
	answer := struct {
		Keys []member `json:"keys"`
	}{make([]member, 0, len(all))}
	for _, k := range all {
		answer.Keys = append(answer.Keys, member{k.KID, k.Alg, k.State, k.CreatedAt, k.ChangedAt, k.Published(m.now())})
	}
	return api.Write(w, http.StatusOK, answer)
}
