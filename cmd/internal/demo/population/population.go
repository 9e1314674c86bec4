// Package population plays the population register itself, as its owner keeps it: asked about one person, it tells what the demo's last edition
// tells of them.
package population

import (
	"fmt"
	"net/http"
	"time"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/provider/api"
)

// Answer handles POST /population, as of the middle of the month of an edition.
func Answer(edition func() int) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		q, err := api.Decode[struct {
			Number string `json:"identification_number"`
		}](w, r)
		if err != nil {
			return err
		}
		type told struct {
			At     time.Time         `json:"at,omitzero"`
			Person map[string]string `json:"person,omitempty"`
		}
		for _, p := range cast.All() {
			if p.IdentificationNumber == q.Number {
				n := edition()
				at, err := time.Parse("2006-01", fmt.Sprintf("2025-%02d", n))
				if err != nil {
					return err
				}
				return api.Write(w, http.StatusOK, told{at.AddDate(0, 0, 14), cast.Row(p, n)})
			}
		}
		return api.Write(w, http.StatusOK, told{})
	}
}
