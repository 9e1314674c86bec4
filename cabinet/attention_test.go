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
	entry := func(kind journal.Kind, detail ...string) journal.News {
		e := journal.Entry{At: noon, Kind: kind, Detail: map[string]string{}}
		for i := 0; i < len(detail); i += 2 {
			e.Detail[detail[i]] = detail[i+1]
		}
		return journal.News{Entry: e, Times: 2}
	}
	reported := func(e journal.News) journal.News {
		e.ReportedAt = &noon
		return e
	}
	reached := contact.Contact{Phone: "+375291234567"}
	for story, test := range map[string]struct {
		latest []journal.News // newest first
		given  contact.Contact
		acr    string
		want   string
	}{
		"nothing":               {nil, reached, "substantial", ""},
		"a slip at home":        {[]journal.News{entry("sign_in.refused", "browser", "known")}, reached, "substantial", ""},
		"a stranger":            {[]journal.News{entry("sign_in.refused"), entry("passkey.added"), entry("sign_in.refused", "browser", "known")}, reached, "substantial", "refused 2, entry kind.passkey.added"},
		"a stranger, reported":  {[]journal.News{reported(entry("sign_in.refused"))}, reached, "substantial", ""},
		"and again":             {[]journal.News{reported(entry("sign_in.refused")), entry("sign_in.refused")}, reached, "substantial", "refused 2"},
		"a new phone asked for": {[]journal.News{entry("phone_change.asked")}, reached, "substantial", "phone"},
		"and cancelled":         {[]journal.News{entry("phone_change.cancelled"), entry("phone_change.asked")}, reached, "substantial", ""},
		"and asked for again":   {[]journal.News{entry("phone_change.asked"), entry("phone_change.cancelled")}, reached, "substantial", "phone"},
		"and had":               {[]journal.News{entry("phone.changed"), entry("phone_change.asked")}, reached, "substantial", "entry kind.phone.changed"},
		"two values changed":    {[]journal.News{entry(journal.ProfileChanged)}, reached, "substantial", "changed"},
		"two disputes answered": {
			[]journal.News{entry(journal.DisputeAnswered, "field", "sex"), entry(journal.DisputeAnswered, "field", "limited")},
			reached, "substantial",
			"answered profile.sex /profile/values/sex, answered profile.capacity /profile/values/limited",
		},
		"the password alone":           {nil, reached, "low", "level"},
		"nobody knows how to reach":    {nil, contact.Contact{Language: "be"}, "substantial", "contact"},
		"a password that was lost":     {[]journal.News{entry("password.recovered")}, reached, "substantial", "entry kind.password.recovered"},
		"the same, and recognised not": {[]journal.News{reported(entry("password.recovered"))}, reached, "substantial", ""},
	} {
		var got []string
		for _, m := range c.attention(test.latest, test.given, test.acr) {
			said := strings.TrimSpace(m.Name + " " + m.Word)
			if m.Field != "" {
				said += " " + m.Field + " " + m.To
			}
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

// However often somebody is refused, that buries nothing else: the number alone grows.
func TestRefusedSignInsHideNoOtherNews(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.provider.SignIn(signIn(), "")
	b := w.browser(t)
	b.want("/sign-in", "/", 200, "You have not said how to reach you")
	write := func(kind journal.Kind, detail map[string]string, ago time.Duration, times int) {
		t.Helper()
		const insert = `
			INSERT INTO journal (id, person_id, at, kind, actor, detail)
			SELECT gen_random_uuid(), $1, $2, $3, 'self', $4 FROM generate_series(1, $5)`
		if _, err := w.pool.Exec(t.Context(), insert, anna, noon.Add(-ago), kind, detail, times); err != nil {
			t.Fatal(err)
		}
	}
	write("phone_change.asked", nil, 20*time.Hour, 1)
	write("passkey.added", nil, 19*time.Hour, 1)
	write(journal.DisputeAnswered, map[string]string{"field": "sex", "outcome": "upheld"}, 18*time.Hour, 1)
	write(journal.DisputeAnswered, map[string]string{"field": "citizenship", "outcome": "corrected"}, 17*time.Hour, 1)
	write(journal.ProfileChanged, map[string]string{"field": "sex"}, 16*time.Hour, 120)
	write("sign_in.refused", nil, 2*time.Hour, 150)
	write("sign_in.refused", map[string]string{"browser": "known"}, time.Hour, 120)
	for _, says := range []string{
		"150 attempts in the last week", "Another phone number to sign in with was asked for", "You added a passkey", "Your official data have changed",
		`href="/profile/values/sex"`, `href="/profile/values/citizenship"`,
	} {
		b.want("/", "/", 200, says)
	}
}
