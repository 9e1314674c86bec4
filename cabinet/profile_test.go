package cabinet

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/profile"
)

// Each official value tells since when it has stood so, and every change of one is told to the citizen: what it was, and
// what it is.
func TestOfficialValuesTellWhenceTheyAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/sign-in?return=/profile", "/profile", 200, "Population register, since 10 May 2026")
	b.want("/profile", "/profile", 200, "Nothing has changed since 10 May 2026")

	for i, citizenship := range []string{"stateless", "PL"} {
		w.write(t, func(ctx context.Context, tx pgx.Tx) error {
			return profile.Apply(ctx, tx, []profile.Person{{
				ID: anna, Number: annasNumber, Sex: "F", BirthDate: "1956-03", Citizenship: citizenship,
			}}, noon.Add(time.Duration(i)*24*time.Hour))
		})
	}
	b.want("/profile", "/profile", 200, "Population register, since 13 May 2026")
	b.want("/profile", "/profile", 200, "Before: stateless. Now: Poland. Source: the population register.")
	b.want("/profile", "/profile", 200, "Before: Belarus. Now: stateless.")

	_, body := w.call(t, "/api/v1/profile", w.provider.AccessToken(w.url, signIn()))
	var got struct {
		Sources map[string]struct{ Since time.Time }
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	for member, want := range map[string]time.Time{
		"sub": noon.Add(-48 * time.Hour), "sex": noon.Add(-48 * time.Hour), "birth_date": noon.Add(-48 * time.Hour),
		"citizenship": noon.Add(24 * time.Hour), "limited_since": {}, // which is not so any more
	} {
		if since := got.Sources[member].Since; !since.Equal(want) {
			t.Errorf("%s: since %v, want %v", member, since, want)
		}
	}
}
