package cmd_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// device gives the browser a device that keeps passkeys, with its user's finger upon it. touch says whether it is there.
func (b *browser) device() (touch func(bool)) {
	b.t.Helper()
	var id webauthn.AuthenticatorID
	b.do("take a device", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, webauthn.Enable, webauthn.EnableParams{}); err != nil {
			return err
		}
		added, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
			Options: &webauthn.VirtualAuthenticatorOptions{
				Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
				HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
			},
		})
		id = added.AuthenticatorID
		return err
	}))
	return func(there bool) {
		b.t.Helper()
		b.do("touch the device", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: id, Enabled: there})
			return err
		}))
	}
}

// comes waits until the browser has come to an address that begins so, by itself.
func (b *browser) comes(prefix string) {
	b.t.Helper()
	eventually(b.t, "the browser comes to "+prefix, func() error {
		if at := b.location(); !strings.HasPrefix(at, prefix) {
			return fmt.Errorf("it is at %s", at)
		}
		return nil
	})
}

// A passkey's life as its person sees it, in a real browser with a device: made at the first sign-in; used with one touch and nothing typed;
// used by its button in place of the code, where it is to be removed.
func TestAPasskeysLife(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.errand("idp", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	c.errand("idp", "clerk", "add", "--identifier", clerkNumber, "--phone", clerkPhone, "--office", "Desk 1", "--role", "clerk",
		"--family", "Работнікава", "--given", "Ганна", "--document", "MP0000001", "--valid-till", "2099-01-01")
	c.serve("idp", c.issuer)
	home := newBrowser(t)
	touch := home.device()

	home.open(c.issuer + "/security")
	home.fill("username", clerkNumber)
	home.fill("current-password", password(t, c.phone.next(t, "temporary_password")))
	home.submit()
	home.fill("new-password", strong)
	home.decide("factors")
	home.fill("one-time-code", code(t, c.phone.next(t, "code")))
	home.submit()
	home.at(c.issuer + "/security/factors")
	home.press(`main a[href^="/security/passkeys"]`)
	home.at(c.issuer + "/security/passkeys")
	home.submit()
	home.comes(c.issuer + "/security/factors")
	home.see("You have 1 passkey")
	home.open(c.issuer + "/security")
	home.see("password and a code by SMS")

	// In the field of the identifier the browser offers it, and one touch is the sign-in.
	home.press(`form[action="/sign-out"] button`)
	home.open(c.issuer + "/security")
	home.comes(c.issuer + "/security")
	home.see("with a passkey")

	// The password is as good as before, and less: passkeys ask for a passkey.
	home.press(`form[action="/sign-out"] button`)
	touch(false) // or else it would be used at once, in the field of the identifier
	home.open(c.issuer + "/security/passkeys")
	home.fill("username", clerkNumber)
	home.fill("current-password", strong)
	home.submit()
	home.at(c.issuer + "/sign-in/code")
	home.see("You have a passkey")
	touch(true)
	home.do("press", chromedp.Click(chromedp.CSS("[data-passkey] button")))
	home.comes(c.issuer + "/security/passkeys")
	home.decide("remove")
	home.at(c.issuer + "/security/passkeys")
	home.see("Add a passkey")
}
