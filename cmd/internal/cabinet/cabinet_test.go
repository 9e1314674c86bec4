package cabinet

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cabinet/dispute"
	"asoba.example/cabinet/issuer/issuertest"
	"asoba.example/cabinet/journal"
	"asoba.example/cabinet/profile"
	"asoba.example/cmd/internal/settings"
	"asoba.example/migrations/pgtest"
	"asoba.example/migrations/redistest"
	"asoba.example/provider/seal"
)

var update = flag.Bool("update", false, "write golden files anew")

// The manual is as it was.
func TestHelp(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	if err := Run(t.Context(), nil, &got, "--help"); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "help.txt")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("got:\n%s", got.Bytes())
	}
}

// The catalogue comes by the command whole or not at all, is told of beforehand, and what is wrong with a file all at once.
func TestCatalogueComesByTheCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	environment := []string{"CABINET_DATABASE_URL=" + pgtest.CabinetURL(t)}
	run := func(says string, fails bool, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		err := Run(t.Context(), environment, &out, append([]string{"catalogue"}, args...)...)
		if (err != nil) != fails || !strings.Contains(out.String()+fmt.Sprint(err), says) {
			t.Errorf("%s: got %v and\n%.2000s", args, err, out.String())
		}
		return out.String()
	}
	written := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sample := run("services:", false, "sample")
	good := written("good.yaml", sample)
	bad := written("bad.yaml", strings.NewReplacer("kind: e_service", "kind: wish", "body: archive", "body: museum").Replace(sample))
	younger := written("younger.yaml", strings.Replace(sample, "number: 1", "number: 2", 1))

	if told := run("nothing wrong", false, "check", good); strings.Contains(told, "from its day on") {
		t.Errorf("its day has come:\n%s", told)
	}
	run("nothing wrong. It can be imported from its day on.", false, "check", written("early.yaml", strings.Replace(sample, "date: 20", "date: 90", 1)))
	if told := run("faults: ", true, "check", bad); !strings.Contains(told, "200.3.5: kind: ") || !strings.Contains(told, "200.14.1: body: is none of bodies") {
		t.Errorf("not all that is wrong is told:\n%s", told)
	}
	run("faults: ", true, "import", "--by", "Anna", bad)
	run("added     200.8.1", false, "diff", good)
	run("\"by\" not set", true, "import", good)
	run("say who", true, "import", "--by", " ", good)
	run("added     69", false, "import", "--by", "Anna", younger)
	run("Anna brought it", false, "import", "--by", "Boris", younger)
	run("Anna brought it", false, "diff", younger)
	run("a newer edition is in force", true, "import", "--by", "Anna", good)
	run("Another edition is in force already", false, "import", "--first", "--by", "Anna", good)
	run("$schema", false, "schema")
}

// freeAddress is one that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// settingsFor are those of a cabinet on stores of its own, in front of a provider.
func settingsFor(t *testing.T, p *issuertest.Provider) map[string]string {
	t.Helper()
	key := filepath.Join(t.TempDir(), "client.jwk")
	if err := os.WriteFile(key, p.ClientKey(t), 0o600); err != nil {
		t.Fatal(err)
	}
	master := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(master, []byte("MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI="), 0o600); err != nil {
		t.Fatal(err)
	}
	listen := freeAddress(t)
	return map[string]string{
		"CABINET_URL": "http://" + listen, "CABINET_LISTEN": listen, "CABINET_ISSUER": p.URL, "CABINET_MANAGEMENT_URL": p.URL,
		"CABINET_CLIENT_ID": issuertest.ClientID, "CABINET_CLIENT_KEY_FILE": key,
		"CABINET_MASTER_KEY_FILE": master, "CABINET_DATABASE_URL": pgtest.CabinetURL(t), "CABINET_REDIS_URL": redistest.URL(t),
	}
}

func environ(given map[string]string) (all []string) {
	for name, value := range given {
		all = append(all, name+"="+value)
	}
	return all
}

// The program starts while the provider is away, follows it when it is there, and lets in whom it knows by then.
func TestServe(t *testing.T) {
	t.Parallel()
	p := issuertest.New(t, time.Now)
	p.Mux.HandleFunc("GET /changes", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("after") == "0" {
			fmt.Fprintf(w, `{"entries":[{"cursor":"1","kind":"edition.applied","at":%q,"edition":1}],"cursor":"1"}`, time.Now().Format(time.RFC3339))
			return
		}
		fmt.Fprint(w, `{"entries":[],"cursor":"1"}`)
	})
	p.Mux.HandleFunc("GET /register/editions/1/people", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "id,identification_number,sex,birth_date,citizenship,death_date,death_act,declared_dead_date,declared_dead_act,"+
			"missing_date,missing_act,incapable_date,incapable_act,limited_date,limited_act,deactivated_for")
		fmt.Fprintln(w, "018f0000-0000-7000-8000-000000000001,0000000A000PB2,F,1956,BY"+strings.Repeat(",", 11))
	})
	p.Down(true)
	given := settingsFor(t, p)
	ctx, stop := context.WithCancel(t.Context())
	var (
		running sync.WaitGroup
		ended   error
	)
	running.Go(func() {
		cfg, err := settings.Read[Config](environ(given))
		if err != nil {
			ended = err
			return
		}
		ended = Serve(ctx, cfg, slog.New(slog.DiscardHandler))
	})
	eventually(t, func() error { return get(http.DefaultClient, given["CABINET_URL"]+"/readyz", "", "ok") })
	p.Down(false)
	token := p.AccessToken(given["CABINET_URL"], map[string]any{
		"sub": "0000000A000PB2", "scope": "cabinet.profile", "acr": "low", "auth_time": time.Now().Unix(),
	})
	eventually(t, func() error {
		return get(http.DefaultClient, given["CABINET_URL"]+"/api/v1/profile", token, `"state":"activated"`)
	})
	stop()
	running.Wait()
	if ended != nil {
		t.Errorf("it ended with %v", ended)
	}
}

// What is wrong is told in one line, without what may be secret, and nobody was served.
func TestServeRefusesWrongSettings(t *testing.T) {
	t.Parallel()
	p := issuertest.New(t, time.Now)
	for name, want := range map[string]string{
		"CABINET_CLIENT_KEY_FILE": "CABINET_CLIENT_KEY_FILE: not a JWK",
		"CABINET_MASTER_KEY_FILE": "CABINET_MASTER_KEY_FILE does not hold 32 bytes",
		"CABINET_DATABASE_URL":    "CABINET_DATABASE_URL is not the URL of a PostgreSQL database",
		"CABINET_REDIS_URL":       "CABINET_REDIS_URL is not the URL of a Redis",
		"CABINET_TLS_CERT_FILE":   "CABINET_TLS_CERT_FILE and CABINET_TLS_KEY_FILE",
		"CABINET_LISTEN":          "CABINET_LISTEN",
		"CABINET_MTLS_URL":        "CABINET_MTLS_URL needs CABINET_TLS_CERT_FILE",
		"CABINET_SESSION_IDLE":    "CABINET_SESSION_IDLE is not a duration",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			given := settingsFor(t, p)
			wrong := filepath.Join(t.TempDir(), "sesame")
			if err := os.WriteFile(wrong, []byte("sesame"), 0o600); err != nil {
				t.Fatal(err)
			}
			switch {
			case name == "CABINET_MTLS_URL":
				wrong = "https://sesame.example"
			case !strings.HasSuffix(name, "_KEY_FILE"):
				wrong = "postgres://sesame:sesame@sesame:sesame/"
			}
			given[name] = wrong
			err := Run(t.Context(), environ(given), io.Discard, "serve")
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %s", err, want)
			}
			if (name == "CABINET_DATABASE_URL" || name == "CABINET_REDIS_URL") && strings.Contains(err.Error(), "sesame") {
				t.Errorf("a secret is told: %v", err)
			}
		})
	}
}

func get(client *http.Client, address, token, says string) error {
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(body), says) {
		return fmt.Errorf("%s: %s %s", address, answer.Status, body)
	}
	return nil
}

// eventually asks until the answer is nil, for half a minute.
func eventually(t *testing.T, ask func() error) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	over := time.After(30 * time.Second)
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-over:
			t.Fatal(err)
		}
	}
}

// Citizens' numbers are sent by https, or nowhere; what is wrong with the sources is told before anybody is served, and no address with it.
func TestSourcesAreCalledByHTTPS(t *testing.T) {
	t.Parallel()
	const plain = `[{"name": "documents", "title": {"": "D"}, "basis": {"": "82"}, "url": "http://a:secret@localhost/ask", "values": ["address"]}]`
	if all, err := sources(Config{Sources: plain, AllowLoopbackFetch: true}); err != nil || len(all) != 1 {
		t.Errorf("for a trial: %v, %v", all, err)
	}
	for _, text := range []string{plain, "[{}]", "no"} {
		if _, err := sources(Config{Sources: text}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

// Sources are put in force and taken out by the command, by somebody who is named; what is wrong with the setting is told without an address.
func TestSourcesAreInForceByTheCommand(t *testing.T) {
	t.Parallel()
	const named = `[{"name": "documents", "title": {"": "D"}, "basis": {"": "82"}, "url": "https://a:secret@documents.example", "values": ["address"]}]`
	database := pgtest.CabinetURL(t)
	run := func(sources, says string, fails bool, args ...string) {
		t.Helper()
		var out bytes.Buffer
		root := command([]string{"CABINET_DATABASE_URL=" + database, "CABINET_SOURCES=" + sources})
		root.SetOut(&out)
		root.SetArgs(append([]string{"source"}, args...))
		err := settings.Execute(t.Context(), root)
		told := out.String() + fmt.Sprint(err)
		if (err != nil) != fails || !strings.Contains(told, says) || strings.Contains(told, "secret") {
			t.Errorf("%s: got %s", args, told)
		}
	}
	run(named, "required flag", true, "put")
	run(named, "--by", true, "put", "--by", " ")
	run("[{}]", "CABINET_SOURCES", true, "put", "--by", "Operator")
	run("", "CABINET_SOURCES", true, "put", "--by", "Operator")
	run("[]", "none", true, "put", "--by", "Operator")
	run(named, "documents: put in force\n", false, "put", "--by", "Operator")
	run(named, "documents: in force so already\n", false, "put", "--by", "Another")
	run("", `{"name":"documents","in_force":true,"values":["address"],"by":"Operator"`, false, "list")
	run("", "--by", true, "drop", "documents", "--by", "")
	run("", "", false, "drop", "documents", "--by", "Another")
	run("", "no source of this name is in force", true, "drop", "documents", "--by", "Another")
	run("", `"in_force":false,"values":["address"],"by":"Another"`, false, "list")
}

// A dispute is listed, sent on and answered by the command, by somebody who is named, and once it is answered no more.
func TestDisputesAreAnsweredByTheCommand(t *testing.T) {
	t.Parallel()
	database, master := pgtest.CabinetURL(t), filepath.Join(t.TempDir(), "master.key")
	key := seal.NewMasterKey()
	if err := os.WriteFile(master, []byte(key), 0o600); err != nil {
		t.Fatal(err)
	}
	raw, err := seal.ReadMasterKey("", master)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	box, err := seal.Open(t.Context(), pool, raw, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	const number = "0000000A000PB2"
	err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		return profile.Apply(t.Context(), tx, []profile.Person{{ID: uuid.New(), Number: number, Sex: "F", BirthDate: "1956", Citizenship: "BY"}}, time.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	d := dispute.Dispute{Name: "address", Source: "documents", Value: "Minsk", Words: "I have moved"}
	if err := (dispute.Book{Pool: pool, Box: box}).Make(t.Context(), number, d, "low", time.Now()); err != nil {
		t.Fatal(err)
	}
	says := journal.Names{"": "82"}
	if _, err := profile.Put(t.Context(), pool, []profile.Source{{Name: "documents", Title: says, Basis: says}}, "Operator", time.Now()); err != nil {
		t.Fatal(err)
	}
	environment := []string{"CABINET_DATABASE_URL=" + database, "CABINET_MASTER_KEY_FILE=" + master}
	run := func(says string, fails bool, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		root := command(environment)
		root.SetOut(&out)
		root.SetIn(strings.NewReader("It is corrected.\n"))
		root.SetArgs(append([]string{"dispute"}, args...))
		err := settings.Execute(t.Context(), root)
		if (err != nil) != fails || !strings.Contains(out.String()+fmt.Sprint(err), says) {
			t.Errorf("%s: got %v and %s", args, err, out.String())
		}
		return out.String()
	}
	var listed dispute.Waiting
	if list := run(`"state":"received"`, false, "list"); json.Unmarshal([]byte(list), &listed) != nil || strings.Contains(list, "moved") {
		t.Fatalf("the list: %s", list)
	}
	id := listed.ID.String()
	run("not the id", true, "send", "first", "--by", "Operator")
	run("required flag", true, "send", id)
	run(`"words":"I have moved"`, false, "send", id, "--by", "Operator")
	run("corrected or upheld", true, "answer", id, "--by", "Operator", "--outcome", "sent")
	if told := run("", false, "answer", id, "--by", "Operator", "--outcome", "corrected"); told != "" {
		t.Errorf("the source is asked anew, but told is %s", told)
	}
	run("has ended", true, "answer", id, "--by", "Operator", "--outcome", "upheld")
	if list := run("", false, "list"); list != "" {
		t.Errorf("it still waits: %s", list)
	}
	var occasion profile.Occasion
	if err := pool.QueryRow(t.Context(), `SELECT occasion FROM refresh WHERE due_at IS NOT NULL`).Scan(&occasion); err != nil || occasion != profile.Correction {
		t.Errorf("its source is asked for %q, %v", occasion, err)
	}

	if err := profile.Drop(t.Context(), pool, "documents", "Operator", time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := (dispute.Book{Pool: pool, Box: box}).Make(t.Context(), number, d, "low", time.Now()); err != nil {
		t.Fatal(err)
	}
	if list := run("", false, "list"); json.Unmarshal([]byte(list), &listed) != nil {
		t.Fatalf("the list: %s", list)
	}
	run("nobody is asked anew", false, "answer", listed.ID.String(), "--by", "Operator", "--outcome", "corrected")
}
