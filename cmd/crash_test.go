package cmd_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"golang.org/x/oauth2"

	"asoba.example/cmd/internal/demo/walk"
	"asoba.example/provider/seal"
)

// A power cut between the commit of a block and the clean-up of Redis lets nobody in:
// after the restart the session that Redis still held, the access token and the
// refresh token are refused. And an e-service that had not heard of it by then does.
func TestBlockOutlivesAPowerCut(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	gate := newGate(t, c.idpRedis)
	c.set("IDP_REDIS_URL", gate.url)
	c.errand("idp", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	metadata := c.eserviceMetadata()
	metadata["grant_types"] = []string{"authorization_code", "refresh_token"}
	metadata["scope"] = "openid offline_access"
	metadata["first_party"] = true
	metadata["redirect_uris"] = []string{c.issuer + "/nowhere"}
	var restarted atomic.Bool
	told := make(chan struct{}, 1)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !restarted.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		select {
		case told <- struct{}{}:
		default:
		}
	}))
	defer service.Close()
	metadata["backchannel_logout_uri"] = service.URL
	registered := c.register(metadata)
	idp := c.serve("idp", c.issuer)
	desk := c.desk()
	temporary := desk.issue(citizenNumber, citizenPhone)

	rp := oauth2.Config{
		ClientID: registered.ID, ClientSecret: registered.Secret, RedirectURL: c.issuer + "/nowhere", Scopes: []string{"openid", "offline_access"},
		Endpoint: oauth2.Endpoint{AuthURL: c.issuer + "/authorize", TokenURL: c.issuer + "/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
	person := c.signIn(citizenNumber, temporary, c.issuer+"/security", c.issuer+"/security")
	client := &http.Client{
		Jar:           person.Cookies(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	authorize := func() (leads *url.URL, verifier string) {
		verifier = oauth2.GenerateVerifier()
		res, err := client.Get(rp.AuthCodeURL("state-of-this-test", oauth2.S256ChallengeOption(verifier)))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if leads, err = res.Location(); err != nil {
			t.Fatalf("authorize answers %s: %v", res.Status, err)
		}
		return leads, verifier
	}
	leads, verifier := authorize()
	token, err := rp.Exchange(t.Context(), leads.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}

	store, err := pgx.Connect(t.Context(), c.setting("IDP_DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close(context.WithoutCancel(t.Context()))
	gate.shutAt(regexp.MustCompile(`(?i)\bset\r\n\$\d+\r\ndenied:`)) // the clean-up's first word to Redis
	blocking, cancel := context.WithCancel(t.Context())
	defer cancel()
	answered := make(chan error, 1)
	go func() {
		answered <- desk.try(blocking, "/desk/blocks", map[string]any{
			"identifier": citizenNumber, "document": document, "basis": basis, "attested": attested, "clerk": clerkNumber, "office": "Desk 1",
		})
	}()
	c.phone.next(t, "notice", "заблокирован") // the message lay in the act's transaction, so the act is committed
	select {
	case err := <-answered:
		t.Fatalf("the block was answered (%v) before Redis was clean", err)
	default:
	}
	eventually(t, "the e-service is tried", func() error {
		var waiting bool
		err := store.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM river_job WHERE kind = 'logout_delivery' AND state = 'scheduled')`).Scan(&waiting)
		if err == nil && !waiting {
			err = errors.New("no delivery waits for its next try")
		}
		return err
	})
	idp.kill()
	cancel()
	<-answered
	gate.open()
	restarted.Store(true)
	c.serve("idp", c.issuer)
	select {
	case <-told:
	case <-time.After(30 * time.Second):
		t.Error("the e-service was not told of the block")
	}

	if leads, _ := authorize(); leads.Query().Has("code") || !strings.HasSuffix(leads.Path, "/sign-in") {
		t.Errorf("the session from before the block leads to %s", leads.Path)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.issuer+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	token.SetAuthHeader(req)
	if status := exchange(t, req, new(map[string]any)); status != http.StatusUnauthorized {
		t.Errorf("userinfo answers %d to a token from before the block", status)
	}
	token.Expiry = time.Now().Add(-time.Hour)
	var refused *oauth2.RetrieveError
	if _, err := rp.TokenSource(t.Context(), token).Token(); !errors.As(err, &refused) || refused.ErrorCode != "invalid_grant" {
		t.Errorf("a refresh after the block: %v", err)
	}
	person, err = walk.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := person.Open(t.Context(), c.issuer+"/sign-in"); err != nil {
		t.Fatal(err)
	}
	if err := person.Walk(t.Context(), c.issuer+"/security", walk.Wallet{Identifier: citizenNumber, Password: strong}); err == nil {
		t.Error("a blocked person signed in")
	}
}

// The cabinet is given nothing of the provider's, and its role cannot enter the provider's database. Of the keys by which the provider signs nothing is in the
// cabinet's database, in its Redis, among its settings and in the files that these name, whatever they were used for.
func TestCabinetHoldsNothingOfTheProvider(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.errand("idp", "migrate")
	c.errand("cabinet", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	c.registerCabinet()
	c.serve("idp", c.issuer)
	c.serve("cabinet", c.cabinet)
	home := c.signIn(citizenNumber, c.desk().issue(citizenNumber, citizenPhone), c.cabinet+"/profile", c.cabinet+"/profile")
	if err := home.Open(t.Context(), c.cabinet+"/profile"); err != nil {
		t.Fatal(err)
	}

	held := map[string]string{"the database": c.dump("CABINET_DATABASE_URL"), "Redis": c.everything("CABINET_REDIS_URL")}
	for _, setting := range c.environment("cabinet") {
		name, value, _ := strings.Cut(setting, "=")
		if strings.HasPrefix(name, "IDP_") {
			t.Errorf("the cabinet is given %s", name)
		}
		held[name] = value
		if file, err := os.ReadFile(value); strings.HasSuffix(name, "_FILE") {
			if err != nil {
				t.Fatal(err)
			}
			held[name] = string(file)
		}
	}
	if !strings.Contains(held["the database"], citizenNumber) || len(held["Redis"]) == 0 {
		t.Error("what was looked at is not of this journey")
	}
	var own jose.JSONWebKey
	if err := own.UnmarshalJSON([]byte(held["CABINET_CLIENT_KEY_FILE"])); err != nil {
		t.Fatal(err)
	}
	if len(among(held, halves(t, own.Key))) != 1 {
		t.Error("the cabinet's own key is not found where it is")
	}
	private := c.privateKeys()
	if len(private) < 2 { // RS256 and ES256
		t.Fatalf("the provider has %d keys", len(private))
	}
	for kid, key := range private {
		if found := among(held, halves(t, key)); len(found) > 0 {
			t.Errorf("of the provider's key %s the cabinet holds something: %s", kid, found)
		}
	}

	address, err := url.Parse(c.setting("CABINET_DATABASE_URL"))
	if err != nil {
		t.Fatal(err)
	}
	address.Path = "/idp"
	if conn, err := pgx.Connect(t.Context(), address.String()); err == nil {
		conn.Close(t.Context())
		t.Error("the cabinet's role entered the provider's database")
	}
}

// privateKeys opens those by which the provider signs.
func (c *country) privateKeys() map[string]any {
	c.t.Helper()
	pool, err := pgxpool.New(c.t.Context(), c.setting("IDP_DATABASE_URL"))
	if err != nil {
		c.t.Fatal(err)
	}
	defer pool.Close()
	master, err := seal.ReadMasterKey("IDP_MASTER_KEY_FILE", c.setting("IDP_MASTER_KEY_FILE"))
	if err != nil {
		c.t.Fatal(err)
	}
	box, err := seal.Open(c.t.Context(), pool, master, time.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	all := map[string]any{}
	var (
		kid    string
		sealed []byte
	)
	rows, _ := pool.Query(c.t.Context(), `SELECT kid, private_key FROM signing_key WHERE private_key IS NOT NULL`)
	_, err = pgx.ForEachRow(rows, []any{&kid, &sealed}, func() error {
		der, err := box.Open("signing_key:private_key:"+kid, sealed)
		if err == nil {
			all[kid], err = x509.ParsePKCS8PrivateKey(der)
		}
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return all
}

// halves are the numbers of a private key that nobody else may know.
func halves(t *testing.T, key any) (all []string) {
	t.Helper()
	switch key := key.(type) {
	case *rsa.PrivateKey:
		all = append(all, string(key.D.Bytes()))
		for _, prime := range key.Primes {
			all = append(all, string(prime.Bytes()))
		}
	case *ecdsa.PrivateKey:
		raw, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(raw))
	case ed25519.PrivateKey:
		all = append(all, string(key.Seed()))
	default:
		t.Fatalf("a key of another kind: %T", key)
	}
	return all
}

// among gives where secrets stand, in any spelling, whether or not in lines.
func among(held map[string]string, secrets []string) (where []string) {
	for name, text := range held {
		text = strings.ReplaceAll(text, "\n", "")
		for _, secret := range secrets {
			if slices.ContainsFunc(spellings(secret), func(s string) bool { return strings.Contains(text, strings.ReplaceAll(s, "\n", "")) }) {
				where = append(where, name)
			}
		}
	}
	return where
}

// everything is all that is in a Redis.
func (c *country) everything(setting string) string {
	c.t.Helper()
	options, err := redis.ParseURL(c.setting(setting))
	if err != nil {
		c.t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	var all strings.Builder
	keys, err := client.Keys(c.t.Context(), "*").Result()
	for _, key := range keys {
		var value string
		switch kind := client.Type(c.t.Context(), key).Val(); kind {
		case "string":
			value = client.Get(c.t.Context(), key).Val()
		case "hash":
			value = fmt.Sprint(client.HGetAll(c.t.Context(), key).Val())
		case "set":
			value = fmt.Sprint(client.SMembers(c.t.Context(), key).Val())
		case "zset":
			value = fmt.Sprint(client.ZRange(c.t.Context(), key, 0, -1).Val())
		default:
			c.t.Errorf("%s is a %s", key, kind)
		}
		fmt.Fprintln(&all, key, value)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return all.String()
}

// A gate stands before a Redis. Once it has shut, what comes stays unanswered.
type gate struct {
	url  string
	mu   sync.Mutex
	at   *regexp.Regexp // under mu: what shuts the gate
	wait chan struct{}  // under mu; closed while the gate is open
}

func newGate(t *testing.T, to string) *gate {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	network, address := "tcp", target.Host
	if target.Scheme == "unix" {
		network, address = "unix", target.Path
	}
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{wait: make(chan struct{})}
	close(g.wait)
	front := url.URL{Scheme: "redis", Host: listener.Addr().String(), Path: target.Path, RawQuery: target.RawQuery, User: target.User}
	if network == "unix" {
		front.Path, front.RawQuery = "/"+target.Query().Get("db"), ""
	}
	g.url = front.String()

	var serving sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(func() { stop(); listener.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial(network, address)
			if err != nil {
				in.Close()
				continue
			}
			context.AfterFunc(ctx, func() { in.Close(); out.Close() })
			serving.Go(func() { g.pass(ctx, out, in) })
			serving.Go(func() { io.Copy(in, out); in.Close() })
		}
	})
	return g
}

// pass hands on what comes while the gate is open.
func (g *gate) pass(ctx context.Context, out io.WriteCloser, in io.Reader) {
	defer out.Close()
	buffer := make([]byte, 4096)
	for {
		n, err := in.Read(buffer)
		if err != nil {
			return
		}
		select {
		case <-g.come(buffer[:n]):
		case <-ctx.Done():
			return
		}
		if _, err := out.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// come gives what to wait for before something may pass.
func (g *gate) come(what []byte) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.at != nil && g.at.Match(what) {
		g.at, g.wait = nil, make(chan struct{})
	}
	return g.wait
}

func (g *gate) shutAt(what *regexp.Regexp) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at = what
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.wait)
}
