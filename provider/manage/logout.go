package manage

import (
	"net/http"

	"asoba.example/provider/api"
	"asoba.example/provider/backchannel"
)

// logoutNotices handles GET /clients/{client_id}/logout-notices: how it goes with telling a client that sessions are over, the newest first.
func (m *Manage) logoutNotices(w http.ResponseWriter, r *http.Request) error {
	if _, err := m.bearer.Require(w, r, manageClients); err != nil {
		return err
	}
	limit := api.Number(r, "limit", 100)
	after := api.Number(r, "after", 0)
	client, err := m.clients.Look(r.Context(), r.PathValue("client_id"))
	if err != nil {
		return refusal(err)
	}
	notices, err := m.notices.List(r.Context(), client.ID, int64(after), limit+1)
	if err != nil {
		return err
	}
	page := struct {
		Notices []backchannel.Notice `json:"notices"`
		Next    int64                `json:"next,omitempty"` // after which to go on
	}{Notices: notices}
	if len(notices) > limit {
		page.Notices = notices[:limit]
		page.Next = notices[limit-1].ID
	}
	return api.Write(w, http.StatusOK, page)
}
