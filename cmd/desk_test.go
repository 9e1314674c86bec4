package cmd_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

// A stand is a demo that runs: where its workbench is.
type stand struct {
	t  *testing.T
	at string
}

// newStand starts the demo, with its limits lifted and with settings of the test's own, and waits until everybody stands as they should.
func newStand(t *testing.T, settings ...string) *stand {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	demo := exec.Command(filepath.Join(binaries, "demo"), "--relaxed") // told to end by us, and not by the test's end
	demo.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}, settings...)
	s := &stand{t: t}
	for part, setting := range map[string]string{
		"IDP": "IDP_ISSUER", "IDP_MANAGEMENT": "IDP_MANAGEMENT_URL", "CABINET": "CABINET_URL", "ESERVICE": "ESERVICE_URL", "DEMO": "DEMO_URL",
	} {
		at := freeAddress(t)
		demo.Env = append(demo.Env, setting+"="+at, part+"_LISTEN="+listen(at))
		if part == "DEMO" {
			s.at = at
		}
	}
	demo.Stderr = os.Stderr
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = demo.Process.Signal(syscall.SIGTERM)
		if err := demo.Wait(); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "Ready in") {
			return s
		}
	}
	t.Fatal("the demo has ended before it was ready")
	return nil
}

// last is the last message of a kind on a phone, once there are as many as wanted.
func (s *stand) last(phone, kind string, want int) (text string) {
	s.t.Helper()
	eventually(s.t, "a message comes", func() error {
		n := 0
		for _, m := range s.messages(phone) {
			if m.Kind == kind {
				if n == 0 {
					text = m.Text
				}
				n++
			}
		}
		if n < want {
			return os.ErrNotExist
		}
		return nil
	})
	return text
}

// messages are all on a phone, the newest first.
func (s *stand) messages(phone string) (all []struct{ Kind, Text string }) {
	s.t.Helper()
	answer, err := http.Get(s.at + "/api/sms?phone=" + url.QueryEscape(phone))
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&all); err != nil {
		s.t.Fatal(err)
	}
	return all
}

// write types into a field, by its name.
func (b *browser) write(name, value string) {
	b.t.Helper()
	field := chromedp.CSS(`main [name="` + name + `"]`)
	b.do("write "+name, chromedp.Clear(field), chromedp.Focus(field), chromedp.KeyEvent(value))
}

// tick ticks every box of a name.
func (b *browser) tick(name string) {
	b.t.Helper()
	const tick = `document.querySelectorAll('main [name="NAME"]:not(:checked)').forEach(box => document.querySelector('label[for="' + box.id + '"]').click())`
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](strings.Replace(tick, "NAME", name, 1))); err != nil {
		b.t.Fatalf("tick %s: %v", name, err)
	}
}

// here has forms that open a window of their own stay in this one.
func (b *browser) here() {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](`document.querySelectorAll('[formtarget]').forEach(b => b.removeAttribute('formtarget'))`)); err != nil {
		b.t.Fatal(err)
	}
}

// A clerk's morning at the demo's desk page: what people come for on paper (resolution 792 ¶3, ¶6), with its printed
// forms, a refusal, a phone that changes, and the signed papers, in a browser.
func TestTheDeskServesPeople(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	const (
		clerk, clerkPhone = "2140584A001PB7", "+375294000001"
		alena, alenaPhone = "/desk/visitors/alena", "+375294000011"
		newPhone          = "+375294000099"
		newcomer          = "1020379A902PB5"
	)
	b := newBrowser(t)

	// The clerk signs in by more than a password.
	s.signsIn(b, clerk, clerkPhone)
	b.press(`a[href="` + alena + `"]`)

	// How the identifier stands is looked up first, and decides what is offered.
	b.see("Калиновская", "Look up an identifier")
	b.write("identifier", "2230691A011PB8")
	b.look()
	b.see("most probably it is mistyped")
	b.write("identifier", "2230691A011PB9")
	b.look()
	b.see("no identifier is found by this number and document", "Assigning an identifier")
	b.sees(`.site-cards li`, 1)
	b.do("reload", chromedp.Reload())
	b.at(s.at + alena)
	b.see("no identifier is found")

	// An issuance: the application is printed from the screen.
	b.press(`a[href="` + alena + `/issuance"]`)
	b.here()
	b.press(`button[name="language"][value="be"]`)
	b.see("ЗАЯВА", "аб прызначэнні ўнікальнага ідэнтыфікатара", "2230691A011PB9", "ZZ0000011", alenaPhone)
	b.open(s.at + alena + "/issuance")

	// Nothing is attested yet: the refusal stands beside what is missing, and goes along on paper.
	b.decide("ask")
	b.see("Refused (g5)", "The refusal is on record")
	b.press(`a[href="#attested"]`)
	slip := b.href(`main a[href$="/slip/be"]`)
	b.open(slip)
	b.see("АДМОВА", "g5", "№ 433-З", "Minsk-1")
	b.open(s.at + alena + "/issuance")
	b.see("Refused (g5)") // the page is what it was
	b.tick("attested")
	b.decide("ask")
	b.do("reload", chromedp.Reload())
	b.write("code", "000000")
	b.decide("confirm")
	b.see("this is not the code")
	b.decide("resend")
	b.see("Another code was sent")
	b.write("code", code(t, s.last(alenaPhone, "code", 2)))
	b.decide("confirm")
	b.see("The identifier is assigned.", "the clerk does not see it")
	password(t, s.last(alenaPhone, "temporary_password", 1))

	// The signed paper is kept with the act, once it is one.
	b.upload("paper", "paper.txt", "not a scan")
	b.see("This is neither a PDF nor a JPEG nor a PNG.")
	b.upload("paper", "paper.pdf", "%PDF-1.7\nof another\n%%EOF\n")
	b.see("number 1 of at most 5")
	b.upload("paper", "paper.pdf", "%PDF-1.7\nsigned\n%%EOF\n")
	b.see("number 2 of at most 5", "those before it stay kept")
	b.do("reload", chromedp.Reload())
	b.see("number 2 of at most 5")

	// What is offered is what the state allows, once it was asked for anew.
	b.open(s.at + alena)
	b.see("Assigning an identifier done")
	b.look()
	b.see("the password is temporary", "11", "Changing the phone number", "Another temporary password", "Blocking")
	b.sees(`.site-cards li`, 3)
	b.open(s.at + "/desk/visitors/piatro")
	b.look()
	b.see("active", "Changing the phone number", "Blocking")
	b.sees(`.site-cards li`, 2)

	// Block and unblock, with a mistake in between.
	b.open(s.at + alena + "/block")
	b.tick("attested")
	b.decide("ask")
	b.see("The identifier is blocked.")
	b.open(s.at + alena + "/phone_change")
	b.write("phone", newPhone)
	b.tick("attested")
	b.decide("ask")
	b.see("not in the identifier's present state", "The refusal is on record")
	b.open(s.at + alena + "/unblock")
	b.tick("attested")
	b.decide("ask")
	b.see("The identifier is unblocked.")
	password(t, s.last(alenaPhone, "temporary_password", 2))

	// Another phone: a number that is none is told beside the field; then the code goes to the new one.
	b.open(s.at + alena + "/phone_change")
	b.write("phone", "+375 17 200 00 00")
	b.tick("attested")
	b.decide("ask")
	b.see("a mobile number of a Belarusian operator")
	b.write("phone", "8 029 400-00-99")
	b.decide("ask")
	b.write("code", code(t, s.last(newPhone, "code", 1)))
	b.decide("confirm")
	b.see("The phone number is changed.")
	password(t, s.last(newPhone, "temporary_password", 1)) // it was temporary, and stays so

	// What was done is there for the next time, until it is begun anew.
	b.open(s.at + alena)
	b.see("Unblocking done", "Blocking done")
	b.open(s.at + alena + "/reissue")
	b.tick("attested")
	b.decide("ask")
	b.see("Another temporary password is formed.")
	b.decide("anew")
	b.see("The clerk attests")

	// Whom the register does not know yet waits for its next edition, on the list of the office.
	b.open(s.at + "/desk/pending")
	b.see("None waits.")
	b.open(s.at + "/desk")
	b.write("identifier", newcomer)
	b.write("document_number", "ZZ0000902")
	b.look()
	b.at(s.at + "/desk/visitors/other")
	b.press(`a[href="/desk/visitors/other/issuance"]`)
	b.see(newcomer)
	for name, value := range map[string]string{"family": "Вербова", "given": "Вера", "phone": "+375294000902", "basis_number": "902/1"} {
		b.write(name, value)
	}
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](`document.querySelector('[name="document_valid_till"]').value = "2035-12-31"`)); err != nil {
		t.Fatal(err)
	}
	b.tick("attested")
	b.decide("ask")
	b.see("A register did not answer")
	b.open(s.at + "/desk/pending")
	b.see("No. 902/1")
	b.press(`main .site-card a`)
	b.decide("resume")
	b.see("Refused (g5)") // who has come again is attested anew
	b.tick("attested")
	b.decide("resume")
	b.see("Application No. 902/1", "still does not answer") // and nothing is as if it had not been asked
	b.decide("withdraw")
	b.see("The application is withdrawn")
	b.open(s.at + "/desk/pending")
	b.see("None waits.")

	// Nobody's number has stood in an address.
	history, err := chromedp.Run(b.ctx, chromedp.NavigationEntries())
	if err != nil {
		t.Fatal(err)
	}
	for _, visited := range history.Entries {
		if strings.Contains(visited.URL, newcomer) || strings.Contains(visited.URL, "2230691A011PB") {
			t.Errorf("an address names somebody: %s", visited.URL)
		}
	}
}

// signsIn signs somebody of the staff in at the demo's desk page, with the first code on their phone.
func (s *stand) signsIn(b *browser, identifier, phone string) {
	s.t.Helper()
	b.open(s.at + "/desk")
	b.press(`a[href="/desk/sign-in"]`)
	b.fill("username", identifier)
	b.fill("current-password", "vasilki-u-zhyce")
	b.submit()
	b.fill("one-time-code", code(s.t, s.last(phone, "code", 1)))
	b.submit()
	b.at(s.at + "/desk")
}

// Two operators block somebody for security at the demo's desk page, in a browser each, and restore somebody: one proposes, and may only take
// that back; the other decides. A proposal that was refused blocks nobody, one that was withdrawn makes room for another, and an auditor reads
// along.
func TestTwoOperatorsDecideAtTheDesk(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	const maryna, siarhei = "2120485A021PB3", "1250990M022PB2"
	anna, boris, vera := newBrowser(t), newBrowser(t), newBrowser(t)
	s.signsIn(anna, "2190577A071PB1", "+375294000071")
	s.signsIn(boris, "1030481A072PB4", "+375294000072")
	s.signsIn(vera, "2261172B073PB0", "+375294000073")

	// What is misspelt is told, and stays as it was written.
	anna.press(`a[href="/desk/blocks"]`)
	anna.see("None waits.")
	anna.write("identifiers", maryna+", 1250990M022PB3")
	anna.write("basis_number", "7/12")
	anna.press(`form[action="/desk/blocks"] button`)
	anna.see("Nobody has the identifier 1250990M022PB3")
	anna.write("identifiers", maryna+", "+siarhei)
	anna.press(`form[action="/desk/blocks"] button`)
	anna.see("waits for another operator", maryna, siarhei, "so another operator decides")
	anna.sees(`main form button`, 1) // by which she would withdraw it

	vera.press(`a[href="/desk/blocks"]`)
	vera.press(`main li a[href^="/desk/blocks/"]`)
	vera.see("By paper No. 7/12", maryna)
	vera.sees(`main form`, 0)
	vera.open(s.at + "/desk/report")
	vera.see("Since")

	boris.press(`a[href="/desk/blocks"]`)
	boris.press(`main li a[href^="/desk/blocks/"]`)
	boris.decide("approve")
	boris.see("approved: all of them are blocked")
	for _, phone := range []string{"+375294000021", "+375294000022"} {
		s.last(phone, "notice", 1)
	}
	boris.open(s.at + "/desk/blocks")
	boris.see("None waits.")

	// And the other way round, to be refused.
	boris.write("identifiers", "1160386A051BA4")
	boris.write("basis_number", "8/12")
	boris.press(`form[action="/desk/blocks"] button`)
	boris.see("waits for another operator")
	anna.open(s.at + "/desk/blocks")
	anna.press(`main li a[href^="/desk/blocks/"]`)
	anna.decide("refuse")
	anna.see("refused")

	// In the same way they restore somebody whom the register tells to be dead.
	anna.open(s.at + "/desk")
	anna.press(`a[href="/desk/restorations"]`)
	anna.write("basis_number", "9/12")
	for number, want := range map[string]string{maryna: "does not tell that this person is dead or missing", "1": "knows nobody with this number"} {
		anna.write("person", number)
		anna.press(`form[action="/desk/restorations"] button`)
		anna.see(want)
	}
	for _, number := range []string{"8/12", "9/12"} { // of a wrong act, and of the right one
		anna.open(s.at + "/desk/restorations")
		anna.write("basis_number", number)
		anna.write("person", "1090149H041PB0")
		anna.press(`form[action="/desk/restorations"] button`)
		anna.see("waits for another operator", "1090149H041PB0", "so another operator decides")
		if number == "8/12" {
			anna.decide("withdraw")
			anna.see("withdrawn by who proposed it")
		}
	}
	boris.open(s.at + "/desk/restorations")
	boris.press(`main li a[href^="/desk/restorations/"]`)
	boris.see("By act No. 9/12")
	boris.decide("approve")
	boris.see("the person is restored")
	vera.open(s.at + "/desk")
	vera.sees(`a[href="/desk/restorations"]`, 0)
}

// look asks how an identifier stands, by the form that the page shows or has put away.
func (b *browser) look() {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](`document.querySelectorAll('details').forEach(d => d.open = true)`)); err != nil {
		b.t.Fatal(err)
	}
	b.press(`form[action^="/desk/visitors/"] button`)
}

// sees fails unless so many stand on the page of what the selector names.
func (b *browser) sees(selector string, want int) {
	b.t.Helper()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[int]("document.querySelectorAll(`"+selector+"`).length"))
	if err != nil || got != want {
		b.t.Fatalf("the page has %d of %s, want %d: %v\n%s", got, selector, want, err, b.page())
	}
}

// href is where a link leads.
func (b *browser) href(selector string) string {
	b.t.Helper()
	href, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.querySelector('`+selector+`').href`))
	if err != nil {
		b.t.Fatalf("find %s: %v\n%s", selector, err, b.page())
	}
	return href
}

// upload sends a file by the form that has a field for it.
func (b *browser) upload(field, name, content string) {
	b.t.Helper()
	file := filepath.Join(b.t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.do("choose a file", chromedp.SetUploadFiles(chromedp.CSS(`input[name="`+field+`"]`), []string{file}))
	b.press(`.govuk-form-group:has([name="` + field + `"]) ~ button`)
}
