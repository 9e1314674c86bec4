package eservice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

var (
	errTokenOver = errors.New("the access token's time is over") // ask for another: single sign-on needs no page
	errEnded     = errors.New("the access token is refused")     // blocked, signed out elsewhere, taken back
)

// profile asks the cabinet for the citizen's profile with the access token (RFC 6750 §2.1).
func (s *service) profile(ctx context.Context, v visit) (map[string]any, error) {
	if !v.token.Valid() {
		return nil, errTokenOver
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.cfg.CabinetURL+"/api/v1/profile", nil)
	if err != nil {
		return nil, err
	}
	v.token.SetAuthHeader(r)
	answer, err := s.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask the cabinet: %w", err)
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return nil, errEnded
	default:
		return nil, fmt.Errorf("ask the cabinet: %s", answer.Status)
	}
	var profile map[string]any
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&profile); err != nil {
		return nil, fmt.Errorf("read the cabinet's answer: %w", err)
	}
	return profile, nil
}
