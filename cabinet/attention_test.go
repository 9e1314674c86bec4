package cabinet

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"asoba.example/cabinet/contact"
	"asoba.example/cabinet/journal"
)

// The start page names what a citizen should look at, each matter once, and nothing that they did at home, undid, or have reported.
func TestWhatNeedsAttention(t *testing.T) {
	t.Parallel()
	c := &Cabinet{cfg: Config{IssuerURL: "https://idp.example"}}
	entry := func(kind journal.Kind, detail ...string) journal.Entry {
		e := journal.Entry{At: noon, Kind: kind, Detail: map[string]string{}}
		for i := 0; i < len(detail); i += 2 {
			e.Detail[detail[i]] = detail[i+1]
		}
		return e
	}
	reported := func(e journal.Entry) journal.Entry {
		e.ReportedAt = &noon
		return e
	}
	reached := contact.Contact{Phone: "+375291234567"}
	for story, test := range map[string]struct {
		latest []journal.Entry // newest first
		given  contact.Contact
		acr    string
		want   string
	}{
		"nothing":                      {nil, reached, "substantial", ""},
		"a slip at home":               {[]journal.Entry{entry("sign_in.refused", "browser", "known")}, reached, "substantial", ""},
		"a stranger":                   {[]journal.Entry{entry("sign_in.refused"), entry("passkey.added"), entry("sign_in.refused")}, reached, "substantial", "refused 2, entry kind.passkey.added"},
		"a stranger, reported":         {[]journal.Entry{reported(entry("sign_in.refused"))}, reached, "substantial", ""},
		"a new phone asked for":        {[]journal.Entry{entry("phone_change.asked")}, reached, "substantial", "phone"},
		"and cancelled":                {[]journal.Entry{entry("phone_change.cancelled"), entry("phone_change.asked")}, reached, "substantial", ""},
		"and asked for again":          {[]journal.Entry{entry("phone_change.asked"), entry("phone_change.cancelled"), entry("phone_change.asked")}, reached, "substantial", "phone"},
		"and had":                      {[]journal.Entry{entry("phone.changed"), entry("phone_change.asked")}, reached, "substantial", "entry kind.phone.changed"},
		"two values changed":           {[]journal.Entry{entry(journal.ProfileChanged), entry(journal.ProfileChanged)}, reached, "substantial", "changed"},
		"the password alone":           {nil, reached, "low", "level"},
		"nobody knows how to reach":    {nil, contact.Contact{Language: "be"}, "substantial", "contact"},
		"a password that was lost":     {[]journal.Entry{entry("password.recovered")}, reached, "substantial", "entry kind.password.recovered"},
		"the same, and recognised not": {[]journal.Entry{reported(entry("password.recovered"))}, reached, "substantial", ""},
	} {
		var got []string
		for _, m := range c.attention(test.latest, test.given, test.acr) {
			said := strings.TrimSpace(m.Name + " " + m.Word)
			if m.Count > 0 {
				said += fmt.Sprint(" ", m.Count)
			}
			got = append(got, said)
		}
		if got := strings.Join(got, ", "); got != test.want {
			t.Errorf("%s: got %q, want %q", story, got, test.want)
		}
	}
}

// It is found with the start page, in its one round trip, among what is a week old at most.
func TestTheStartPageTellsWhatNeedsAttention(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/sign-in", "/", 200, "You have not said how to reach you")
	for _, at := range []time.Time{noon.Add(-8 * 24 * time.Hour), noon.Add(-time.Hour)} {
		const write = `INSERT INTO journal (id, person_id, at, kind, actor) VALUES (gen_random_uuid(), $1, $2, 'sign_in.refused', 'self')`
		if _, err := w.pool.Exec(t.Context(), write, anna, at); err != nil {
			t.Fatal(err)
		}
	}
	w.trips.Take()
	b.want("/", "/", 200, "1 attempt in the last week")
	if got := w.trips.Take(); got != 1 {
		t.Errorf("%d round trips, want 1", got)
	}
}
