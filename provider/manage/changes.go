package manage

import (
	"context"
	"errors"
	"net/http"
	"time"

	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/clients"
)

// Waits is how long a request waits for news before it is answered.
func Waits(r *http.Request) time.Duration {
	if r.URL.Path != "/changes" {
		return 0
	}
	return api.Wait(r)
}

// changes handles GET /changes: what happened after a cursor, or nothing once the
// caller has waited long enough. It may be asked from any cursor at any time, but not
// for what was dropped: then everybody is read first.
func (m *Manage) changes(w http.ResponseWriter, r *http.Request) error {
	if _, err := m.bearer.Require(w, r, "changes:read"); err != nil {
		return err
	}
	after, limit, err := place(r)
	if err != nil {
		return err
	}
	over, cancel := api.Waiting(r)
	defer cancel()
	entries, cursor, err := m.feed.Wait(r.Context(), over, after, limit)
	dropped, gone := errors.AsType[*audit.DroppedError](err)
	switch {
	case gone:
		return api.Tell(http.StatusGone, "dropped", struct {
			Detail string       `json:"detail"`
			Cursor audit.Cursor `json:"cursor"`
		}{"begin with /register/people, and then go on from cursor", dropped.Cursor}, err)
	case errors.Is(err, audit.ErrStalled):
		return api.Refuse(http.StatusServiceUnavailable, "feed_stalled", err)
	case err != nil:
		return unread(err)
	}
	if entries == nil {
		entries = []audit.Entry{}
	}
	names, err := m.names(r.Context(), entries)
	if err != nil {
		return err
	}
	return api.Write(w, http.StatusOK, struct {
		Entries []audit.Entry            `json:"entries"`
		Clients map[string]clients.Texts `json:"clients,omitempty"`
		Cursor  audit.Cursor             `json:"cursor"`
	}{entries, names, cursor})
}

// names are what the clients of the entries are called, by id and language: a citizen's journal speaks of the tax
// office, not of a client_id. One that was removed has none any more.
func (m *Manage) names(ctx context.Context, entries []audit.Entry) (map[string]clients.Texts, error) {
	names := map[string]clients.Texts{}
	for _, e := range entries {
		if _, known := names[e.ClientID]; known || e.ClientID == "" {
			continue
		}
		client, err := m.clients.Look(ctx, e.ClientID)
		if errors.Is(err, clients.ErrUnknown) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if name := client.Metadata.ClientName; len(name) > 0 {
			names[client.ID] = name
		}
	}
	return names, nil
}

// place reads from where on the caller goes, and how many it takes at once.
func place(r *http.Request) (after audit.Cursor, limit int, err error) {
	if after, err = audit.ParseCursor(r.URL.Query().Get("after")); err != nil {
		return 0, 0, unread(err)
	}
	return after, api.Number(r, "limit", 100), nil
}

// unread tells why nothing was read from a place on.
func unread(err error) error {
	if errors.Is(err, audit.ErrCursor) {
		return api.Refuse(http.StatusBadRequest, "invalid_cursor", err, api.Field{Name: "/after", Code: "invalid"})
	}
	return err
}
