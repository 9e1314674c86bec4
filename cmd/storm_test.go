package cmd_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cmd/internal/demo/walk"
	"asoba.example/login/register"
)

// BenchmarkStorm is strangers who try passwords at one number, two hundred a second, each from an address of their own. The person whose
// number it is signs in at home all the while, and elsewhere once it is over, after the wait that the page names; nothing else may come of it. While it
// lasts the person tries elsewhere too, and the strangers may be faster at the end of each wait: how many waits were kept is printed. It prints how
// long all that took, how long a token of client_credentials takes before and beside it, and what memory the program and
// its child hold, also while as many as all of two hundred at once have a password hashed.
//
//	go test -run NONE -bench Storm -benchtime 10000x ./cmd
func BenchmarkStorm(b *testing.B) {
	c := newCountry(b)
	c.set("IDP_TRUSTED_PROXIES", "127.0.0.0/8,::1/128")
	c.errand("idp", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	client := c.register(map[string]any{
		"client_name": "System", "grant_types": []string{"client_credentials"}, "response_types": []string{},
		"scope": "changes:read", "resources": []string{c.management},
	})
	idp := c.serve("idp", c.issuer)
	home := c.signIn(citizenNumber, c.desk().issue(citizenNumber, citizenPhone), c.issuer+"/security", c.issuer+"/security")
	store, err := pgx.Connect(b.Context(), c.setting("IDP_DATABASE_URL"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close(context.WithoutCancel(b.Context())) })

	const pace = 5 * time.Millisecond // of strangers

	b.Run("one number", func(b *testing.B) {
		const workers = 32
		before := p99(c.tokens(b, client, time.After(20*time.Second)))
		stands, sent := c.stands(b, store), len(messages(b, store))
		var (
			guesses   = make(chan int)
			over      = make(chan time.Time)
			refused   [2]atomic.Int64 // wrong, told to wait
			storm     sync.WaitGroup
			beside    sync.WaitGroup
			during    []time.Duration
			atHome    = make(chan time.Duration, 20)
			elsewhere bool // whether the person tries there by now
			away      arrival
		)
		for range workers {
			s := c.stranger(b, "/security")
			storm.Go(func() {
				for i := range guesses {
					switch status, _ := s.try(b, fmt.Sprintf("198.18.%d.%d", i/256%256, i%256), guess(citizenNumber, "not this one "+strconv.Itoa(i))); status {
					case http.StatusUnprocessableEntity:
						refused[0].Add(1)
					case http.StatusTooManyRequests:
						refused[1].Add(1)
					default:
						b.Errorf("a guess is answered with %d", status)
					}
				}
			})
		}
		beside.Go(func() { during = c.tokens(b, client, over) })
		b.ResetTimer()
		tick := time.NewTicker(pace)
		for i := range b.N {
			<-tick.C
			guesses <- i
			if i%max(b.N/10, 1) == b.N/20 {
				beside.Go(func() { atHome <- c.signInAtHome(b, home) })
			}
			if !elsewhere && refused[1].Load() > 0 { // after the strangers
				elsewhere = true
				beside.Go(func() { away = c.signInElsewhere(b, over) })
			}
		}
		tick.Stop()
		close(guesses)
		storm.Wait()
		b.StopTimer()
		close(over)
		beside.Wait()
		if got := c.stands(b, store); got != stands {
			b.Errorf("the identifier was %s and is %s", stands, got)
		}
		if got := messages(b, store)[sent:]; len(got) > 0 && !away.in {
			b.Errorf("messages were sent: %v", got)
		}
		after := away
		if !away.in {
			after = c.signInElsewhere(b, nil)
		}
		if !after.in || after.waits > 1 && !away.in {
			b.Errorf("once the storm is over: %+v", after)
		}
		if got, want := messages(b, store)[sent:], []string{"code", "notice"}; !slices.Equal(got, want) { // of the one sign-in elsewhere
			b.Errorf("messages were sent: %v, want %v", got, want)
		}
		close(atHome)
		var slowest time.Duration
		for took := range atHome {
			slowest = max(slowest, took)
		}
		for name, value := range map[string]float64{
			"wrong": float64(refused[0].Load()), "told-to-wait": float64(refused[1].Load()), "guesses/s": float64(b.N) / b.Elapsed().Seconds(),
			"at-home-slowest-ms": ms(slowest), "elsewhere-wait-s": after.waited.Seconds(), "elsewhere-waits-beside": float64(away.waits),
			"token-p99-before-ms": ms(before), "token-p99-beside-ms": ms(p99(during)), "resident-MiB": c.costs(idp).resident / (1 << 20),
		} {
			b.ReportMetric(value, name)
		}
		b.ReportMetric(0, "ns/op")
	})

	b.Run("two hundred at once", func(b *testing.B) {
		const crowd, each = 200, 2
		before := p99(c.tokens(b, client, time.After(20*time.Second)))
		strangers := make([]*stranger, crowd)
		for i := range strangers {
			strangers[i] = c.stranger(b, "/security")
		}
		var (
			storm, beside sync.WaitGroup
			over          = make(chan time.Time)
			busy          atomic.Int64
			during        []time.Duration
			slowest       time.Duration
		)
		resident := c.costs(idp).resident
		beside.Go(func() { during = c.tokens(b, client, over) })
		for i, s := range strangers {
			<-time.After(pace)
			storm.Go(func() {
				for round := range each {
					number := fmt.Sprintf("3010130K%03dPB", i*each+round)
					number += string(register.CheckDigit(number))
					switch status, _ := s.try(b, fmt.Sprintf("198.19.%d.%d", round, i), guess(number, "not this one")); status {
					case http.StatusUnprocessableEntity:
					case http.StatusServiceUnavailable:
						busy.Add(1)
					default:
						b.Errorf("a guess is answered with %d", status)
					}
				}
			})
		}
		beside.Go(func() { slowest = c.signInAtHome(b, home) })
		storm.Wait()
		close(over)
		beside.Wait()
		for name, value := range map[string]float64{
			"turned-away": float64(busy.Load()), "at-home-ms": ms(slowest),
			"token-p99-before-ms": ms(before), "token-p99-beside-ms": ms(p99(during)),
			"resident-before-MiB": resident / (1 << 20), "resident-peak-MiB": c.costs(idp).peak / (1 << 20),
		} {
			b.ReportMetric(value, name)
		}
		b.ReportMetric(0, "ns/op")
	})
}

// A stranger stands at a form of ours with a browser that nobody knows.
type stranger struct {
	client *http.Client
	form   string // the address
}

// stranger opens a page, and stands where it leads.
func (c *country) stranger(t testing.TB, path string) *stranger {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &stranger{client: &http.Client{Jar: jar}}
	res, err := s.client.Get(c.issuer + path)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	s.form = res.Request.URL.String()
	s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s
}

// guess is the form of a sign-in.
func guess(number, password string) url.Values {
	return url.Values{"identifier": {number}, "password": {password}}
}

// try sends the form from an address, and asks for the page that says what came of it.
func (s *stranger) try(t testing.TB, from string, form url.Values) (status int, head http.Header) {
	status, head = s.send(t, from, form)
	return s.told(t, status, head)
}

// told is what a form was answered with, where it was led to its own address.
func (s *stranger) told(t testing.TB, status int, head http.Header) (int, http.Header) {
	if status != http.StatusSeeOther || !strings.HasSuffix(s.form, head.Get("Location")) {
		return status, head
	}
	return s.led(t, head)
}

// led is the page that a form leads to.
func (s *stranger) led(t testing.TB, head http.Header) (status int, headers http.Header) {
	form, err := url.Parse(s.form)
	if err == nil {
		form, err = form.Parse(head.Get("Location"))
	}
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, form.String(), nil)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	return s.do(t, req)
}

// send sends the form from an address, as a trusted proxy passes it on.
func (s *stranger) send(t testing.TB, from string, form url.Values) (status int, head http.Header) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.form, strings.NewReader(form.Encode()))
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("X-Forwarded-For", from)
	return s.do(t, req)
}

func (s *stranger) do(t testing.TB, req *http.Request) (status int, head http.Header) {
	res, err := s.client.Do(req)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		t.Error(err)
	}
	return res.StatusCode, res.Header
}

// signInAtHome signs the citizen in at the known browser, which is not signed in yet, and tells how long it took.
func (c *country) signInAtHome(t testing.TB, home *walk.Browser) time.Duration {
	issuer, err := url.Parse(c.issuer)
	if err != nil {
		t.Error(err)
		return 0
	}
	b, err := walk.New()
	if err != nil {
		t.Error(err)
		return 0
	}
	for _, cookie := range home.Cookies().Cookies(issuer) {
		if cookie.Name == "idp_browser" {
			b.Cookies().SetCookies(issuer, []*http.Cookie{cookie})
		}
	}
	began := time.Now()
	if err := b.Open(t.Context(), c.issuer+"/security"); err != nil {
		t.Error(err)
	} else if err := b.Walk(t.Context(), c.issuer+"/security", walk.Wallet{Identifier: citizenNumber, Password: strong}); err != nil {
		t.Error(err)
	}
	return time.Since(began)
}

// An arrival is how somebody came to sign in at a browser never seen before.
type arrival struct {
	in     bool
	waits  int // that the page named, and were kept
	waited time.Duration
}

// signInElsewhere signs the citizen in at such a browser, unless it is over before.
func (c *country) signInElsewhere(t testing.TB, over <-chan time.Time) (a arrival) {
	s := c.stranger(t, "/security")
	for {
		status, head := s.try(t, "203.0.113.7", guess(citizenNumber, strong))
		switch {
		case status == http.StatusSeeOther && strings.HasPrefix(head.Get("Location"), "/sign-in/code?"):
			form := url.Values{"code": {code(t, c.phone.next(t, "code"))}}
			res, err := s.client.PostForm(c.issuer+head.Get("Location"), form)
			if err != nil {
				t.Error(err)
				return a
			}
			res.Body.Close()
			a.in = res.StatusCode == http.StatusSeeOther && res.Header.Get("Location") == "/security"
			return a
		case status != http.StatusTooManyRequests:
			t.Errorf("after %d waits the right password is answered with %d", a.waits, status)
			return a
		}
		seconds, err := strconv.Atoi(head.Get("Retry-After"))
		if err != nil {
			t.Error(err)
			return a
		}
		wait := time.Duration(seconds) * time.Second
		select {
		case <-over:
			return a
		case <-time.After(wait):
		}
		a.waits, a.waited = a.waits+1, a.waited+wait
	}
}

// tokens asks for a token by client_credentials a hundred times a second until it is over, and tells how long each took.
func (c *country) tokens(t testing.TB, client credentials, over <-chan time.Time) (took []time.Duration) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return took
		case <-tick.C:
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.issuer+"/token", strings.NewReader("grant_type=client_credentials"))
		if err != nil {
			t.Error(err)
			return nil
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth(url.QueryEscape(client.ID), url.QueryEscape(client.Secret))
		began := time.Now()
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return nil
		}
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("client_credentials: %s, %v", res.Status, err)
		}
		took = append(took, time.Since(began))
	}
}

// stands is all that is kept of the citizen's identifier but how many passwords in a row were wrong, and what its person's own sign-ins leave.
func (c *country) stands(t testing.TB, store *pgx.Conn) (row string) {
	t.Helper()
	const read = `
		SELECT (to_jsonb(i) - 'failures' - 'signed_in_at' - 'browser_told_at')::text FROM identity i JOIN person p ON p.id = i.person_id
		WHERE p.identification_number = $1`
	if err := store.QueryRow(t.Context(), read, citizenNumber).Scan(&row); err != nil {
		t.Fatal(err)
	}
	return row
}

// messages are the kinds of all that were ever to be sent, the oldest first.
func messages(t testing.TB, store *pgx.Conn) []string {
	t.Helper()
	rows, _ := store.Query(t.Context(), `SELECT kind FROM sms_message ORDER BY id`)
	kinds, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return kinds
}

func p99(took []time.Duration) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[(len(took)-1)*99/100]
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }
