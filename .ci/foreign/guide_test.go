package foreign

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A guided client is configured as the guide for integrators tells it to be, but for addresses and credentials.
type guided struct {
	text string // of the guide, with those put in
	dir  string // that Apache's users may enter
	at   string // http://localhost:…, where https://service.example is
	echo string // the upstream: answers with the headers that it was sent
}

// guide reads it for a client that listens at an address of its own.
func guide(t *testing.T) guided {
	t.Helper()
	text := string(must[[]byte](t)(os.ReadFile(filepath.Join("..", "..", "cmd", "eservice", "README.md"))))
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _ = r.Header.Write(w) }))
	t.Cleanup(upstream.Close)
	g := guided{dir: must[string](t)(os.MkdirTemp(programs, "")), at: "http://" + must[[]string](t)(free(1))[0], echo: upstream.URL}
	if err := os.Chmod(g.dir, 0o711); err != nil {
		t.Fatal(err)
	}
	escape := strings.NewReplacer(":", "%3A", "/", "%2F")
	g.text = strings.NewReplacer(
		"https://idp.example", land.issuer, escape.Replace("https://idp.example"), escape.Replace(land.issuer),
		"idp.example", strings.TrimPrefix(land.issuer, "http://"),
		"https://service.example", g.at, escape.Replace("https://service.example"), escape.Replace(g.at),
		"http://localhost:3000", upstream.URL,
		"COOKIE_SECRET", "0123456789abcdef", "CRYPTO_PASSPHRASE", "0123456789abcdef", "/etc/apache2/oidc", g.dir,
	).Replace(text)
	return g
}

// block gives a block of the guide, with a client's credentials put in.
func (g guided) block(t *testing.T, language string, which int, client registered) string {
	t.Helper()
	blocks := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(g.text, -1)
	if len(blocks) <= which {
		t.Fatalf("the guide has not so many blocks of %s", language)
	}
	return strings.NewReplacer("CLIENT_ID", client.ID, "CLIENT_SECRET", client.Secret).Replace(blocks[which][1])
}

// file writes a file that only its owner reads.
func (g guided) file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(g.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// header gives one of the headers that the upstream was sent for the page that is open.
func (b *browser) header(name string) string {
	b.t.Helper()
	found := regexp.MustCompile(`(?:^| )` + name + `: (?:Bearer )?(\S+)`).FindStringSubmatch(b.text)
	if found == nil {
		b.t.Fatalf("the upstream was sent no %s: %s %s", name, b.at, b.text)
	}
	return found[1]
}
