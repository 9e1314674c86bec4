package cmd_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
)

// The register of documents is away: what people have come for is written down, and nothing is assigned. It stays so for as long as the
// register is away, and says so; once it is back, any clerk of the office goes on with the person who has come again (resolution 792 ¶4).
func TestAnOfficeGoesOnOnceTheRegisterIsBack(t *testing.T) {
	t.Parallel()
	var away atomic.Bool
	register := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if away.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, `{"status": "valid"}`)
	}))
	t.Cleanup(register.Close)
	s := newStand(t, "IDP_DOCUMENT_REGISTER_URL="+register.URL)
	const alena, phone = "/desk/visitors/alena", "+375294000011"
	hanna, piatro := newBrowser(t), newBrowser(t)
	hanna.scriptless()
	s.signsIn(hanna, "2140584A001PB7", "+375294000001")
	s.signsIn(piatro, "1020379A002PB6", "+375294000002")

	away.Store(true)
	hanna.open(s.at + alena)
	hanna.look()
	hanna.press(`a[href="` + alena + `/issuance"]`)
	hanna.tick("attested")
	hanna.decide("ask")
	hanna.see("The application is saved, nothing is assigned, and no code was sent.")
	hanna.do("reload", chromedp.Reload())
	hanna.see("The application is saved")

	// A colleague tries, too early.
	piatro.press(`a[href="/desk/pending"]`)
	piatro.see("application No. 1-")
	piatro.press(`main .site-card a`)
	piatro.tick("attested")
	piatro.decide("resume")
	piatro.see("still does not answer")
	piatro.do("reload", chromedp.Reload())
	piatro.see("still does not answer")
	if got := s.messages(phone); len(got) > 0 {
		t.Errorf("on the phone is %v", got)
	}

	// What gives access to an identifier that exists waits for nobody: it is to be asked for again, as it is written.
	const ihar = "/desk/visitors/ihar"
	hanna.open(s.at + ihar)
	hanna.look()
	hanna.press(`a[href="` + ihar + `/unblock"]`)
	hanna.write("basis_number", "31/2")
	hanna.tick("attested")
	hanna.decide("ask")
	hanna.see("A register does not answer, and nothing was done.")
	hanna.sees(`[name="basis_number"][value="31/2"]`, 1)
	hanna.open(s.at + alena + "/issuance")

	// The register is back, and the person too.
	away.Store(false)
	piatro.tick("attested")
	piatro.decide("resume")
	piatro.see("The person says the code")
	piatro.write("code", code(t, s.last(phone, "code", 1)))
	piatro.decide("confirm")
	piatro.see("The identifier is assigned.")
	password(t, s.last(phone, "temporary_password", 1))
	piatro.open(s.at + "/desk/pending")
	piatro.see("None waits.")

	// Who had written it down is told, and finds how the identifier stands now.
	hanna.tick("attested")
	hanna.decide("resume")
	hanna.see("a colleague may have gone on with it")
	hanna.open(s.at + alena)
	hanna.look()
	hanna.see("the password is temporary")
}

// A supervisor reads at the desk page what the office did, and what was unusual in which act, and keeps a better scan with an act of a clerk's; to
// a clerk neither is shown.
func TestASupervisorReadsWhatTheOfficeDid(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	hanna, piatro := newBrowser(t), newBrowser(t)
	s.signsIn(hanna, "2140584A001PB7", "+375294000001")
	hanna.sees(`a[href="/desk/report"], a[href="/desk/papers"]`, 0)
	hanna.open(s.at + "/desk/visitors/hanna")
	hanna.look()
	hanna.see("clerks do not serve themselves")
	hanna.open(s.at + "/desk/visitors/alena")
	hanna.look()
	hanna.open(s.at + "/desk/report")
	hanna.see("your role does not allow it")
	const amina = "/desk/visitors/amina"
	hanna.open(s.at + amina)
	hanna.look()
	hanna.press(`a[href="` + amina + `/block"]`)
	hanna.tick("attested")
	hanna.decide("ask")
	hanna.see("The identifier is blocked.")
	hanna.upload("paper", "paper.pdf", "%PDF-1.7\nof another\n%%EOF\n")
	hanna.see("number 1 of at most 5")
	act, err := chromedp.Run(hanna.ctx, chromedp.Evaluate[string](`document.querySelector('main p code').textContent`))
	if err != nil {
		t.Fatal(err)
	}

	s.signsIn(piatro, "1020379A002PB6", "+375294000002")
	piatro.press(`a[href="/desk/papers"]`)
	piatro.write("act", act)
	piatro.upload("paper", "paper.pdf", "%PDF-1.7\nsigned\n%%EOF\n")
	piatro.see("number 2 of at most 10", "those before it stay kept")
	piatro.open(s.at + "/desk")
	piatro.press(`a[href="/desk/report"]`)
	eventually(t, "what was done is told", func() error {
		piatro.do("reload", chromedp.Reload())
		page := piatro.page()
		for _, want := range []string{"2140584A001PB7", "Look-ups: 2", "Refusals: 1", "would have served themselves · a look-up"} {
			if !strings.Contains(page, want) {
				return errors.New("the report does not say " + want + ":\n" + page)
			}
		}
		return nil
	})
}
