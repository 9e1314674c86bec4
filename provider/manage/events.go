package manage

import (
	"net/http"

	"github.com/google/uuid"

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
	filter := audit.Filter{Kind: audit.Kind(query.Get("kind")), ClientID: query.Get("client_id")}
	for _, name := range []string{"kind", "client_id"} { // both are made of the same characters
		if text := query.Get(name); text != "" && !clients.WellFormed(text) {
			return api.RefuseParameter(name, nil)
		}
	}
	if person := query.Get("person"); person != "" {
		if filter.Person, err = uuid.Parse(person); err != nil {
			return api.RefuseParameter("person", err)
		}
	}
	lines, cursor, err := m.feed.Search(r.Context(), filter, after, limit)
	if err != nil {
		return err
	}
	if lines == nil {
		lines = []audit.Line{}
	}
	return api.Write(w, http.StatusOK, struct {
		Events []audit.Line `json:"events"`
		Cursor audit.Cursor `json:"cursor"`
	}{lines, cursor})
}
