package cmd_test

import (
	"net/http"
	"net/url"
	"sync"
	"testing"

	"asoba.example/cmd/internal/demo/walk"
)

// No sign-in holds a connection to the database while it waits for another one, or for its turn to have the password
// checked: many more at once than there are connections all come to their end.
func TestACrowdSignsInOverTwoConnections(t *testing.T) {
	t.Parallel()
	const crowd = 64
	c := newCountry(t)
	c.set("IDP_DATABASE_CONNECTIONS", "2")
	c.set("IDP_RELAXED", "true") // all of them come from one address, and are one person
	c.errand("idp", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	c.serve("idp", c.issuer)
	known := c.signIn(citizenNumber, c.desk().issue(citizenNumber, citizenPhone), c.issuer+"/security", c.issuer+"/security")
	issuer, err := url.Parse(c.issuer)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for range crowd {
		b, err := walk.New()
		if err != nil {
			t.Fatal(err)
		}
		for _, cookie := range known.Cookies().Cookies(issuer) {
			if cookie.Name == "idp_browser" { // a known one is asked no code, and is not signed in yet
				b.Cookies().SetCookies(issuer, []*http.Cookie{cookie})
			}
		}
		group.Go(func() {
			if err := b.Open(t.Context(), c.issuer+"/security"); err != nil {
				t.Error(err)
				return
			}
			if err := b.Walk(t.Context(), c.issuer+"/security", walk.Wallet{Identifier: citizenNumber, Password: strong}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}
