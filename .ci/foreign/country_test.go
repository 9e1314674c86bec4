package foreign

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// land is the country that all tests are in, and programs where its and the clients' programs are built.
var (
	land     *country
	programs string
)

func TestMain(m *testing.M) { os.Exit(inCountry(m)) }

func inCountry(m *testing.M) int {
	dir, err := os.MkdirTemp("", "foreign-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o711); err != nil { // PostgreSQL and Apache run as users of their own
		panic(err)
	}
	programs = dir
	var end func()
	if land, end, err = found(dir); err != nil {
		fmt.Fprintln(os.Stderr, "found the country:", err)
		return 1
	}
	defer end()
	return m.Run()
}

// A country is a running demo.
type country struct {
	issuer, management, cabinet, workbench string
	citizen                                citizen
	operator                               *http.Client // of the management API
}

// A citizen is somebody who can sign in.
type citizen struct {
	Identifier, State, Phone, Password string
}

// found builds the demo and starts it at free ports; end ends it.
func found(dir string) (c *country, end func(), err error) {
	build := exec.Command("go", "build", "-o", dir+"/", "./cmd/demo")
	build.Dir = filepath.Join("..", "..")
	if said, err := build.CombinedOutput(); err != nil {
		return nil, nil, fmt.Errorf("build the demo: %w\n%s", err, said)
	}
	c = new(country)
	demo := exec.Command(filepath.Join(dir, "demo"), "--relaxed", "--data", filepath.Join(dir, "data"))
	demo.Env = os.Environ()
	parts := []struct {
		url, listen string
		at          *string
	}{
		{"IDP_ISSUER", "IDP_LISTEN", &c.issuer}, {"IDP_MANAGEMENT_URL", "IDP_MANAGEMENT_LISTEN", &c.management},
		{"CABINET_URL", "CABINET_LISTEN", &c.cabinet}, {"ESERVICE_URL", "ESERVICE_LISTEN", new(string)},
		{"DEMO_URL", "DEMO_LISTEN", &c.workbench},
	}
	addresses, err := free(len(parts))
	if err != nil {
		return nil, nil, err
	}
	for i, part := range parts {
		*part.at = "http://" + addresses[i]
		demo.Env = append(demo.Env, part.url+"="+*part.at, part.listen+"="+addresses[i])
	}
	end, err = start(demo, c.workbench+"/readyz", 3*time.Minute)
	if err != nil {
		return nil, nil, err
	}
	if err := c.meet(); err != nil {
		end()
		return nil, nil, err
	}
	return c, end, nil
}

// meet finds a citizen and the operator's client at the workbench.
func (c *country) meet() error {
	var citizens []citizen
	if err := read(c.workbench+"/api/citizens", &citizens); err != nil {
		return err
	}
	for _, one := range citizens {
		if one.State == "active" && one.Password != "" && !strings.HasPrefix(one.Identifier, "0") { // no specimen
			c.citizen = one
		}
	}
	var clients []struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		Scope        string
	}
	if err := read(c.workbench+"/api/clients", &clients); err != nil {
		return err
	}
	for _, one := range clients {
		if strings.Contains(one.Scope, "clients:manage") {
			token := clientcredentials.Config{
				ClientID: one.ClientID, ClientSecret: one.ClientSecret, TokenURL: c.issuer + "/token",
				Scopes: []string{"clients:manage", "keys:manage"}, AuthStyle: oauth2.AuthStyleInHeader,
			}
			c.operator = token.Client(context.Background())
		}
	}
	if c.citizen.Identifier == "" || c.operator == nil {
		return errors.New("the workbench has no active citizen, or no operator")
	}
	return nil
}

// A registered client.
type registered struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// register registers a client that asks for all about a citizen.
func (c *country) register(t *testing.T, metadata map[string]any) registered {
	t.Helper()
	for member, usual := range map[string]any{
		"client_name": "Foreign", "purpose": "to be tried", "scope": "openid profile phone offline_access",
		"grant_types": []string{"authorization_code", "refresh_token"},
	} {
		if _, ok := metadata[member]; !ok {
			metadata[member] = usual
		}
	}
	var client registered
	c.operate(t, "/clients", metadata, &client)
	return client
}

// rotate has other keys sign from now on, of ID tokens and of access tokens.
func (c *country) rotate(t *testing.T) {
	t.Helper()
	for _, alg := range []string{"RS256", "ES256"} {
		c.operate(t, "/keys/rotations", map[string]any{"alg": alg}, new(any))
	}
}

// operate posts to the management API as the operator does.
func (c *country) operate(t *testing.T, path string, asked, answer any) {
	t.Helper()
	body, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.operator.Post(c.management+path, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("POST %s: got %s %s: %v", path, got.Status, text, err)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		t.Fatal(err)
	}
}

// code reads the code that the citizen has been sent since.
func (c *country) code(t *testing.T, since time.Time) string {
	t.Helper()
	var code string
	eventually(t, func() error {
		var all []struct {
			At         time.Time
			Kind, Text string
		}
		if err := read(c.workbench+"/api/sms?"+url.Values{"phone": {c.citizen.Phone}}.Encode(), &all); err != nil {
			return err
		}
		for _, sms := range all {
			if sms.Kind == "code" && sms.At.After(since) {
				code = regexp.MustCompile(`\b\d{6}\b`).FindString(sms.Text)
				return nil
			}
		}
		return errors.New("no code has come")
	})
	return code
}

// free are addresses that nobody listens at.
func free(n int) (addresses []string, err error) {
	for range n {
		l, err := net.Listen("tcp", "localhost:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // not sooner, so that no two are the same
		addresses = append(addresses, fmt.Sprintf("localhost:%d", l.Addr().(*net.TCPAddr).Port))
	}
	return addresses, nil
}

// start starts a program and waits for an address of its to answer; end ends it.
func start(program *exec.Cmd, address string, patience time.Duration) (end func(), err error) {
	var said bytes.Buffer
	program.Stdout, program.Stderr = &said, &said
	if err := program.Start(); err != nil {
		return nil, err
	}
	end = func() { _ = program.Process.Signal(os.Interrupt); _ = program.Wait() }
	if err := within(patience, func() error { return answers(address) }); err != nil {
		end()
		return nil, fmt.Errorf("%s: %w\n%s", filepath.Base(program.Path), err, &said)
	}
	return end, nil
}

// serve starts a program that is a client, for as long as the test takes.
func serve(t *testing.T, program *exec.Cmd, address string) {
	t.Helper()
	end, err := start(program, address, 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		end()
		if t.Failed() {
			t.Log(program.Stdout)
		}
	})
}

// patient calls with a time-out.
var patient = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func answers(address string) error {
	got, err := patient.Get(address)
	if err != nil {
		return err
	}
	got.Body.Close()
	if got.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("%s answers %s", address, got.Status)
	}
	return nil
}

func read(address string, into any) error {
	got, err := patient.Get(address)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	return json.NewDecoder(got.Body).Decode(into)
}

// within asks until the answer is nil.
func within(patience time.Duration, ask func() error) error {
	late, again := time.After(patience), time.NewTicker(50*time.Millisecond)
	defer again.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-late:
			return err
		}
	}
}

func eventually(t *testing.T, ask func() error) {
	t.Helper()
	if err := within(10*time.Second, ask); err != nil {
		t.Fatal(err)
	}
}

// must gives what there is without an error.
func must[T any](t *testing.T) func(T, error) T {
	return func(got T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
}

// pair is a key for a client, as it has it itself and as it registers it.
func pair(t *testing.T) (private []byte, public jose.JSONWebKeySet) {
	t.Helper()
	key := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048))
	private = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	return private, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1"}}}
}

// kid is the key that a JWT says it is signed by.
func kid(t *testing.T, token string) string {
	t.Helper()
	var header struct{ KID string }
	first, _, _ := strings.Cut(token, ".")
	if err := json.Unmarshal(must[[]byte](t)(base64URL.DecodeString(first)), &header); err != nil {
		t.Fatal(err)
	}
	return cmp.Or(header.KID, "none")
}
