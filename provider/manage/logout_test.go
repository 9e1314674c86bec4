package manage_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/google/uuid"
)

// Operators see how it goes with telling a client of the ends of sessions, page by page, the newest first, and nobody's name.
func TestLogoutNoticesAreSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	person := uuid.Must(uuid.NewV7())
	for _, statement := range []string{
		`INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in) VALUES ($1, '3080356A001PB5', 'F', '1956-03-08', 'BY', 1)`,
		`INSERT INTO logout_notice (client_id, person_id, sid, state, queued_at, tries, tried_at, status)
		 VALUES ('operator', $1, 's1', 'delivered', now(), 2, now(), 204), ('operator', $1, 's2', 'failed', now(), 30, now(), NULL),
		        ('other', $1, 's1', 'queued', now(), 0, NULL, NULL), ('operator', $1, 's3', 'queued', now(), 0, NULL, NULL)`,
	} {
		if _, err := w.pool.Exec(t.Context(), statement, person); err != nil {
			t.Fatal(err)
		}
	}
	token := w.token(t, nil)
	var seen []map[string]any
	for path := "/clients/operator/logout-notices?limit=2"; path != ""; {
		status, page := w.call(t, token, "GET", path, "")
		if status != http.StatusOK {
			t.Fatal(status, page)
		}
		for _, n := range page["notices"].([]any) {
			seen = append(seen, n.(map[string]any))
		}
		next, more := page["next"].(float64)
		if path = ""; more {
			path = "/clients/operator/logout-notices?limit=2&after=" + strconv.Itoa(int(next))
		}
	}
	if len(seen) != 3 {
		t.Fatalf("got %v", seen)
	}
	for i, want := range []struct {
		sid, state string
		tries      float64
		status     any
	}{{"s3", "queued", 0, nil}, {"s2", "failed", 30, nil}, {"s1", "delivered", 2, 204.0}} {
		if got := seen[i]; got["sid"] != want.sid || got["state"] != want.state || got["tries"] != want.tries || got["status"] != want.status {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
