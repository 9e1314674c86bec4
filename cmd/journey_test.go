package cmd_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// The whole road, from the population register to an e-service and back, with
// nothing faked but the phone: the programs are built and run as an operator
// runs them, the desk is an information system at the management API, the
// citizen has a browser at home and another one.
func TestTheWholeRoad(t *testing.T) {
	t.Parallel()
	c := newCountry(t)

	// 1. The operator prepares the databases and reads the register in.
	c.errand("idp", "migrate")
	c.errand("cabinet", "migrate")
	report := c.errand("idp", "register", "import", c.file("edition.csv", edition))
	for _, want := range []string{"added", "3", "line 9", "identification_number"} {
		if !strings.Contains(report, want) {
			t.Errorf("the import's report does not say %q:\n%s", want, report)
		}
	}
	eservice := c.register(c.eserviceMetadata())
	c.env = append(c.env, "ESERVICE_CLIENT_ID="+eservice.ID, "ESERVICE_CLIENT_SECRET="+eservice.Secret)
	c.registerCabinet()
	c.serve("idp", c.issuer)
	c.serve("cabinet", c.cabinet)
	c.serve("eservice", c.eservice)

	// 2. At the desk: document, names, phone, attestations; the code; the assignment.
	desk := c.desk()
	issuance := desk.open(citizenNumber, "8 029 491-19-12")
	desk.act(issuance+"/assign", http.StatusConflict, nil) // g3: the phone is not confirmed
	desk.act(issuance+"/phone", http.StatusNoContent, map[string]any{"code": code(t, c.phone.next(t, "code"))})
	assigned := desk.act(issuance+"/assign", http.StatusOK, nil)
	if raw, err := json.Marshal(assigned); err != nil || strings.Contains(string(raw), "password") || assigned["state"] != "temporary" {
		t.Errorf("the desk is told %s, %v", raw, err)
	}
	temporary := password(t, c.phone.next(t, "temporary_password"))

	// 3. At the e-service: sign in, form the static password, see who asks for what, come back.
	home := newBrowser(t)
	home.open(c.eservice + "/")
	home.press(`a[href^="/sign-in"]`)
	home.at(c.issuer + "/sign-in")
	home.fill("username", "2311299в 500-рв9") // as people type: small, Cyrillic look-alikes, spaces
	home.fill("current-password", temporary)
	home.submit()
	home.fill("new-password", strong)
	home.submit()
	home.at(c.issuer + "/consent")
	home.see("Tax office", "to show your tax account", "Прыкладная", "1899")
	home.decide("allow")
	home.at(c.eservice)
	home.see(citizenNumber, "activated")
	home.open(c.eservice + "/api/me")
	home.see(`"acr":"low"`) // the temporary password alone
	home.open(c.eservice + "/")

	// 4. A second request needs no page; a browser never seen before is asked for a
	// code; signing out at the e-service ends the session at the provider.
	home.open(c.eservice + "/sign-in")
	home.at(c.eservice)
	elsewhere := newBrowser(t)
	elsewhere.open(c.eservice + "/sign-in")
	elsewhere.fill("username", citizenNumber)
	elsewhere.fill("current-password", strong)
	elsewhere.submit()
	elsewhere.at(c.issuer + "/sign-in/code")
	elsewhere.fill("one-time-code", code(t, c.phone.next(t, "code")))
	elsewhere.submit()
	elsewhere.at(c.eservice)
	elsewhere.open(c.eservice + "/")
	elsewhere.press(`form[action="/sign-out"] button`)
	elsewhere.at(c.eservice)
	elsewhere.open(c.eservice + "/sign-in")
	elsewhere.at(c.issuer + "/sign-in")

	// 5. The web cabinet: profile, state, journal; Security and back; a new password; the block.
	home.open(c.cabinet + "/sign-in")
	home.at(c.cabinet)
	home.open(c.cabinet + "/profile")
	home.see(citizenNumber)
	home.open(c.cabinet + "/journal")
	home.see("Tax office")
	home.press(`a[href^="` + c.issuer + `/security"]`)
	home.at(c.issuer + "/security")
	home.press(`a[href^="/security/password"]`)
	home.fill("current-password", strong)
	home.fill("new-password", stronger)
	home.submit()
	home.at(c.issuer + "/security")
	home.press(`a[href^="` + c.cabinet + `"]`)
	home.at(c.cabinet)
	home.open(c.cabinet + "/profile") // still signed in, as the page has promised
	home.see(citizenNumber)
	home.open(c.eservice + "/sign-in")
	home.at(c.eservice)
	if open := c.sessionsAtCabinet(); len(open) != 1 {
		t.Errorf("sessions at the cabinet: %q", open)
	}
	told := c.told()
	home.open(c.issuer + "/block")
	home.decide("block")
	home.open(c.issuer + "/security")
	home.at(c.issuer + "/sign-in")
	eventually(t, "the e-service and the cabinet are told of the block", func() error {
		if n := c.told() - told; n < 2 {
			return fmt.Errorf("%d notices were delivered", n)
		}
		return nil
	})
	// Of the cabinet nothing was asked since, so no page has ended the session there because of what the feed said.
	if left := c.sessionsAtCabinet(); len(left) != 0 {
		t.Errorf("at the cabinet a session goes on that is over at the provider: %q", left)
	}
	home.open(c.eservice + "/api/me")
	home.see("not_signed_in")
	eventually(t, "the cabinet refuses a blocked person", func() error {
		home.open(c.cabinet + "/profile")
		if at := home.location(); !strings.HasPrefix(at, c.issuer+"/sign-in") {
			return fmt.Errorf("the browser is at %s", at)
		}
		return nil
	})

	// 6. The desk unblocks, a new temporary password arrives, and the citizen is back.
	desk.act("/desk/unblocks", http.StatusOK, map[string]any{
		"identifier": citizenNumber, "document": document, "basis": basis, "attested": attested,
	})
	temporary = password(t, c.phone.next(t, "temporary_password"))
	home.open(c.eservice + "/sign-in")
	home.fill("username", citizenNumber)
	home.fill("current-password", temporary)
	home.submit()
	home.fill("new-password", strong)
	home.submit()
	home.at(c.eservice)
	home.see(citizenNumber)
}
