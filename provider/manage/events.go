package manage

import (
	"net/http"

	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/clients"
)

// events handles GET /audit/events.
func (m *Manage) events(w http.ResponseWriter, r *http.Request) error {
	if _, err := m.bearer.Require(w, r, "audit:read"); err != nil {
		return err
	}
	after, limit, err := place(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	filter := audit.Filter{ClientID: query.Get("client_id")}
	if filter.ClientID != "" && !clients.WellFormed(filter.ClientID) {
		return api.RefuseParameter("client_id", nil)
	}
	if kind := query.Get("kind"); kind != "" {
		if filter.Kind, err = audit.ParseKind(kind); err != nil {
			return api.RefuseParameter("kind", err)
		}
	}
	if query.Has("person") { // what is held of one person somebody reads by name and for a purpose, at the desk's doors
		return api.RefuseParameter("person", nil)
	}
	lines, cursor, err := m.feed.Search(r.Context(), filter, after, limit)
	if err != nil {
		return unread(err)
	}
	if lines == nil {
		lines = []audit.Line{}
	}
	return api.Write(w, http.StatusOK, struct {
		Events []audit.Line `json:"events"`
		Cursor audit.Cursor `json:"cursor"`
	}{lines, cursor})
}
