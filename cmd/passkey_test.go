package cmd_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/pquerna/otp/totp"
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
// used by its button in place of the code, where it is to be removed. Who is asked for it and does not want to sign in says so by another button.
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
	home.do("press", chromedp.Click(chromedp.CSS("[data-passkey-use]")))
	home.comes(c.issuer + "/security/passkeys")
	home.press(`main a[href*="rename="]`)
	home.do("reload", chromedp.Reload())
	home.write("passkey_name", "The key at home")
	home.decide("rename")
	home.at(c.issuer + "/security/passkeys")
	home.see("The key at home")
	home.do("go back", chromedp.NavigateBack())
	home.sees(`[name="passkey_name"][value="The key at home"]`, 1)
	home.open(c.issuer + "/security/passkeys")

	// Asked for on an errand for a service, which hears that its person does not want to go on: with scripts and without.
	service := c.register(map[string]any{
		"client_name": "Tax office", "redirect_uris": []string{c.issuer + "/rules"}, "grant_types": []string{"authorization_code"}, "scope": "openid",
		"token_endpoint_auth_method": "client_secret_basic",
	})
	home.open(c.issuer + "/security")
	home.press(`form[action="/sign-out"] button`)
	touch(false)
	home.open(c.issuer + "/authorize?" + url.Values{
		"client_id": {service.ID}, "redirect_uri": {c.issuer + "/rules"}, "response_type": {"code"}, "scope": {"openid"}, "state": {"st"},
		"code_challenge": {strings.Repeat("A", 43)}, "code_challenge_method": {"S256"},
	}.Encode())
	home.open(strings.Replace(home.location(), "/sign-in", "/recover", 1))
	home.fill("username", clerkNumber)
	home.submit()
	home.fill("one-time-code", code(t, c.phone.next(t, "code")))
	home.submit()
	home.at(c.issuer + "/recover/proof")
	for _, run := range []bool{false, true} {
		home.scripts(run)
		home.do("reload", chromedp.Reload())
		home.holds("the way out is there", `document.querySelector("[value=deny]").checkVisibility()`)
		home.holds("the passkey's button is there with scripts", fmt.Sprintf(`document.querySelector("[data-passkey-use]").checkVisibility() === %t`, run))
	}
	touch(true)
	home.decide("deny")
	home.at(c.issuer + "/rules?error=access_denied")

	home.open(c.issuer + "/security/passkeys")
	home.comes(c.issuer + "/security/passkeys")
	home.decide("remove")
	home.at(c.issuer + "/security/passkeys")
	home.see("Add a passkey")
}

// An authenticator app's life as its person sees it: bound by its key and what it shows, asked for in place of a message at a browser that
// nobody has seen, and replaced by a recovery code when it is lost. Who takes long is warned over the page, and on one press has more time,
// with what was typed left as it is.
func TestAnAuthenticatorsLife(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.errand("idp", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	c.errand("idp", "clerk", "add", "--identifier", clerkNumber, "--phone", clerkPhone, "--office", "Desk 1", "--role", "clerk",
		"--family", "Работнікава", "--given", "Ганна", "--document", "MP0000001", "--valid-till", "2099-01-01")
	c.serve("idp", c.issuer)
	home := newBrowser(t)
	home.waits("/security/authenticator")
	home.open(c.issuer + "/security")
	home.fill("username", clerkNumber)
	home.fill("current-password", password(t, c.phone.next(t, "temporary_password")))
	home.submit()
	home.fill("new-password", strong)
	home.decide("factors")
	home.fill("one-time-code", code(t, c.phone.next(t, "code")))
	home.submit()
	home.at(c.issuer + "/security/factors")
	home.press(`main a[href^="/security/recovery-codes"]`)
	home.submit()
	kept := regexp.MustCompile(`[A-Z2-7]{4}(-[A-Z2-7]{4}){3}`).FindString(home.page())
	home.press(`main a.govuk-button`)
	home.press(`main a[href^="/security/authenticator"]`)
	home.fill("one-time-code", "12345")
	home.submit()
	restless{home}.told("six digits")
	home.fill("one-time-code", shows(t, home.appKey(), 0))
	home.stays()
	home.submit()
	home.at(c.issuer + "/security/factors")
	home.see("You have an authenticator app", "10 codes are left")

	stranger := newBrowser(t)
	stranger.open(c.issuer + "/security")
	stranger.fill("username", clerkNumber)
	stranger.fill("current-password", strong)
	stranger.submit()
	stranger.at(c.issuer + "/sign-in/authenticator")
	stranger.press(`main a[href^="/sign-in/recovery-code"]`)
	stranger.do("type", chromedp.SendKeys(chromedp.CSS("#recovery_code"), kept))
	stranger.submit()
	stranger.at(c.issuer + "/security")
	stranger.see("code from the app or the list")
}

// appKey is what an authenticator app is to be told, as the page shows it.
func (b *browser) appKey() string {
	b.t.Helper()
	found := regexp.MustCompile(`\n([A-Z2-7]{4}(?: [A-Z2-7]{4}){7})\n`).FindStringSubmatch(b.page())
	if found == nil {
		b.t.Fatalf("the page shows no key\n%s", b.page())
	}
	return strings.ReplaceAll(found[1], " ", "")
}

// shows gives what an app shows that was told a key, some time later.
func shows(t *testing.T, key string, later time.Duration) string {
	t.Helper()
	code, err := totp.GenerateCode(key, time.Now().Add(later))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// waits lets a test say when the script of a page has waited long enough, wherever the browser comes to a path: late().
func (b *browser) waits(path string) {
	b.t.Helper()
	const wait = `if (location.pathname === %q) { window.setTimeout = (then) => { window.late = then; }; }`
	b.do("wait", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: fmt.Sprintf(wait, path)})
		return err
	}))
}

// stays has it waited long enough on such a page: the warning comes, and on a press there is more time.
func (b *browser) stays() {
	b.t.Helper()
	b.holds("the warning is shown", `(document.querySelector("#limit").former = true, late(), document.querySelector("dialog").open)`)
	b.do("stay", chromedp.Click(chromedp.CSS("dialog button")))
	b.holds("there is more time", `!document.querySelector("#limit").former && !document.querySelector("dialog").open && document.querySelector("#limit").dataset.warn > 0`)
}

// holds waits until something is so on the page.
func (b *browser) holds(what, script string) {
	b.t.Helper()
	eventually(b.t, what, func() error {
		is, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](script))
		if err == nil && !is {
			err = errors.New("it is not")
		}
		return err
	})
}
