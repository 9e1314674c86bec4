package cmd_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"asoba.example/cmd/internal/demo/walk"
)

// Who signs out at the provider is signed out of the cabinet with the next page, also where the call about it is lost, and where their session there
// has lived longer than the token that it was begun with.
func TestASignOutReachesTheCabinetByTheFeed(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.errand("idp", "migrate")
	c.errand("cabinet", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	c.registerCabinet()
	store, err := pgx.Connect(t.Context(), c.setting("IDP_DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close(t.Context())
	change := func(sql string, args ...any) {
		t.Helper()
		if tag, err := store.Exec(t.Context(), sql, args...); err != nil || tag.RowsAffected() == 0 {
			t.Fatalf("%s, %v", tag, err)
		}
	}
	change(`UPDATE client SET metadata = metadata || jsonb_build_object('backchannel_logout_uri', $1::text) WHERE metadata ? 'backchannel_logout_uri'`,
		freeAddress(t))
	c.serve("idp", c.issuer)
	c.serve("cabinet", c.cabinet)
	b := c.signIn(citizenNumber, c.desk().issue(citizenNumber, citizenPhone), c.cabinet+"/profile", c.cabinet+"/profile")
	profile := func(at string) error {
		if err := b.Open(t.Context(), c.cabinet+"/profile"); err != nil {
			return err
		}
		if !b.At(at) {
			return errors.New("the browser is elsewhere")
		}
		return nil
	}
	change(`UPDATE client_grant SET till = now() - interval '1 minute'`)
	if err := profile(c.cabinet + "/profile"); err != nil {
		t.Fatalf("before the sign-out: %v", err)
	}
	if err := errors.Join(b.Open(t.Context(), c.issuer+"/logout"), b.Decide(t.Context(), "logout", walk.Wallet{})); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the cabinet shows nobody's profile", func() error { return profile(c.issuer + "/sign-in") })
}
