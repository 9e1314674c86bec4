package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"asoba.example/cmd/internal/cabinet"
	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/standing"
	"asoba.example/cmd/internal/demo/walk"
	"asoba.example/cmd/internal/idp"
)

// The whole demo comes up, everybody stands as their line says, and what the workbench tells is true; a second run
// finds it all again and does nothing twice.
func TestEverybodyStandsAsTheWorkbenchSays(t *testing.T) {
	t.Parallel()
	data, environ := t.TempDir(), somewhere(t)
	passable(t, data)
	var first, second told
	var messages int
	start(t, data, environ, func(b bench) {
		first = b.all()
		for i, p := range cast.All() {
			checkStands(t, p, first.Citizens[i])
		}
		messages = len(b.messages(first.Citizens))
		b.changesPassword(first.Citizens[2], cast.Password, "zhyta-i-vasilki")
		b.await("the password that was changed is shown no more", func() bool { return b.all().Citizens[2].Password == "" })
	})
	start(t, data, environ, func(b bench) {
		second = b.all()
		for i := range cast.All() {
			before, after := first.Citizens[i], second.Citizens[i]
			if i == 2 {
				before.Password = ""
			}
			if before != after {
				t.Errorf("before the second run %+v, after it %+v", before, after)
			}
		}
		for i, client := range first.Clients {
			if client != second.Clients[i] {
				t.Errorf("client %+v became %+v", client, second.Clients[i])
			}
		}
		if got := len(b.messages(second.Citizens)); got != messages+3 { // the code, and the notices of the new browser and of the change
			t.Errorf("%d messages on the phones, want %d", got, messages+3)
		}
		b.signsIn(second.Citizens[2], "zhyta-i-vasilki")
	})
}

// checkStands holds what the workbench tells of a person to what their goal is.
func checkStands(t *testing.T, p cast.Person, c citizen) {
	t.Helper()
	want := citizen{
		Identifier: p.IdentificationNumber, Phone: p.Phone, About: c.About,
		Document: document{p.Document.Kind, p.Document.Number}, Password: cast.Password,
	}
	switch {
	case p.Since.Death != "":
		want.State, want.BlockReason = "blocked", "register"
	case p.Goal == cast.New:
		want.State, want.Password = "none", ""
	case p.Goal == cast.Temporary:
		want.State, want.Password = "temporary", c.Password
		if len(c.Password) != len("XXXXX-XXXXX") {
			t.Errorf("%s has no temporary password", p.Key)
		}
	case p.Goal == cast.Active:
		want.State = "active"
	case p.Goal == cast.BlockedBySelf:
		want.State, want.BlockReason = "blocked", "self"
	case p.Goal == cast.BlockedByDesk:
		want.State, want.BlockReason = "blocked", "desk"
	}
	if c != want {
		t.Errorf("%s: got %+v, want %+v", p.Key, c, want)
	}
	if c.About == "" || strings.Contains(c.About, "about.") {
		t.Errorf("%s: nothing is said about them", p.Key)
	}
}

// What the workbench tells, as a tester's tool reads it.
type (
	citizen struct {
		Identifier, State, Phone, Password, About string
		BlockReason                               string `json:"block_reason"`
		Document                                  document
	}
	document struct{ Kind, Number string }
	client   struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
		Method string `json:"token_endpoint_auth_method"`
	}
	message struct{ To, Kind, Text string }
	told    struct {
		Citizens []citizen
		Clients  []client
	}
)

// A bench is a tester at the workbench of a demo that runs.
type bench struct {
	t      *testing.T
	ctx    context.Context
	at     string
	issuer string
}

func (b bench) read(path string, to any) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.ctx, http.MethodGet, b.at+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(to); err != nil {
		b.t.Fatalf("%s: %v", path, err)
	}
}

func (b bench) all() (t told) {
	b.t.Helper()
	var specimens []citizen // the last of the cast
	b.read("/api/citizens", &t.Citizens)
	b.read("/api/specimens", &specimens)
	t.Citizens = append(t.Citizens, specimens...)
	b.read("/api/clients", &t.Clients)
	return t
}

func (b bench) messages(of []citizen) (all []message) {
	b.t.Helper()
	for _, c := range of {
		var on []message
		b.read("/api/sms?phone="+c.Phone, &on)
		all = append(all, on...)
	}
	return all
}

// signsIn signs in from a browser that was never seen, so with a code.
func (b bench) signsIn(c citizen, password string) *walk.Browser {
	b.t.Helper()
	browser, err := walk.New()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := browser.Open(b.ctx, b.issuer+"/security"); err != nil {
		b.t.Fatal(err)
	}
	if err := browser.Walk(b.ctx, b.issuer+"/security", b.wallet(c, password, "")); err != nil {
		b.t.Fatal(err)
	}
	return browser
}

func (b bench) changesPassword(c citizen, from, to string) {
	b.t.Helper()
	browser := b.signsIn(c, from)
	if err := browser.Open(b.ctx, b.issuer+"/security/password"); err != nil {
		b.t.Fatal(err)
	}
	if err := browser.Walk(b.ctx, b.issuer+"/security", b.wallet(c, from, to)); err != nil {
		b.t.Fatal(err)
	}
}

// wallet reads codes off the workbench's phone: the newest that was not there before.
func (b bench) wallet(c citizen, password, formed string) walk.Wallet {
	before := b.messages([]citizen{c})
	return walk.Wallet{
		Identifier: c.Identifier, Password: password, NewPassword: formed,
		Code: func(context.Context) (string, error) {
			var code string
			b.await("a code comes", func() bool {
				now := b.messages([]citizen{c})
				if len(now) == len(before) || now[0].Kind != "code" {
					return false
				}
				_, err := fmt.Sscanf(strings.Map(digits, now[0].Text), "%6s", &code)
				return err == nil
			})
			return code, nil
		},
	}
}

func digits(c rune) rune {
	if c < '0' || c > '9' {
		return -1
	}
	return c
}

func (b bench) await(what string, is func() bool) {
	b.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			b.t.Fatalf("in vain: %s", what)
		}
	}
}

// start runs the demo, lets act look at it once it is ready, and ends it as Ctrl-C does.
func start(t *testing.T, data string, environ []string, act func(bench)) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var (
		out     lockedBuffer
		running errgroup.Group
	)
	env := filepath.Join(t.TempDir(), "idp's.env")
	running.Go(func() error { return Run(ctx, Options{Data: data, Env: env, Environ: environ, Out: &out}) })
	ended := make(chan error, 1)
	context.AfterFunc(ctx, func() { ended <- running.Wait() })
	b := bench{t: t, ctx: t.Context(), at: setting(environ, "DEMO_URL"), issuer: setting(environ, "IDP_ISSUER")}
	if err := answers(ctx, b.at); err != nil {
		stop()
		t.Fatalf("%v: %v\n%s", err, <-ended, out.String())
	}
	act(b)
	checkTells(t, env)
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the demo ended with %v", err)
	}
	if _, err := os.Stat(env); !os.IsNotExist(err) {
		t.Errorf("the settings are left behind: %v", err)
	}
	if !strings.Contains(out.String(), "Ready in") || strings.Contains(out.String(), "earlier version") {
		t.Errorf("it said\n%s", out.String())
	}
}

// Who starts a later version of the demo on the data of an earlier one is told whom that does not have.
func TestWhoIsMissingInOldDataIsToldOf(t *testing.T) {
	t.Parallel()
	d := &demo{dir: "old", follower: standing.New(nil, slog.New(slog.DiscardHandler))}
	if want := fmt.Sprintf("made old: of the people on the workbench %d are not in it", len(cast.All())); !strings.Contains(d.missing(), want) {
		t.Errorf("said %q", d.missing())
	}
}

// checkTells has the commands of idp and of the cabinet work by the settings that the demo tells, as a shell reads them, and nobody else read them.
func checkTells(t *testing.T, env string) {
	t.Helper()
	file, err := os.Stat(env)
	if err != nil || file.Mode().Perm() != 0o600 {
		t.Fatalf("the settings: %v, %v", file, err)
	}
	told, err := exec.CommandContext(t.Context(), "sh", "-c", `. "$0"; env`, env).Output()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	environ := strings.Split(string(told), "\n")
	if err := idp.Run(t.Context(), environ, nil, &said, "clerk", "report", "--office", cast.Office); err != nil {
		t.Errorf("idp clerk report by the demo's settings: %v\n%s", err, &said)
	}
	if err := cabinet.Run(t.Context(), environ, &said, "verify"); err != nil {
		t.Errorf("cabinet verify by the demo's settings: %v\n%s", err, &said)
	}
}

// A lockedBuffer is written by the demo and read by the test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// somewhere is settings that put every part of the demo where nobody listens.
func somewhere(t *testing.T) []string {
	t.Helper()
	var environ []string
	for url, listen := range map[string]string{
		"IDP_ISSUER": "IDP_LISTEN", "IDP_MANAGEMENT_URL": "IDP_MANAGEMENT_LISTEN", "CABINET_URL": "CABINET_LISTEN",
		"ESERVICE_URL": "ESERVICE_LISTEN", "DEMO_URL": "DEMO_LISTEN",
	} {
		l, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		address := fmt.Sprintf("localhost:%d", l.Addr().(*net.TCPAddr).Port)
		environ = append(environ, url+"=http://"+address, listen+"="+address)
	}
	return environ
}

func setting(environ []string, name string) string {
	for _, s := range environ {
		if value, is := strings.CutPrefix(s, name+"="); is {
			return value
		}
	}
	return ""
}

// passable lets PostgreSQL's own user through to the data, where the tests run as root.
func passable(t *testing.T, dir string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	for at := dir; at != os.TempDir() && len(at) > 1; at = at[:strings.LastIndex(at, "/")] {
		if err := os.Chmod(at, 0o711); err != nil {
			t.Fatal(err)
		}
	}
}
