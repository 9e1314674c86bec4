package provider

import (
	"context"
	"errors"
	"net/url"

	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/session"
)

// Frames gives the addresses that the page of a sign-out loads in frames, so that every client of the session that wants to hear of it there
// does: each with issuer and session, and nothing else (OpenID Connect Front-Channel Logout §2, §3).
func Frames(ctx context.Context, pool *pgxpool.Pool, registry *clients.Registry, subjects Subjects, issuer string, s session.Session) ([]string, error) {
	visited, err := grant.Visited(ctx, pool, s)
	if err != nil {
		return nil, err
	}
	var frames []string
	for _, id := range visited {
		client, err := registry.Look(ctx, id)
		if errors.Is(err, clients.ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if uri := client.Metadata.FrontchannelLogoutURI; uri != "" {
			frames = append(frames, withQuery(uri, url.Values{"iss": {issuer}, "sid": {subjects.SID(client, s.SID)}}))
		}
	}
	return frames, nil
}
