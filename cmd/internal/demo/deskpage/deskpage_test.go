package deskpage

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/clients"
	"asoba.example/cmd/internal/demo/management"
	"asoba.example/cmd/internal/demo/workbench"
	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
)

// Whose sign-in is too long ago for what they ask signs in again, and finds what they had written (RFC 9470 §4).
func TestAnOldSignInIsRenewedBeforeABlock(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"code": "insufficient_user_authentication"}`)
	}))
	t.Cleanup(api.Close)
	d := New(Config{})
	v := &visit{
		token: &oauth2.Token{AccessToken: "t", Expiry: time.Now().Add(time.Hour)}, api: management.Caller{URL: api.URL, HTTP: api.Client()},
		drafts: map[string]draft{},
	}
	const id = "01890000-0000-7000-8000-000000000000"
	for door, act := range map[string]func(http.ResponseWriter, *http.Request, *visit) error{
		"/desk/blocks": d.propose(blocks), "/desk/blocks/" + id: d.decide(blocks),
		"/desk/restorations": d.propose(restorations), "/desk/restorations/" + id: d.decide(restorations),
	} {
		answer := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, door, strings.NewReader("identifiers=1&decision=approve"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetPathValue("id", id)
		if err := act(answer, r, v); err != nil {
			t.Fatal(err)
		}
		to := door + "?unsent"
		if got, want := answer.Header().Get("Location"), "/desk/sign-in?prompt=login&to="+url.QueryEscape(to); got != want {
			t.Errorf("it leads to %q, want %q", got, want)
		}
		if got := back(to); got != to {
			t.Errorf("back from the sign-in is %q", got)
		}
	}
	if v.drafts["blocks"].Identifiers != "1" {
		t.Errorf("what was written is %+v", v.drafts)
	}
}

// An empty form is marked at every field that must be filled in, in the order of the page.
func TestAnEmptyFormIsMarkedAtEveryField(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnprocessableEntity)
		_, _ = io.WriteString(w, `{"code": "invalid", "fields": [{"name": "/identifier", "code": "not_an_identifier"}, {"name": "/names", "code": "not_names"},
			{"name": "/phone", "code": "not_mobile"}, {"name": "/basis", "code": "not_a_basis"}]}`)
	}))
	t.Cleanup(api.Close)
	o := operations[0]
	w := work{}
	if err := w.ask(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/desk", nil), management.Caller{URL: api.URL, HTTP: api.Client()}, o); err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, e := range w.wrong(o) {
		got = append(got, e.Field+" "+e.Word)
	}
	want := []string{
		"identifier wrong.not_an_identifier", "document_number wrong.no_number", "document_valid_till wrong.no_term", "family wrong.not_names",
		"basis_number wrong.not_a_basis", "phone wrong.not_mobile", "attested wrong.not_attested",
	}
	if !slices.Equal(got, want) {
		t.Errorf("marked are %q, want %q", got, want)
	}
}

// A form that comes when its clerk's token is over is kept as it was written, and its page says that nothing was done yet. The way from
// the form leads through the provider, which the page's policy lets it (CSP3 §6.4.1: form-action holds redirections too).
func TestAFormOutlivesItsSignIn(t *testing.T) {
	t.Parallel()
	site := pagetest.Site(t, Room(), workbench.Room())
	d := New(Config{Site: site, Addresses: clients.Addresses{Issuer: "https://idp.example"}})
	p, o := cast.All()[0], operations[0]
	v := &visit{token: &oauth2.Token{Expiry: time.Now().Add(-time.Second)}, works: map[string]work{}}
	at := address(p, o) + "?unsent"
	door := d.at(func(w http.ResponseWriter, r *http.Request, v *visit, t task) error {
		if r.Method == http.MethodPost {
			return d.act(w, r, v, t)
		}
		return d.work(w, r, v, t)
	})
	ask := func(method, body string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), method, at, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept-Language", "en")
		r.SetPathValue("key", p.Key)
		r.SetPathValue("operation", o.Name)
		site.Handle(func(w http.ResponseWriter, r *http.Request) error { return door(w, r, v) }).ServeHTTP(answer, r)
		return answer
	}
	if got, want := ask(http.MethodPost, "decision=ask&given=Half-written").Header().Get("Location"), "/desk/sign-in?to="+url.QueryEscape(at); got != want {
		t.Errorf("it leads to %q, want %q", got, want)
	}
	if got := back(at); got != at {
		t.Errorf("back from the sign-in is %q", got)
	}
	answer := ask(http.MethodGet, "")
	for _, want := range []string{"nothing has been done yet", `value="Half-written"`} {
		if !strings.Contains(answer.Body.String(), want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	if policy := answer.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://idp.example") {
		t.Errorf("the policy is %s", policy)
	}
}

// What a clerk has on the desk is there after another sign-in, and is nobody else's.
func TestAnotherClerkBeginsWithAnEmptyDesk(t *testing.T) {
	t.Parallel()
	d := New(Config{})
	for subject, want := range map[string]bool{"1": true, "2": false} {
		d.visits["clerk"] = &visit{subject: "1", works: map[string]work{"/desk": {}}}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/desk/callback", nil)
		r.AddCookie(&http.Cookie{Name: d.cookieName("desk"), Value: "clerk"})
		v := &visit{subject: subject}
		if same := d.begin(httptest.NewRecorder(), r, v); same != want || len(v.works) == 1 != want {
			t.Errorf("%s is the same: %t, and has %v", subject, same, v.works)
		}
	}
}

// Whoever is not of the queue is named by what is on the desk, whomever another window has asked about since.
func TestAWindowNamesWhomItServes(t *testing.T) {
	t.Parallel()
	site := pagetest.Site(t, Room(), workbench.Room())
	d := New(Config{Site: site})
	o := operations[0]
	v := &visit{
		lookups: map[string]lookup{other: {Identifier: "the-next-one"}},
		works:   map[string]work{address(cast.Person{Key: other}, o): {Visit: "/desk/issuances/1", Form: form{Identifier: "this-one"}}},
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/desk/visitors/other/issuance", nil)
	r.SetPathValue("key", other)
	r.SetPathValue("operation", o.Name)
	answer := httptest.NewRecorder()
	if err := d.at(d.work)(answer, r, v); err != nil {
		t.Fatal(err)
	}
	if shown := answer.Body.String(); !strings.Contains(shown, "this-one") || strings.Contains(shown, "the-next-one") {
		t.Errorf("the page names somebody else:\n%s", shown)
	}
}

// Where the API's answer was lost, the clerk asks again with what is still written and by the same key; once that is said to be of
// something else, another key is taken.
func TestALostAnswerIsAskedForAgain(t *testing.T) {
	t.Parallel()
	var keys []string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("Idempotency-Key"))
		switch len(keys) {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"code": "idempotency_key_reused"}`)
		default:
			_, _ = io.WriteString(w, `{"act": "1"}`)
		}
	}))
	t.Cleanup(api.Close)
	d := New(Config{})
	p, o := cast.All()[0], operations[3]
	here := task{Visitor: p, Operation: o, Address: address(p, o)}
	v := &visit{
		token: &oauth2.Token{AccessToken: "t", Expiry: time.Now().Add(time.Hour)}, api: management.Caller{URL: api.URL, HTTP: api.Client()},
		works: map[string]work{},
	}
	for n, want := range []string{"form", "form", "done"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/desk", strings.NewReader("decision=ask&basis_number=7"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		err := d.act(httptest.NewRecorder(), r, v, here)
		var down *page.Refusal
		if lost := errors.As(err, &down) && down.Word == "desk.down"; lost != (n == 0) {
			t.Errorf("asked for the %d. time: %v", n+1, err)
		}
		if on := v.works[here.Address]; on.Step() != want || on.Form.BasisNumber != "7" {
			t.Errorf("after the %d. time on the desk is %+v", n+1, on)
		}
	}
	if keys[0] == "" || keys[0] != keys[1] || keys[1] == keys[2] {
		t.Errorf("the keys are %q", keys)
	}
}

// Who is to wait is told until when, as the API tells it (RFC 9110 §10.2.3).
func TestWhoIsToWaitIsToldUntilWhen(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "172800")
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, `{"code": "too_many_reissues"}`)
	}))
	t.Cleanup(api.Close)
	var w work
	before := time.Now()
	if err := w.ask(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/desk", nil), management.Caller{URL: api.URL, HTTP: api.Client()}, operations[2]); err != nil {
		t.Fatal(err)
	}
	said := w.wrong(operations[2])
	want := []string{clock(before.AddDate(0, 0, 2)), clock(time.Now().AddDate(0, 0, 2))} // the minute may have changed
	if len(said) != 1 || said[0].Word != "refused.too_many_reissues" || !slices.Contains(want, said[0].Args["At"].(string)) {
		t.Errorf("said is %+v, want one of %q", said, want)
	}
}

// Where no valid document is presented (g1), it is said what of it is left out or over.
func TestADocumentIsMarkedWhereItIsNotValid(t *testing.T) {
	t.Parallel()
	whole := scanned(cast.All()[0], operations[0])
	whole.Attested = operations[0].Attested
	for name, c := range map[string]struct {
		change func(*form)
		want   []string
	}{
		"no term":       {func(f *form) { f.ValidTill = "" }, []string{"document_valid_till refused.g1", "document_valid_till wrong.no_term"}},
		"over":          {func(f *form) { f.ValidTill = "2020-01-01" }, []string{"document_valid_till refused.g1"}},
		"no number":     {func(f *form) { f.Number = "" }, []string{"document_number refused.g1", "document_number wrong.no_number"}},
		"not a number":  {func(f *form) { f.Number = "12" }, []string{"document_number refused.g1"}},
		"not looked at": {func(f *form) { f.ValidTill, f.Attested = "2020-01-01", nil }, []string{"document_valid_till refused.g1", "attested wrong.not_attested"}},
	} {
		w := work{Form: whole, Refused: &management.Refusal{Code: "g1"}}
		c.change(&w.Form)
		got := []string{}
		for _, e := range w.wrong(operations[0]) {
			got = append(got, e.Field+" "+e.Word)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: marked are %q, want %q", name, got, c.want)
		}
	}
}

// Of two presses at once the second finds what the first has come to: one visit is opened.
func TestAFormSentTwiceOpensOneVisit(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	second := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if opened.Add(1) > 1 {
			close(second)
		}
		select {
		case <-second:
		case <-time.After(50 * time.Millisecond): // it would be here by now
		}
		_, _ = io.WriteString(w, `{"id": "1"}`)
	}))
	t.Cleanup(api.Close)
	site := pagetest.Site(t, Room(), workbench.Room())
	d := New(Config{Site: site})
	d.visits["clerk"] = &visit{
		token: &oauth2.Token{AccessToken: "t", Expiry: time.Now().Add(time.Hour)}, api: management.Caller{URL: api.URL, HTTP: api.Client()},
		works: map[string]work{},
	}
	mux := http.NewServeMux()
	d.Mount(mux)
	at := address(cast.All()[0], operations[0])
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, at, strings.NewReader("decision=ask"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.AddCookie(&http.Cookie{Name: d.cookieName("desk"), Value: "clerk"})
			answer := httptest.NewRecorder()
			mux.ServeHTTP(answer, r)
			if got := answer.Header().Get("Location"); got != at {
				t.Errorf("it leads to %q (%d), want %q", got, answer.Code, at)
			}
		})
	}
	both.Wait()
	if n := opened.Load(); n != 1 {
		t.Errorf("%d visits were opened", n)
	}
}

// A form that is sent twice is answered once, and both times with the same.
func TestAProposalSentTwiceIsMadeOnce(t *testing.T) {
	t.Parallel()
	var made atomic.Int32
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"id": "%d"}`, made.Add(1))
	}))
	t.Cleanup(api.Close)
	d := New(Config{})
	v := &visit{
		token: &oauth2.Token{AccessToken: "t", Expiry: time.Now().Add(time.Hour)}, api: management.Caller{URL: api.URL, HTTP: api.Client()},
		made: map[string]string{}, drafts: map[string]draft{},
	}
	for _, c := range []struct{ form, want string }{{"a", "/desk/blocks/1"}, {"a", "/desk/blocks/1"}, {"b", "/desk/blocks/2"}} {
		answer := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/desk/blocks", strings.NewReader("identifiers=1&form="+c.form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if err := d.propose(blocks)(answer, r, v); err != nil {
			t.Fatal(err)
		}
		if got := answer.Header().Get("Location"); got != c.want {
			t.Errorf("it leads to %q, want %q", got, c.want)
		}
	}
}

// What is wrong with a proposal is said at its field, whichever words the API has for it.
func TestAProposalIsMarkedAtItsFields(t *testing.T) {
	t.Parallel()
	for member, want := range map[string]page.FieldError{
		"/identifiers": {Field: "identifiers", Word: "wrong.identifiers"},
		"/reason":      {Field: "reason", Word: "wrong.reason"},
		"/basis":       {Field: "basis_number", Word: "wrong.paper"},
	} {
		on := draft{BasisNumber: "7", Refused: &management.Refusal{Code: "invalid", Fields: []management.Field{{Name: member, Code: "invalid"}}}}
		got := on.wrong(blocks)
		if len(got) != 1 || got[0].Field != want.Field || got[0].Word != want.Word {
			t.Errorf("%s: said is %+v, want %+v", member, got, want)
		}
		on.Refused.Fields = append(on.Refused.Fields, management.Field{Name: "/basis", Code: "too_old"})
		if got := on.wrong(restorations); got[len(got)-1].Field != "basis_date" && got[len(got)-2].Field != "basis_date" {
			t.Errorf("%s: said of an old paper is %+v", member, got)
		}
		on.Refused.Fields = on.Refused.Fields[:1]
		on.BasisNumber = ""
		if got := on.wrong(blocks); got[len(got)-1].Field != "basis_number" {
			t.Errorf("%s: said of a paper without a number is %+v", member, got)
		}
	}
}

// Who may not decide is offered no decision: an auditor reads along, and whoever proposed it may only take it back.
func TestOnlyWhoMayDecideIsOfferedADecision(t *testing.T) {
	t.Parallel()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const proposal = `{"id": "1", "reason": "leak", "basis": {"number": "7", "date": "2026-11-25"}, "state": "open", "proposed_by": "p"}`
		switch r.URL.Path {
		case "/clerks":
			_, _ = io.WriteString(w, `{"clerks": [{"identifier": "1", "person": "p", "role": "operator"}, {"identifier": "2", "person": "q", "role": "operator"},
				{"identifier": "3", "person": "r", "role": "auditor"}]}`)
		case "/operator/blocks", "/register/restorations":
			_, _ = io.WriteString(w, `{"blocks": [], "restorations": [`+proposal+`]}`)
		default:
			_, _ = io.WriteString(w, proposal)
		}
	}))
	t.Cleanup(api.Close)
	site := pagetest.Site(t, Room(), workbench.Room())
	d := New(Config{Site: site})
	for subject, offered := range map[string]struct{ proposes, decides, withdraws bool }{
		"1": {true, false, true}, "2": {true, true, false}, "3": {false, false, false},
	} {
		v := &visit{subject: subject, api: management.Caller{URL: api.URL, HTTP: api.Client()}}
		v.learn(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/desk/callback", nil))
		for _, m := range []matter{blocks, restorations} {
			for _, page := range []struct {
				door    func(http.ResponseWriter, *http.Request, *visit) error
				form    string
				offered bool
			}{
				{d.proposals(m), `action="` + m.page() + `"`, offered.proposes},
				{d.proposal(m), `value="approve"`, offered.decides},
				{d.proposal(m), `value="refuse"`, offered.decides},
				{d.proposal(m), `value="withdraw"`, offered.withdraws},
			} {
				answer := httptest.NewRecorder()
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, m.page(), nil)
				r.SetPathValue("id", "1")
				site.Handle(func(w http.ResponseWriter, r *http.Request) error { return page.door(w, r, v) }).ServeHTTP(answer, r)
				if got := strings.Contains(answer.Body.String(), page.form); got != page.offered || answer.Code != http.StatusOK {
					t.Errorf("%s is offered to %s: %v, want %v (%d)", page.form, subject, got, page.offered, answer.Code)
				}
			}
		}
	}
}

// A scan that is kept is told by its number and by how many there may be. Where a clerk may keep no more a
// supervisor may, and above a supervisor there is nobody.
func TestAKeptScanIsToldByItsNumber(t *testing.T) {
	t.Parallel()
	site := pagetest.Site(t, Room(), workbench.Room())
	d := New(Config{Site: site})
	answers := map[string]func(http.ResponseWriter){
		"first": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"number": 1, "most": 5}`)
		},
		"second": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"number": 2, "most": 5}`)
		},
		"sixth": func(w http.ResponseWriter) {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"code": "too_many_papers"}`)
		},
	}
	said := map[string][2]string{ // to a clerk, and to a supervisor
		"first":  {"number 1 of at most 5", "number 1 of at most 5"},
		"second": {"number 2 of at most 5. It counts from now on; those before it stay kept", "number 2 of at most 5"},
		"sixth":  {"a supervisor adds another", "as may be"},
	}
	for name, answer := range answers {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) }))
		t.Cleanup(api.Close)
		for i, supervises := range []bool{false, true} {
			o := operations[3]
			here := task{Visitor: cast.All()[0], Operation: o, Address: address(cast.All()[0], o)}
			v := &visit{
				token: &oauth2.Token{AccessToken: "t", Expiry: time.Now().Add(time.Hour)}, api: management.Caller{URL: api.URL, HTTP: api.Client()},
				supervises: supervises, works: map[string]work{here.Address: {Done: outcome{Act: "1"}}},
			}
			for door, show := range map[string]func(http.ResponseWriter, *http.Request) error{
				"/desk/papers": func(w http.ResponseWriter, r *http.Request) error { return d.papers(w, r, v) },
				here.Address:   func(w http.ResponseWriter, r *http.Request) error { return d.work(w, r, v, here) },
			} {
				var body bytes.Buffer
				form := multipart.NewWriter(&body)
				_ = form.WriteField("act", "1")
				_ = form.WriteField("decision", "keep")
				file, _ := form.CreateFormFile("paper", "paper.pdf")
				_, _ = io.WriteString(file, "%PDF")
				form.Close()
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, door, &body)
				r.Header.Set("Content-Type", form.FormDataContentType())
				var err error
				if door == "/desk/papers" {
					err = d.paper(httptest.NewRecorder(), r, v)
				} else {
					err = d.keep(httptest.NewRecorder(), r, v, here)
				}
				if err != nil {
					t.Fatal(err)
				}
				shown := httptest.NewRecorder()
				r = httptest.NewRequestWithContext(t.Context(), http.MethodGet, door, nil)
				r.Header.Set("Accept-Language", "en")
				site.Handle(show).ServeHTTP(shown, r)
				if !strings.Contains(shown.Body.String(), said[name][i]) {
					t.Errorf("%s at %s, by a supervisor %v: the page does not say %q:\n%s", name, door, supervises, said[name][i], shown.Body)
				}
			}
		}
	}
}

// What was signed comes as a file, for the purpose and by the number that were asked for; what was refused is told on the page.
func TestAScanIsReadAsAFile(t *testing.T) {
	t.Parallel()
	var asked string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked = r.URL.String(); strings.Contains(asked, "number=2") {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"code": "no_paper"}`)
			return
		}
		w.Header().Set("Content-Disposition", "attachment")
		_, _ = io.WriteString(w, "signed")
	}))
	t.Cleanup(api.Close)
	d := New(Config{})
	v := &visit{token: &oauth2.Token{AccessToken: "t", Expiry: time.Now().Add(time.Hour)}, api: management.Caller{URL: api.URL, HTTP: api.Client()}}
	read := func(number string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/desk/papers", strings.NewReader("act=a/b&purpose=complaint&decision=read&number="+number))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if err := d.paper(answer, r, v); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	answer := read("")
	if got, want := asked, "/desk/acts/a%2Fb/paper?purpose=complaint"; got != want {
		t.Errorf("asked is %s, want %s", got, want)
	}
	if answer.Body.String() != "signed" || answer.Header().Get("Content-Disposition") != "attachment" {
		t.Errorf("given is %s with %v", answer.Body, answer.Header())
	}
	if to := read("2").Header().Get("Location"); to != "/desk/papers" || v.search.Refused.Code != "no_paper" || v.search.Number != "2" {
		t.Errorf("refused, it leads to %q with %+v", to, v.search)
	}
}

// Every page is sound in every language, with every refusal and every outcome.
func TestPagesAreSound(t *testing.T) {
	t.Parallel()
	site := pagetest.Site(t, Room(), workbench.Room())
	d := New(Config{
		Site: site, Client: func() clients.Credentials { return clients.Credentials{} },
		Password: func(cast.Person) string { return "p" }, Addresses: clients.Addresses{Workbench: "http://localhost:8084"},
	})
	p := cast.All()[0]
	v := &visit{token: &oauth2.Token{Expiry: time.Now().Add(time.Hour)}, works: map[string]work{}}
	pages := map[string]http.Handler{
		"desk": site.Handle(d.desk),
		"visitor": site.Handle(func(w http.ResponseWriter, r *http.Request) error {
			r.SetPathValue("key", p.Key)
			return d.visitor(w, r, v)
		}),
	}
	standings := map[string]lookup{}
	for _, purpose := range purposes {
		for _, s := range []standing{
			{State: unassigned},
			{State: "temporary", Phone: "+375 ** *** ** 11", IssuedAt: time.Now(), PasswordTill: time.Now()},
			{State: "active"},
			{State: "blocked", BlockReason: "self"},
			{State: "blocked", BlockReason: "desk"},
			{State: "blocked", BlockReason: "register"},
			{State: "blocked", BlockReason: "security"},
		} {
			standings[purpose+" "+s.State+" "+s.BlockReason] = lookup{Identifier: "1", Document: "2", Purpose: purpose, Standing: &s}
		}
	}
	for _, code := range append([]string{"something_else"}, explained...) {
		refused := &management.Refusal{Status: http.StatusConflict, Code: code, Instance: "/desk/refusals/1"}
		standings[code] = lookup{Refused: refused}
	}
	refused := &management.Refusal{Status: http.StatusUnprocessableEntity, Code: "invalid"}
	for member, code := range map[string]string{"/identifier": "not_an_identifier", "/document": "not_a_document", "/purpose": "unknown"} {
		refused.Fields = append(refused.Fields, management.Field{Name: member, Code: code})
	}
	standings["misspelt"] = lookup{Refused: refused}
	for name, l := range standings {
		for _, key := range []string{p.Key, other} {
			pages["looked up "+key+" "+name] = site.Handle(func(w http.ResponseWriter, r *http.Request) error {
				r.SetPathValue("key", key)
				return d.visitor(w, r, &visit{lookups: map[string]lookup{key: l}, works: map[string]work{address(p, operations[0]): {}}})
			})
		}
	}
	for name, answer := range map[string]string{
		"none waits":  `{"issuances": []}`,
		"some wait":   `{"issuances": [{"id": "1", "basis": {"number": "7", "date": "2026-11-25"}, "at": "2026-11-25T09:00:00Z", "till": "2026-12-25T09:00:00Z"}]}`,
		"not a clerk": "",
	} {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if answer == "" {
				w.WriteHeader(http.StatusForbidden)
			}
			_, _ = io.WriteString(w, cmp.Or(answer, `{"code": "not_a_clerk"}`))
		}))
		t.Cleanup(api.Close)
		pages[name] = site.Handle(func(w http.ResponseWriter, r *http.Request) error {
			return d.pending(w, r, &visit{api: management.Caller{URL: api.URL, HTTP: api.Client()}})
		})
	}
	for i, pattern := range append([]string{"of tomorrow"}, patterns...) {
		act := append([]string{"", "of tomorrow"}, acts...)[i%(len(acts)+2)]
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case r.URL.Path == "/desk/report":
				_, _ = io.WriteString(w, `{"clerks": [{"identifier": "1", "issuances": 2, "refusals": {"g1": 1, "g2": 1}}]}`)
			case r.URL.Query().Get("after") == "":
				_, _ = io.WriteString(w, `{"alerts": [{"at": "2026-11-25T09:00:00Z", "pattern": "`+pattern+`", "act": "`+act+`", "identifier": "1"}], "cursor": "1"}`)
			default:
				_, _ = io.WriteString(w, `{"alerts": [], "cursor": "1"}`)
			}
		}))
		t.Cleanup(api.Close)
		pages["report "+pattern] = site.Handle(func(w http.ResponseWriter, r *http.Request) error {
			return d.report(w, r, &visit{api: management.Caller{URL: api.URL, HTTP: api.Client()}})
		})
	}
	const proposals = `{"blocks": [{"id": "1", "reason": "leak", "basis": {"number": "7", "date": "2026-11-25"}, "people": 2}],
		"restorations": [{"id": "1", "identification_number": "2", "basis": {"number": "7", "date": "2026-11-25"}, "state": "STATE"},
			{"id": "2", "undoes": "1", "identification_number": "2", "basis": {"number": "8", "date": "2026-11-26"}, "state": "STATE"}]}`
	for _, state := range []string{"none", "open", "approved", "refused", "withdrawn"} {
		for i, reason := range append([]string{""}, reasons...) {
			refused := []*management.Refusal{
				nil,
				{Code: "own_proposal"},
				{Code: "decided"},
				{Code: "invalid", Fields: []management.Field{{Name: "/basis", Code: "not_a_basis"}, {Name: "/identifiers/1", Code: "unknown"}}},
			}[i]
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case reason == "":
					w.WriteHeader(http.StatusForbidden)
					_, _ = io.WriteString(w, `{"code": "wrong_role"}`)
				case r.URL.Path == blocks.at+"/1":
					_, _ = io.WriteString(w, `{"id": "1", "reason": "`+reason+`", "basis": {"number": "7", "date": "2026-11-25"}, "state": "`+
						cmp.Or(strings.TrimPrefix(state, "none"), "open")+`", "whose": [{"identifier": "1"}, {"identifier": "2", "blocked": true}]}`)
				case state == "none":
					_, _ = io.WriteString(w, `{"blocks": [], "restorations": []}`)
				default:
					_, _ = io.WriteString(w, strings.ReplaceAll(proposals, "STATE", state))
				}
			}))
			t.Cleanup(api.Close)
			on := draft{Identifiers: "1, 2", Reason: reason, Refused: refused}
			v := &visit{
				api: management.Caller{URL: api.URL, HTTP: api.Client()}, supervises: true, oversees: true, operates: state == "open",
				drafts: map[string]draft{"blocks": on, "restorations": {Person: "1", Refused: []*management.Refusal{
					nil,
					{Code: "unknown_person"},
					{Code: "alive"},
					{Code: "invalid", Fields: []management.Field{{Name: "/basis", Code: "not_a_basis"}}},
				}[i]}},
			}
			for _, m := range []matter{blocks, restorations} {
				pages[m.name+" "+state+reason] = site.Handle(func(w http.ResponseWriter, r *http.Request) error { return d.proposals(m)(w, r, v) })
				pages[m.one+" "+state+reason] = site.Handle(func(w http.ResponseWriter, r *http.Request) error {
					r.SetPathValue("id", "1")
					return d.showProposal(w, r, v, m, refused)
				})
			}
			pages["undoing "+state+reason] = site.Handle(func(w http.ResponseWriter, r *http.Request) error {
				r.SetPathValue("id", "2")
				return d.showProposal(w, r, v, restorations, refused)
			})
			pages["desk "+state+reason] = site.Handle(func(w http.ResponseWriter, r *http.Request) error {
				d.visits["operator"] = v
				r.AddCookie(&http.Cookie{Name: d.cookieName("desk"), Value: "operator"})
				return d.desk(w, r)
			})
		}
	}
	for name, v := range map[string]*visit{
		"an auditor":   {supervises: true, oversees: true},
		"a supervisor": {supervises: true, search: search{Act: "1", Number: "2", Kept: kept{Number: 2, Most: 10}}},
	} {
		pages["papers of "+name] = site.Handle(func(w http.ResponseWriter, r *http.Request) error { return d.papers(w, r, v) })
	}
	at := func(name string, o operation, on work) {
		pages[o.Name+" "+name] = site.Handle(func(w http.ResponseWriter, r *http.Request) error {
			return d.work(w, r, &visit{works: map[string]work{address(p, o): on}}, task{Visitor: p, Operation: o, Address: address(p, o)})
		})
	}
	for name, stage := range map[string]string{"pending": "pending", "withdrawn": "withdrawn", "done": ""} {
		here := task{Operation: operations[0], Address: "/desk/pending/1"} // known by its paper alone
		pages[name+" by its paper"] = site.Handle(func(w http.ResponseWriter, r *http.Request) error {
			return d.work(w, r, &visit{works: map[string]work{here.Address: {Done: outcome{Act: "1", Stage: stage}}}}, here)
		})
	}
	for _, o := range operations {
		whole := scanned(p, o)
		whole.Attested = o.Attested
		at("as scanned", o, work{Form: whole})
		at("code", o, work{Visit: "/desk/issuances/1", Form: whole})
		at("code resent", o, work{Visit: "/desk/issuances/1", Form: whole, Resent: time.Now()})
		at("pending by its paper", o, work{Visit: "/desk/issuances/1", Done: outcome{Stage: "pending"}, Refused: &management.Refusal{Code: "g5"}})
		at("pending", o, work{Form: whole, Visit: "/desk/issuances/1", Done: outcome{Stage: "pending"}})
		at("withdrawn", o, work{Form: whole, Visit: "/desk/issuances/1", Done: outcome{Stage: "withdrawn"}})
		for _, sms := range []string{"", "queued", "delivered", "failed"} {
			at("done "+sms, o, work{Form: whole, Done: outcome{Act: "1", SMS: sms}})
		}
		for _, k := range []kept{{Number: 1, Most: 5}, {Number: 2, Most: 5}} {
			at(fmt.Sprint("kept ", k), o, work{Form: whole, Done: outcome{Act: "1"}, Kept: k})
		}
		for _, code := range append([]string{"something_else"}, explained...) {
			refused := &management.Refusal{Status: http.StatusConflict, Code: code, Instance: "/desk/refusals/1"}
			at(code, o, work{Form: whole, Refused: refused})
			at(code+" code", o, work{Form: whole, Refused: refused, Visit: "/desk/issuances/1"})
			at(code+" done", o, work{Form: whole, Refused: refused, Done: outcome{Act: "1"}})
		}
		for _, code := range append([]string{"something_else"}, misspelt...) {
			refused := &management.Refusal{Status: http.StatusUnprocessableEntity, Code: "invalid"}
			for _, member := range []string{"/identifier", "/document", "/names", "/basis", "/phone", "/office"} {
				if member == "/phone" && !o.Phone {
					continue
				}
				refused.Fields = append(refused.Fields, management.Field{Name: member, Code: code})
			}
			at("misspelt "+code, o, work{Form: whole, Refused: refused})
		}
	}
	for name, h := range pages {
		for _, language := range page.Languages {
			w := httptest.NewRecorder()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/desk", nil)
			r.Header.Set("Accept-Language", language)
			h.ServeHTTP(w, r)
			if w.Code >= http.StatusInternalServerError {
				t.Errorf("%s in %s answered %d: %s", name, language, w.Code, w.Body)
			}
			pagetest.Sound(t, w.Body.Bytes())
		}
	}
}
