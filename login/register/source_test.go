package register_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"asoba.example/login/register"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/fetch"
)

// What the register says of one person is taken in as an event is; whatever is no answer changes nothing, and tells nobody anything of the person.
func TestOnePersonIsAskedAbout(t *testing.T) {
	t.Parallel()
	r := register.Register{Pool: pgtest.New(t)}
	mustLoad(t, r, full(edition(10, living...)))
	const number = "1010130K001PB9"
	var answer, asked string
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = r.Method + " " + r.RequestURI + " " + string(body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	r.Source = &register.Source{URL: server.URL + "/people", Caller: fetch.New(fetch.Config{AllowLoopback: true})}
	told := func(number, at, more string) string {
		return `{"at":"` + at + `",` + more + `"person":{"identification_number":"` + number + `","sex":"M","birth_date":"1930","citizenship":"PL"}}`
	}
	const now = "2026-11-03T12:00:00Z"
	before := all(t, r.Pool, contents)
	for what, no := range map[string]struct {
		status int
		answer string
		want   error
	}{
		"somebody else":    {200, told("2290296M000BA3", now, ""), register.ErrAway},
		"no JSON":          {200, number, register.ErrAway},
		"broken":           {500, told(number, now, ""), register.ErrAway},
		"no time":          {200, strings.Replace(told(number, now, ""), `"at":"`+now+`",`, "", 1), register.ErrEvent},
		"a time to come":   {200, told(number, "2026-11-04T12:00:00Z", ""), register.ErrEvent},
		"nobody":           {200, `{}`, register.ErrNone},
		"what was so once": {200, told(number, "2026-09-30T12:00:00Z", ""), nil},
		"dead since long":  {200, strings.Replace(told(number, "2026-09-30T12:00:00Z", ""), `"PL"`, `"PL","death_date":"2026-09-01"`, 1), register.ErrGone},
		"dead, and new":    {200, strings.Replace(told("5311299B500PB0", "2026-11-04T12:00:00Z", `"former_number":"`+number+`",`), `"PL"`, `"PL","death_date":"2026-09-01"`, 1), register.ErrGone},
	} {
		status, answer = no.status, no.answer
		err := r.Refresh(t.Context(), number, at)
		if !errors.Is(err, no.want) || err != nil && strings.Contains(err.Error(), number) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if !equal(all(t, r.Pool, contents), before) {
		t.Error("something has changed")
	}
	status, answer = http.StatusOK, told(number, now, "")
	if err := r.Refresh(t.Context(), number, at); err != nil || asked != `POST /people {"identification_number":"`+number+`"}` {
		t.Errorf("%v: asked %s", err, asked)
	}
	if p, err := register.Find(t.Context(), r.Pool, number); err != nil || p.Citizenship != "PL" {
		t.Errorf("%v: %v", err, p)
	}
	mustTake(t, r, event("dead", 2, `2290296M000BA3,F,1996,RU,2026-10-30,record,,,,,,,,`))
	answer = strings.Replace(told("2290296M000BA3", "2026-09-30T12:00:00Z", ""), `"PL"`, `"PL","death_date":"2026-09-01"`, 1)
	if err := r.Refresh(t.Context(), "2290296M000BA3", at); err != nil {
		t.Errorf("dead, which is known: %v", err)
	}
	answer = told("5311299B500PB0", now, `"former_number":"`+number+`",`)
	if err := r.Refresh(t.Context(), number, at); err != nil {
		t.Error(err)
	}
	if _, err := register.Find(t.Context(), r.Pool, "5311299B500PB0"); err != nil {
		t.Errorf("by the number that it has become: %v", err)
	}
	r.Source = nil
	if err := r.Refresh(t.Context(), number, at); err != nil {
		t.Errorf("nobody to ask: %v", err)
	}
}
