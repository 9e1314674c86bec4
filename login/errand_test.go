package login

import (
	"net/http"
	"regexp"
	"testing"
	"time"

	"asoba.example/login/place"
	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
)

// The pages of errands, in every language, as people see them.
func TestErrandPages(t *testing.T) {
	t.Parallel()
	site := pagetest.Site(t, Room())
	const waiting = "?interaction=I"
	wrong := func(field, word string) []page.FieldError { return []page.FieldError{{Field: field, Word: word}} }
	for name, shown := range map[string]struct {
		address string
		view    page.View
	}{
		"recover":          {"/recover" + waiting, page.View{Name: "recover", Data: recoverPage{Identifier: "0000000A000PB3", Service: true}, Errors: wrong("identifier", "sign-in.check_identifier")}},
		"errand-code":      {"/recover/code" + waiting, page.View{Name: "errand-code", Data: errandCodePage{codeStanding: codeStanding{"15:04", "sign-in-code.wait.minutes", 2}, Identifier: "1010130K001PB9", Sent: "errand-code.sent", Submit: "sign-in-code.submit", Otherwise: "errand-code.never"}}},
		"errand-code-over": {"/recover/code" + waiting, page.View{Name: "errand-code", Data: errandCodePage{Submit: "block.submit", Otherwise: "block-errand.otherwise", Slip: true, Service: true}, Errors: wrong("code", "sign-in-code.over")}},
		"unblock-code":     {"/unblock/code" + waiting, page.View{Name: "errand-code", Data: errandCodePage{codeStanding: codeStanding{Till: "15:04"}, Sent: unblocking.sent, Submit: unblocking.does, Otherwise: unblocking.otherwise}}},
		"proof":            {recoverProofPath + waiting, page.View{Name: "proof", Data: proofPage{Needs: "proof.to_recover.app", Otherwise: "proof.no_app"}, Errors: wrong("own_code", "proof.code_wrong")}},
		"proof-passkey":    {unblockProofPath + waiting, page.View{Name: "proof", Data: proofPage{Needs: "proof.to_unblock.passkey", Otherwise: "proof.no_passkey", Passkey: `{"challenge":"c"}`, Service: true}}},
		"proof-code":       {recoverProofPath + waiting, page.View{Name: "proof", Data: proofPage{Needs: "proof.recovery_code", Otherwise: "proof.no_recovery_code"}}},
		"recover-desk":     {recoverDeskPath, page.View{Name: "recover-desk"}},
		"recover-sent":     {recoverSentPath + waiting, page.View{Name: "recover-sent", Data: recoverSentPage{SignIn: "/sign-in" + waiting}}},
		"recover-password": {recoverPasswordPath + waiting, page.View{Name: "recover-password", Data: newPasswordPage{Identifier: "0000000A000PB2", Shortest: 12, Frozen: time.Date(2026, 5, 13, 9, 30, 0, 0, time.UTC)}, Errors: wrong("new_password", "password.words")}},
		"block-waits":      {"/block" + waiting, page.View{Status: http.StatusTooManyRequests, Name: "block-errand", Data: blockErrandPage{Identifier: "0000000A000PB2", Recover: "/recover" + waiting}, Errors: []page.FieldError{{Wait: time.Minute}}}},
		"recover-waits":    {"/recover" + waiting, page.View{Status: http.StatusTooManyRequests, Name: "recover", Data: recoverPage{Identifier: "0000000A000PB2"}, Errors: []page.FieldError{{Wait: time.Minute}}}},
		"block-errand":     {"/block" + waiting, page.View{Name: "block-errand", Data: blockErrandPage{Identifier: "0000000A000PB2", Service: true}, Errors: wrong("password", "sign-in.wrong")}},
		"unblock-waits":    {"/unblock" + waiting, page.View{Status: http.StatusTooManyRequests, Name: "unblock", Data: recoverPage{}, Errors: []page.FieldError{{Wait: time.Minute}}}},
		"unblock":          {"/unblock" + waiting, page.View{Name: "unblock", Data: recoverPage{Again: "sign-in.begin_again", Identifier: "0000000A000PB2", Service: true}}},
		"unblock-password": {unblockPasswordPath + waiting, page.View{Name: "unblock-password", Data: newPasswordPage{Identifier: "0000000A000PB2", Shortest: 12}, Errors: wrong("new_password", "password.same")}},
		"unblock-desk":     {unblockDeskPath, page.View{Name: "unblock-desk", Data: unblockDeskPage{For: "24 h"}}},
		"not-me":           {"/not-me/T", page.View{Name: "not-me", Data: notMePage{Word: "not-me.new_browser", What: "not-me.what", At: time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC), Agent: "Firefox, Linux", Place: place.Place{"where": "BY", "where.ru": "Минск", "where.en": "Minsk"}}}},
		"not-me-gone":      {"/not-me/T", page.View{Name: "not-me-gone"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pagetest.Golden(t, site, name, shown.address, shown.view)
		})
	}
}

// Whatever a warning is of, the page of its link tells it.
func TestEveryWarningIsTold(t *testing.T) {
	t.Parallel()
	words, err := files.ReadFile("words/en.json")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`"(sms\.\w+)": ".*\.Link`).FindAllSubmatch(words, -1)
	for _, m := range found {
		if warnings[string(m[1])] == "" {
			t.Errorf("%s: no word", m[1])
		}
	}
	if len(found) != len(warnings) {
		t.Errorf("%d warnings and %d words", len(found), len(warnings))
	}
}
