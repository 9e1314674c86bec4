package provider

import (
	"testing"
	"time"

	"asoba.example/provider/api"
	"asoba.example/provider/session"
)

// The whole of prompt, max_age, acr_values, id_token_hint and consent (OpenID Connect Core §3.1.2.1–6).
func TestNext(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	standing := Standing{Identifier: "3080356A001PB5", Active: true}
	incapable := Standing{Identifier: standing.Identifier, Active: true, Incapable: true}
	signedIn := func(ago time.Duration, acr string) session.Session {
		return session.Session{SID: "s", AuthTime: now.Add(-ago), ACR: acr}
	}
	hourAgo, justNow := signedIn(time.Hour, api.Low), signedIn(time.Second, api.Low)
	asked := now.Add(-time.Minute)
	specimen := Standing{Identifier: "0000000A000PB2", Active: true}

	for name, row := range map[string]struct {
		q    Question
		want Step
	}{
		"nobody is signed in":              {Question{MaxAge: -1}, Login},
		"nobody is signed in, silently":    {Question{MaxAge: -1, Prompt: PromptNone}, RefuseLoginRequired},
		"signed in and agreed":             {Question{MaxAge: -1, Session: hourAgo, Covered: true}, Answer},
		"signed in and agreed, silently":   {Question{MaxAge: -1, Session: hourAgo, Covered: true, Prompt: PromptNone}, Answer},
		"not agreed":                       {Question{MaxAge: -1, Session: hourAgo}, Consent},
		"not agreed, silently":             {Question{MaxAge: -1, Session: hourAgo, Prompt: PromptNone}, RefuseConsentRequired},
		"not agreed, incapable":            {Question{MaxAge: -1, Session: hourAgo, Standing: incapable}, RefuseAccessDenied},
		"incapable, but only to be told":   {Question{MaxAge: -1, Session: hourAgo, Standing: incapable, Informs: true}, Consent},
		"agreed before they were found so": {Question{MaxAge: -1, Session: hourAgo, Standing: incapable, Covered: true}, Answer},
		"agreed on the page":               {Question{MaxAge: -1, Session: hourAgo, Covered: true, Agreed: true}, Answer},
		"somebody else had agreed":         {Question{MaxAge: -1, Session: hourAgo, Agreed: true}, Consent},
		"refused on a page":                {Question{MaxAge: -1, Session: hourAgo, Covered: true, Refused: true}, RefuseAccessDenied},
		"refused before signing in":        {Question{MaxAge: -1, Refused: true}, RefuseAccessDenied},
		"consent wanted again":             {Question{MaxAge: -1, Session: hourAgo, Covered: true, Prompt: PromptConsent}, Consent},
		"consent wanted again and given":   {Question{MaxAge: -1, Session: hourAgo, Covered: true, Agreed: true, Prompt: PromptConsent}, Answer},
		"login wanted, older session":      {Question{MaxAge: -1, Session: hourAgo, Covered: true, Prompt: PromptLogin}, Login},
		"login wanted, signed in since":    {Question{MaxAge: -1, Session: justNow, Covered: true, Prompt: PromptLogin}, Answer},
		"younger than max_age":             {Question{MaxAge: 2 * time.Hour, Session: hourAgo, Covered: true}, Answer},
		"exactly max_age":                  {Question{MaxAge: time.Hour, Session: hourAgo, Covered: true}, Login},
		"older than max_age":               {Question{MaxAge: time.Minute, Session: hourAgo, Covered: true}, Login},
		"older than max_age, silently":     {Question{MaxAge: time.Minute, Session: hourAgo, Covered: true, Prompt: PromptNone}, RefuseLoginRequired},
		"max_age 0":                        {Question{MaxAge: 0, Session: hourAgo, Covered: true}, Login},
		"max_age 0, signed in since":       {Question{MaxAge: 0, Session: justNow, Covered: true}, Answer},
		"a higher level":                   {Question{MaxAge: -1, Session: hourAgo, Covered: true, ACR: api.Substantial}, Login},
		"a higher level, silently":         {Question{MaxAge: -1, Session: hourAgo, Covered: true, ACR: api.Substantial, Prompt: PromptNone}, RefuseLoginRequired},
		"a lower level":                    {Question{MaxAge: -1, Session: signedIn(time.Hour, api.Substantial), Covered: true, ACR: api.Low}, Answer},
		"the one of the hint":              {Question{MaxAge: -1, Session: hourAgo, Covered: true, Hint: digest(standing.Identifier)}, Answer},
		"somebody else than the hint's":    {Question{MaxAge: -1, Session: hourAgo, Covered: true, Hint: digest("another")}, RefuseLoginRequired},
		"somebody else, and not agreed":    {Question{MaxAge: -1, Session: hourAgo, Hint: digest("another"), Prompt: PromptNone}, RefuseConsentRequired}, // who is here is nobody's to guess
		"a hint and nobody is signed in":   {Question{MaxAge: -1, Hint: digest(standing.Identifier)}, Login},
		"the sign-in was ended":            {Question{MaxAge: -1, Session: hourAgo, Covered: true, Standing: Standing{Active: true, Ended: now.Add(-time.Hour)}}, Login},
		"the sign-in is later than that":   {Question{MaxAge: -1, Session: justNow, Covered: true, Standing: Standing{Active: true, Ended: now.Add(-time.Hour)}}, Answer},
		"the identifier is not active":     {Question{MaxAge: -1, Session: hourAgo, Covered: true, Standing: Standing{Person: [16]byte{1}}}, Login},
		"a device":                         {Question{MaxAge: -1, Session: hourAgo, Covered: true, Device: true}, Confirm},
		"a device, and nobody signed in":   {Question{MaxAge: -1, Device: true, Confirmed: "s"}, Login},
		"a device, confirmed":              {Question{MaxAge: -1, Session: hourAgo, Covered: true, Device: true, Confirmed: "s"}, Answer},
		"a device, confirmed, not agreed":  {Question{MaxAge: -1, Session: hourAgo, Device: true, Confirmed: "s"}, Consent},
		"a device, confirmed by another":   {Question{MaxAge: -1, Session: hourAgo, Covered: true, Device: true, Confirmed: "other"}, Confirm},
		"blocked, and the page was agreed": {Question{MaxAge: -1, Session: hourAgo, Agreed: true, Standing: Standing{Person: [16]byte{1}}}, Login},
		"a citizen at a draft":             {Question{MaxAge: -1, Session: hourAgo, Covered: true, Draft: true}, RefuseSandbox},
		"a citizen at a draft, silently":   {Question{MaxAge: -1, Session: hourAgo, Draft: true, Prompt: PromptNone}, RefuseSandbox},
		"a citizen with a draft's device":  {Question{MaxAge: -1, Session: hourAgo, Draft: true, Device: true}, RefuseSandbox},
		"another one wanted at a draft":    {Question{MaxAge: -1, Session: hourAgo, Draft: true, Prompt: PromptLogin}, Login},
		"nobody is signed in at a draft":   {Question{MaxAge: -1, Draft: true}, Login},
		"a specimen at a draft":            {Question{MaxAge: -1, Session: hourAgo, Covered: true, Draft: true, Standing: specimen}, Answer},
		"a specimen at a draft, to agree":  {Question{MaxAge: -1, Session: hourAgo, Draft: true, Standing: specimen}, Consent},
		"a specimen at a live client":      {Question{MaxAge: -1, Session: hourAgo, Covered: true, Standing: specimen}, RefuseSandbox},
	} {
		if row.q.Standing == (Standing{}) {
			row.q.Standing = standing
		}
		row.q.Subject = row.q.Standing.Identifier
		row.q.Asked = asked
		if got := Next(row.q, now); got != row.want {
			t.Errorf("%s: got step %d, want %d", name, got, row.want)
		}
	}
}
