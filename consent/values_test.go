package consent

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"asoba.example/provider/clients"
)

// String writes a value as the table below does.
func (v value) String() string {
	if !v.Day.IsZero() {
		return v.Claim + "=" + v.Day.Format(time.DateOnly)
	}
	return v.Claim + "=" + v.Text + v.Word
}

func TestThePageNamesEveryValueThatIsReleased(t *testing.T) {
	t.Parallel()
	const number = "3080356A001PB5"
	for _, row := range []struct {
		name   string
		scopes []string
		claims map[string]any
		want   []string
	}{
		{"the identifier alone", []string{"openid"}, nil, []string{"sub=" + number}},
		{
			"a whole profile",
			[]string{"openid", "profile", "identification_number"},
			map[string]any{
				"name": "Іваноў Ян Янавіч", "family_name": "Іваноў", "given_name": "Ян", "middle_name": "Янавіч", "gender": "male",
				"birthdate": "1956-03-08", "identification_number": number, "updated_at": int64(0),
			},
			[]string{
				"sub=" + number, "family_name=Іваноў", "given_name=Ян", "middle_name=Янавіч", "gender=value.male",
				"birthdate=1956-03-08", "updated_at=1970-01-01",
			},
		},
		{
			"what is not known is agreed to as well",
			[]string{"profile"},
			map[string]any{"birthdate": "1956", "gender": "female"},
			[]string{
				"sub=" + number, "family_name=value.unknown", "given_name=value.unknown", "middle_name=value.unknown",
				"gender=value.female", "birthdate=1956",
			},
		},
		{
			"phone and country, in the order of the page",
			[]string{"phone", "citizenship"},
			map[string]any{"phone_number": "+375291234567", "phone_number_verified": true, "citizenship": "PL"},
			[]string{"sub=" + number, "citizenship=Польшча", "phone_number=+375291234567"},
		},
		{"no country", []string{"citizenship"}, map[string]any{"citizenship": "stateless"}, []string{"sub=" + number, "citizenship=value.stateless"}},
		{"one that nobody thought of", []string{"openid"}, map[string]any{"shoe_size": 43}, []string{"sub=" + number, "shoe_size=43"}},
	} {
		var got []string
		for _, v := range values(number, row.scopes, row.claims, "be") {
			got = append(got, v.String())
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: the page says\n %q, want\n %q", row.name, got, row.want)
		}
	}
}

// A pairwise client learns the identifier only where it asks for it, and the page says which.
func TestThePageSaysWhoLearnsTheIdentifier(t *testing.T) {
	t.Parallel()
	openid, number := []string{"openid"}, []string{"openid", "identification_number"}
	for _, row := range []struct {
		subjectType string
		scopes      []string
		want        bool
	}{{"public", openid, true}, {"pairwise", openid, false}, {"pairwise", number, true}} {
		client := &clients.Client{Metadata: clients.Metadata{SubjectType: row.subjectType}}
		if got := knows(client, row.scopes); got != row.want {
			t.Errorf("%s, %v: %v", row.subjectType, row.scopes, got)
		}
	}
	if got := fmt.Sprint(values("", openid, nil, "be")); got != "[pairwise=value.pairwise]" {
		t.Errorf("the page says %s", got)
	}
}

func TestThePageNamesEveryPower(t *testing.T) {
	t.Parallel()
	got := fmt.Sprint(powers([]string{
		"openid", "profile", "cabinet.profile.read", "cabinet.cases", "cabinet.secrets.read", "cabinet.inbox.burn", "offline_access", "desk:act",
	}))
	want := "[{power.profile.read } {power.cases.read } {power.cases.write } { cabinet.secrets.read} { cabinet.inbox.burn}" +
		" {power.offline } { desk:act}]"
	if got != want {
		t.Errorf("the page says\n %s, want\n %s", got, want)
	}
}
