package manage

import (
	"net/http"
	"time"

	"asoba.example/provider/api"
)

// listRoots handles GET /audit/roots, by day. Who keeps them, away from the database, goes on from the last day that they have.
func (m *Manage) listRoots(w http.ResponseWriter, r *http.Request) error {
	if _, err := m.bearer.Require(w, r, "audit:read"); err != nil {
		return err
	}
	limit := api.Number(r, "limit", 100)
	var after time.Time
	if day := r.URL.Query().Get("after"); day != "" {
		var err error
		if after, err = time.Parse(time.DateOnly, day); err != nil {
			return api.RefuseParameter("after", err)
		}
	}
	found, err := m.roots.List(r.Context(), after, limit+1) // one more tells whether there is another page
	if err != nil {
		return err
	}
	type root struct {
		Day    string `json:"day"`
		Signed string `json:"signed"`
	}
	page := struct {
		Roots []root `json:"roots"`
		Next  string `json:"next,omitempty"` // after which to go on
	}{Roots: []root{}}
	if len(found) > limit {
		found = found[:limit]
		page.Next = found[limit-1].Day.Format(time.DateOnly)
	}
	for _, f := range found {
		page.Roots = append(page.Roots, root{f.Day.Format(time.DateOnly), f.Signed})
	}
	return api.Write(w, http.StatusOK, page)
}
