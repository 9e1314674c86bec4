package login

import (
	"net/http"
	"testing"
	"time"

	"asoba.example/login/browser"
	"asoba.example/login/factor"
	"asoba.example/login/place"
	"asoba.example/login/policy"
	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
	"asoba.example/provider/session"
)

func TestWordsStandInEveryLanguage(t *testing.T) {
	t.Parallel()
	pagetest.Words(t, ".")
}

// Every page, in every language, as people see it.
func TestPages(t *testing.T) {
	t.Parallel()
	site := pagetest.Site(t, Room())
	const waiting = "?interaction=I"
	noon := time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)
	wrong := func(field, word string) []page.FieldError { return []page.FieldError{{Field: field, Word: word}} }
	for name, shown := range map[string]struct {
		address string
		view    page.View
	}{
		"sign-in":                {"/sign-in" + waiting, page.View{Name: "sign-in", Data: signInPage{Recover: "/recover" + waiting, Block: "/block" + waiting, Unblock: "/unblock" + waiting, Client: "Почта"}}},
		"sign-in-draft":          {"/sign-in" + waiting, page.View{Name: "sign-in", Data: signInPage{Recover: "/recover" + waiting, Block: "/block" + waiting, Unblock: "/unblock" + waiting, Client: "Почта", Draft: true}}},
		"sign-in-once-more":      {"/sign-in" + waiting, page.View{Name: "sign-in", Data: signInPage{Recover: "/recover" + waiting, Block: "/block" + waiting, Unblock: "/unblock" + waiting, Again: "sign-in.again"}}},
		"sign-in-surer":          {"/sign-in" + waiting, page.View{Name: "sign-in", Data: signInPage{Recover: "/recover" + waiting, Block: "/block" + waiting, Unblock: "/unblock" + waiting, Client: "Почта", Again: "sign-in.again_surer", Identifier: "0000000A000PB2"}}},
		"sign-in-refused":        {"/sign-in" + waiting, page.View{Name: "sign-in", Data: signInPage{Recover: "/recover" + waiting, Block: "/block" + waiting, Unblock: "/unblock" + waiting, Identifier: "0000000A000PB2"}, Errors: wrong("password", "sign-in.wrong")}},
		"sign-in-waits":          {"/sign-in" + waiting, page.View{Status: http.StatusTooManyRequests, Name: "sign-in", Data: signInPage{Recover: "/recover" + waiting, Block: "/block" + waiting, Unblock: "/unblock" + waiting}, Errors: []page.FieldError{{Wait: time.Minute}}}},
		"sign-in-gone":           {"/sign-in" + waiting, page.View{Name: "sign-in-gone", Data: gonePage{}}},
		"sign-in-no-cookie":      {"/sign-in" + waiting, page.View{Name: "sign-in-no-cookie"}},
		"sign-in-gone-anew":      {"/sign-in" + waiting, page.View{Name: "sign-in-gone", Data: gonePage{Service: "Почта", GoOn: "/authorize" + waiting}}},
		"sign-in-gone-back":      {"/sign-in" + waiting, page.View{Name: "sign-in-gone", Data: gonePage{Service: "Почта"}}},
		"sign-in-gone-in":        {"/sign-in" + waiting, page.View{Name: "sign-in-gone", Data: gonePage{SignedIn: true}}},
		"sign-in-code":           {codePath + waiting, page.View{Name: "sign-in-code", Data: codePage{codeStanding: codeStanding{"15:04", "sign-in-code.wait.seconds", 42}, Phone: "11", Service: true}}},
		"sign-in-code-passkey":   {codePath + waiting, page.View{Name: "sign-in-code", Title: "sign-in-code.title_passkey", Data: codePage{Phone: "11", Passkey: `{"challenge":"c"}`}}},
		"sign-in-code-over":      {codePath + waiting, page.View{Name: "sign-in-code", Data: codePage{Phone: "11"}, Errors: wrong("code", "sign-in-code.over")}},
		"sign-in-password":       {firstPasswordPath + waiting, page.View{Name: "sign-in-password", Data: newPasswordPage{Identifier: "0000000A000PB2", Shortest: 12}}},
		"security-password":      {"/security/password", page.View{Name: "security-password", Data: newPasswordPage{Identifier: "0000000A000PB2", Shortest: 12}, Errors: wrong("new_password_again", "new-password.differ")}},
		"security-phone":         {phonePath, page.View{Name: "security-phone", Limit: &page.Limit{Till: "12:15", Warn: 13 * time.Minute}, Data: phonePage{Phone: "11", Typed: "+48"}, Errors: wrong("phone", "security-phone.no_phone")}},
		"security-phone-code":    {phonePath, page.View{Name: "security-phone-code", Data: phonePage{codeStanding: codeStanding{"15:04", "sign-in-code.wait.seconds", 42}, Phone: "11", Next: "77"}}},
		"security-phone-pending": {phonePath, page.View{Name: "security-phone-due", Data: phonePage{Phone: "11", Next: "77", Due: noon}}},
		"security-phone-frozen":  {phonePath, page.View{Name: "security-phone", Data: phonePage{Phone: "11", Frozen: noon}}},
		"security-sessions": {sessionsPath, page.View{Name: "security-sessions", SignedIn: true, Back: "/security", Data: sessionsPage{
			SID: "here", Ended: true,
			Browsers: []browser.Browser{
				{ID: "a", Agent: "Firefox, Linux", FirstAt: noon.AddDate(0, -1, 0), LastAt: noon, Here: true, Open: []session.Open{
					{Session: session.Session{SID: "here", AuthTime: noon}, UsedAt: noon.Add(time.Minute)},
				}},
				{ID: "b", Place: place.Place{"where": "PL"}, FirstAt: noon.AddDate(0, -1, 0), LastAt: noon.Add(-time.Hour), Open: []session.Open{
					{Session: session.Session{SID: "there", AuthTime: noon.Add(-time.Hour)}, UsedAt: noon},
				}},
				{ID: "c", Agent: "Safari, iOS", FirstAt: noon.AddDate(0, -1, 0), LastAt: noon.AddDate(0, 0, -7)},
			},
		}}},
		"security-history": {"/security/history", page.View{Name: "security-history", SignedIn: true, Back: sessionsPath, Data: historyPage{
			Latest: true, Earlier: "/security/history?before=7",
			Events: []happened{
				{"history.code.sent.change_phone", "77", noon, "", nil, 1, ""},
				{"history.signed_in.code", "", noon, "Firefox, Linux", place.Place{"where": "BY", "where.en": "Minsk", "where.ru": "Минск"}, 1, ""},
				{"history.sign_in.refused.password", "", noon.Add(-time.Hour), "", nil, 123, "PL, BR"},
			},
		}}},
		"security-passkeys": {passkeysPath, page.View{Name: "security-passkeys", Data: passkeysPage{
			Passkeys: []factor.Passkey{
				{Name: "Firefox, Linux", AddedAt: time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC)},
				{Name: "<ключ>", AddedAt: time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC), UsedAt: new(time.Date(2026, 5, 13, 9, 30, 0, 0, time.UTC))},
			},
			Invitation: `{"challenge":"c"}`, Rename: passkeysPath + "?rename=", Name: "Chrome, Windows",
		}}},
		"security-passkeys-renaming": {passkeysPath, page.View{Name: "security-passkeys", Data: passkeysPage{Renaming: "01", Name: "Firefox, Linux"}}},
		"security-passkeys-full":     {passkeysPath, page.View{Name: "security-passkeys", Data: passkeysPage{}, Errors: []page.FieldError{{Word: "security-passkeys.wrong"}}}},
		"sign-in-code-passkey-only":  {codePath + waiting, page.View{Name: "sign-in-code", Title: "sign-in-code.title_passkey", Data: codePage{Passkey: `{"challenge":"c"}`, PasskeyOnly: true}}},
		"sign-in-authenticator": {authenticatorStep + waiting, page.View{Name: "sign-in-authenticator", Data: typedPage{
			Passkey: `{"challenge":"c"}`, Service: true,
			Ways: []way{{"sign-in.way.code", codePath + waiting}, {"sign-in.way.recovery_code", recoveryCodeStep + waiting}},
		}}},
		"sign-in-recovery-code": {recoveryCodeStep + waiting, page.View{Name: "sign-in-recovery-code", Data: typedPage{}, Errors: wrong("recovery_code", "recovery-code.wrong")}},
		"proof-app":             {unblockProofPath + waiting, page.View{Name: "proof", Data: proofPage{Needs: "proof.to_unblock.app", Otherwise: "proof.no_app"}}},
		"security-factors":      {factorsPath, page.View{Name: "security-factors", Back: "/security", Data: factorsPage{Passkeys: 2, Authenticator: true, RecoveryCodes: 1, ToPasskeys: passkeysPath, ToAuthenticator: authenticatorPath, ToRecoveryCodes: recoveryCodesPath}}},
		"security-factors-none": {factorsPath + waiting, page.View{Name: "security-factors", Data: factorsPage{GoOn: "/authorize" + waiting}}},
		"security-authenticator": {authenticatorPath, page.View{Name: "security-authenticator", Data: authenticatorPage{Invited: invitedApp{
			Size: 9, Squares: "M4 4h1v1h-1z", Key: "ABCD EFGH", Link: "otpauth://totp/idp.example:10%E2%80%A6B9?secret=ABCDEFGH",
		}}}},
		"security-authenticator-bound": {authenticatorPath, page.View{Name: "security-authenticator", Data: authenticatorPage{
			Has: true, Bound: factor.Authenticator{AddedAt: time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC), UsedAt: new(time.Date(2026, 5, 13, 9, 30, 0, 0, time.UTC))},
		}}},
		"security-authenticator-frozen": {authenticatorPath, page.View{Name: "security-authenticator", Data: authenticatorPage{Frozen: noon}}},
		"security-recovery-codes":       {recoveryCodesPath, page.View{Name: "security-recovery-codes", Data: recoveryCodesPage{Left: 3, MadeAt: time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC)}}},
		"security-recovery-codes-made":  {recoveryCodesPath, page.View{Name: "security-recovery-codes", Errors: []page.FieldError{{Word: "security-recovery-codes.made"}}, Data: recoveryCodesPage{Left: 10, MadeAt: time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC)}}},
		"security-recovery-codes-fresh": {recoveryCodesPath, page.View{Name: "security-recovery-codes", Data: recoveryCodesPage{Fresh: []string{"ABCD-EFGH-2345-67OB", "BCDE-EFGH-2345-67OB"}, Done: factorsPath}}},
		"block":                         {"/block", page.View{Name: "block", Data: blockPage{Identifier: "00…B2", Phone: "11"}}},
		"block-done":                    {"/block/done", page.View{Name: "block-done"}},
		"rules": {"/rules", page.View{Name: "rules", Data: rulesPage{Chapters: []chapter{{"rules.codes", []rule{{Word: "rule.code.for", Value: "5"}}}, {"rules.sessions", []rule{
			{Word: "rule.session.idle", Value: "10", From: time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC), Ground: &policy.Ground{Title: "Рэгламент", Number: "17", Date: time.Date(2026, 4, 30, 0, 0, 0, 0, time.UTC)}, ApprovedAt: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)},
		}}}}}},
		"sign-out": {"/sign-out", page.View{Name: "sign-out"}},
		"security": {"/security?changed", page.View{Name: "security", SignedIn: true, Data: securityPage{
			Identifier: "00…B2", Phone: "11", At: time.Date(2026, 5, 12, 9, 30, 0, 0, time.UTC), How: "security.how.code",
			Agent: "Firefox, Linux", Cabinet: "http://cabinet.example", Changed: true,
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pagetest.Golden(t, site, name, shown.address, shown.view)
		})
	}
}
