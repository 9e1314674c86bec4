package idp

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
	"asoba.example/provider/seal"
)

var update = flag.Bool("update", false, "write golden files anew")

// What an operator can do with clients is as it was.
func TestHelpOnClients(t *testing.T) {
	t.Parallel()
	var help bytes.Buffer
	for _, errand := range strings.Split("client,client add,client list,client show,client change,client rotate-secret,client assertion,client initial-token,client initial-tokens,client revoke-initial-token,client revoke-registration,client disable,client enable,client remove,client owner,client live,client proposals,client approve,client refuse,body,body add,body list,body show,body name,body remove", ",") {
		if err := Run(t.Context(), nil, nil, &help, append(strings.Fields(errand), "--help")...); err != nil {
			t.Fatal(err)
		}
	}
	golden := filepath.Join("testdata", "client.txt")
	if *update {
		if err := os.WriteFile(golden, help.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(golden); err != nil || !bytes.Equal(help.Bytes(), want) {
		t.Errorf("%v, got:\n%s", err, &help)
	}
}

// A client's life from the terminal: added, shown, changed, given another secret, disabled, enabled, removed.
func TestClientsAreManagedFromTheTerminal(t *testing.T) {
	t.Parallel()
	environ := environment(t, pgtest.URL(t))
	run := func(in string, args ...string) (out string) {
		t.Helper()
		var told bytes.Buffer
		if err := Run(t.Context(), environ, strings.NewReader(in), &told, append([]string{"client"}, args...)...); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return told.String()
	}
	member := func(told, name string) any {
		t.Helper()
		var members map[string]any
		if err := json.Unmarshal([]byte(told), &members); err != nil {
			t.Fatalf("%v: %s", err, told)
		}
		return members[name]
	}
	const metadata = `{"client_name":"Портал","redirect_uris":["https://portal.example/cb"]}`
	first := member(run(metadata, "add", "--id", "portal", "-"), "client_secret")
	if shown := run("", "show", "portal"); first == nil || member(shown, "version") != 1.0 || strings.Contains(shown, "secret\":") {
		t.Errorf("told %v, shown %s", first, shown)
	}
	run(strings.Replace(metadata, "/cb", "/new", 1), "change", "--version", "1", "portal", "-")
	if err := Run(t.Context(), environ, strings.NewReader(metadata), new(bytes.Buffer), "client", "change", "--version", "1", "portal", "-"); err == nil {
		t.Error("a version that is over was changed")
	}
	if second := member(run("", "rotate-secret", "portal"), "client_secret"); second == nil || second == first {
		t.Errorf("got the secrets %v and %v", first, second)
	}
	if member(run("", "disable", "portal"), "disabled_at") == nil {
		t.Error("not disabled")
	}
	if got, want := run("", "list"), "portal  disabled  Портал\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if member(run("", "enable", "portal"), "disabled_at") != nil {
		t.Error("not enabled")
	}
	if token := run("", "initial-token", "--scope", "openid phone"); !strings.HasPrefix(token, "idp_initial_") {
		t.Errorf("got the initial access token %q", token)
	}
	id, line, _ := strings.Cut(run("", "initial-tokens"), " ")
	if !strings.HasSuffix(line, "  1  openid phone\n") {
		t.Errorf("listed as %q", line)
	}
	run("", "revoke-initial-token", id)
	if left := run("", "initial-tokens"); left != "" {
		t.Errorf("the revoked one is listed as %q", left)
	}
	run("", "revoke-registration", "portal")
	run("", "remove", "portal")
	if got := run("", "list"); got != "" {
		t.Errorf("got %q", got)
	}
}

// environment is that of an errand on a database.
func environment(t *testing.T, database string) []string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "master")
	if err := os.WriteFile(key, []byte(seal.NewMasterKey()), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{
		"IDP_DATABASE_URL=" + database, "IDP_REDIS_URL=" + redistest.URL(t),
		"IDP_MASTER_KEY_FILE=" + key, "IDP_SMS_GATEWAY_URL=http://localhost:1",
	}
}
