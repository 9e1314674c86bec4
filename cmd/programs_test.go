package cmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"asoba.example/migrations/localpg"
	"asoba.example/migrations/redistest"
)

// binaries is where the programs are built, once a test run.
var binaries string

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(binaries)
	os.Exit(code)
}

// build builds the programs as an operator does.
var build = sync.OnceValue(func() (err error) {
	if binaries, err = os.MkdirTemp("", "asoba-programs"); err != nil {
		return err
	}
	out, err := exec.Command("go", "build", "-o", binaries+string(filepath.Separator), "./...").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
})

// A country is the system as its operators run it: the built programs, a database
// and a Redis each, and a phone network. Only the phone network is the test's own.
type country struct {
	t                                     testing.TB
	issuer, management, cabinet, eservice string
	idpRedis                              string
	phone                                 *phone
	env                                   []string
	dir                                   string
}

// newCountry has stores and settings; nothing is migrated and nothing runs.
func newCountry(t testing.TB) *country {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal(err)
	}
	_, measured := t.(*testing.B) // as on a disk
	server, err := localpg.Start(t.Context(), localpg.Config{Fast: true, InMemory: !measured, Say: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop() })
	database := func(name string) string {
		address, err := server.Create(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return address
	}
	c := &country{
		t: t, dir: t.TempDir(), phone: newPhone(t),
		issuer: freeAddress(t), management: freeAddress(t), cabinet: freeAddress(t), eservice: freeAddress(t),
		idpRedis: redistest.URL(t),
	}
	master := c.file("master-key", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
	c.env = []string{
		"IDP_ISSUER=" + c.issuer,
		"IDP_LISTEN=" + listen(c.issuer),
		"IDP_MANAGEMENT_URL=" + c.management,
		"IDP_MANAGEMENT_LISTEN=" + listen(c.management),
		"IDP_CABINET_URL=" + c.cabinet,
		"IDP_DATABASE_URL=" + database("idp"),
		"IDP_REDIS_URL=" + c.idpRedis,
		"IDP_MASTER_KEY_FILE=" + master,
		"IDP_SMS_GATEWAY_URL=" + c.phone.server.URL,
		"IDP_ALLOW_LOOPBACK_FETCH=true",
		"CABINET_MASTER_KEY_FILE=" + c.file("cabinet-master-key", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="),
		"CABINET_URL=" + c.cabinet,
		"CABINET_LISTEN=" + listen(c.cabinet),
		"CABINET_ISSUER=" + c.issuer,
		"CABINET_MANAGEMENT_URL=" + c.management,
		"CABINET_DATABASE_URL=" + database("cabinet"),
		"CABINET_REDIS_URL=" + redistest.URL(t),
		"ESERVICE_ISSUER=" + c.issuer,
		"ESERVICE_URL=" + c.eservice,
		"ESERVICE_LISTEN=" + listen(c.eservice),
		"ESERVICE_CABINET_URL=" + c.cabinet,
	}
	return c
}

// freeAddress is an http URL on this machine that nobody listens at, and that no test was given before: the machine may name a port again as soon as
// it is let go.
func freeAddress(t testing.TB) string {
	t.Helper()
	for {
		l, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			t.Fatal(err)
		}
		address := fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
		l.Close()
		if _, given := addresses.LoadOrStore(address, true); !given {
			return address
		}
	}
}

// addresses are those that were given.
var addresses sync.Map

func listen(address string) string { return strings.TrimPrefix(address, "http://") }

// file writes a file for the programs to read.
func (c *country) file(name, content string) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// setting gives one setting; set changes it.
func (c *country) setting(name string) string {
	for _, setting := range c.env {
		if value, ok := strings.CutPrefix(setting, name+"="); ok {
			return value
		}
	}
	return ""
}

func (c *country) set(name, value string) {
	c.env = append(slices.DeleteFunc(c.env, func(s string) bool { return strings.HasPrefix(s, name+"=") }), name+"="+value)
}

// environment is what a program is given: only its own settings, so that the
// cabinet has nothing of the provider's.
func (c *country) environment(program string) []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.dir}
	for _, setting := range c.env {
		if strings.HasPrefix(setting, strings.ToUpper(program)+"_") {
			env = append(env, setting)
		}
	}
	return env
}

// errand runs a sub-command to its end and gives what it printed.
func (c *country) errand(program string, args ...string) string {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), filepath.Join(binaries, program), args...)
	cmd.Env = c.environment(program)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		c.t.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String()
}

// A program runs in the background.
type program struct {
	t   testing.TB
	cmd *exec.Cmd
	log *bytes.Buffer
}

// serve starts a program and returns when it is ready.
func (c *country) serve(name, address string) *program {
	c.t.Helper()
	cmd := exec.Command(filepath.Join(binaries, name), "serve")
	cmd.Env = c.environment(name)
	p := &program{c.t, cmd, new(bytes.Buffer)}
	cmd.Stdout, cmd.Stderr = p.log, p.log
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		p.stop()
		if c.t.Failed() {
			c.t.Logf("%s said:\n%s", name, p.log)
		}
	})
	eventually(c.t, name+" is ready", func() error {
		if p.cmd.ProcessState != nil {
			return errors.New("it ended")
		}
		return answers(address + "/readyz")
	})
	return p
}

// stop asks the program to end and waits.
func (p *program) stop() {
	p.cmd.Process.Signal(os.Interrupt)
	p.cmd.Wait()
}

// kill ends it as a power cut would.
func (p *program) kill() {
	p.cmd.Process.Signal(syscall.SIGKILL)
	p.cmd.Wait()
}

func answers(address string) error {
	res, err := http.Get(address)
	if err != nil {
		return err
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", address, res.Status)
	}
	return nil
}

// eventually asks until the answer is nil, for ten seconds.
func eventually(t testing.TB, what string, ask func() error) {
	t.Helper()
	patiently(t, 10*time.Second, what, ask)
}

// patiently is the same of what may take longer.
func patiently(t testing.TB, patience time.Duration, what string, ask func() error) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// A phone is everybody's: it takes messages as an operator's network does.
type phone struct {
	server *httptest.Server
	mu     sync.Mutex
	taken  []message // under mu, oldest first
	read   int       // under mu: how many of taken were read
}

type message struct {
	ID, Kind, To, Text string
}

func newPhone(t testing.TB) *phone {
	t.Helper()
	p := new(phone)
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var m message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.taken = append(p.taken, m)
	}))
	t.Cleanup(p.server.Close)
	return p
}

// next waits for the next message of a kind that says something, passing over others, and gives its text.
func (p *phone) next(t testing.TB, kind string, says ...string) string {
	t.Helper()
	var text string
	eventually(t, "a message of kind "+kind, func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		for p.read < len(p.taken) {
			m := p.taken[p.read]
			p.read++
			if m.Kind == kind && !slices.ContainsFunc(says, func(word string) bool { return !strings.Contains(m.Text, word) }) {
				text = m.Text
				return nil
			}
		}
		return errors.New("none came")
	})
	return text
}

// A caller of the management API, with a token of its own.
type caller struct {
	t     testing.TB
	base  string
	token string
}

// caller asks for a token by client credentials, of a client whose private key is in a file.
func (c *country) caller(clientID, key, scope string) *caller {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.issuer+"/token", strings.NewReader(url.Values{
		"grant_type": {"client_credentials"}, "scope": {scope},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {strings.TrimSpace(c.errand("idp", "client", "assertion", c.issuer, clientID, key))},
	}.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if status := exchange(c.t, req, &answer); status != http.StatusOK {
		c.t.Fatalf("client credentials: %d", status)
	}
	return &caller{c.t, c.management, answer.AccessToken}
}

// post sends JSON, wants a status, and gives the members of the answer.
func (c *caller) post(path string, want int, body any) map[string]any {
	c.t.Helper()
	var answer map[string]any
	if status := exchange(c.t, c.request(c.t.Context(), path, body), &answer); status != want {
		c.t.Fatalf("POST %s: %d %v, want %d", path, status, answer, want)
	}
	return answer
}

// try sends JSON and does not mind what comes of it.
func (c *caller) try(ctx context.Context, path string, body any) error {
	res, err := http.DefaultClient.Do(c.request(ctx, path, body))
	if err == nil {
		res.Body.Close()
	}
	return err
}

func (c *caller) request(ctx context.Context, path string, body any) *http.Request {
	c.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+path, bytes.NewReader(raw))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	return req
}

// exchange sends a request and reads a JSON answer, if there is one.
func exchange(t testing.TB, req *http.Request, answer any) int {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, answer); err != nil {
			t.Fatalf("%s %s: %s: %s", req.Method, req.URL, err, raw)
		}
	}
	return res.StatusCode
}
