package cmd_test

import (
	"context"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"asoba.example/cmd/internal/demo/walk"
	"asoba.example/login/factor/factortest"
)

// Whoever steals a dump of a database reads in it neither a phone nor a name, a document, a password or a code; and nobody who
// watches over the programs learns one from a log, a metric or the name of a key, nor who it is about (resolution 792 ¶7).
func TestNothingThatIsKeptTellsAnybody(t *testing.T) {
	t.Parallel()
	const (
		otherPhone = "+375335551973"
		ownPhone   = "+375295551974"
		mistyped   = "девять жёлтых груш у ворот"
		recovered  = "десять белых лилий в пруду"
		misread    = "MP7654321"
		email      = "alesia.prykladnaja@example.com"
		forNotices = "+375445551975"
		disputed   = "адзінаццаць сініх васількоў у жыце"
	)
	c := newCountry(t)
	metrics := freeAddress(t)
	c.set("CABINET_METRICS_LISTEN", listen(metrics))
	c.set("IDP_RELAXED", "true") // more codes than somebody is sent in an hour
	c.errand("idp", "migrate")
	c.errand("cabinet", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	eservice := c.register(c.eserviceMetadata())
	c.env = append(c.env, "ESERVICE_CLIENT_ID="+eservice.ID, "ESERVICE_CLIENT_SECRET="+eservice.Secret)
	c.registerCabinet()
	programs := []*program{c.serve("idp", c.issuer), c.serve("cabinet", c.cabinet), c.serve("eservice", c.eservice)}
	w := &watch{country: c}

	desk := c.desk()
	w.look()
	issuance := desk.open(citizenNumber, citizenPhone)
	desk.act(issuance+"/assign", http.StatusConflict, nil)
	w.look()
	desk.act(issuance+"/phone", http.StatusNoContent, map[string]any{"code": code(t, c.phone.next(t, "code"))})
	desk.act(issuance+"/assign", http.StatusOK, nil)
	temporary := password(t, c.phone.next(t, "temporary_password"))
	citizen := c.signIn(citizenNumber, temporary, c.eservice+"/sign-in", c.issuer+"/consent")
	w.look()
	if err := errors.Join(citizen.Decide(t.Context(), "allow", walk.Wallet{}), citizen.Open(t.Context(), c.cabinet+"/profile")); err != nil {
		t.Fatal(err)
	}
	w.look()

	// A stranger guesses, and the citizen comes from another browser.
	elsewhere, err := walk.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, typed := range []string{mistyped, strong} {
		if err := elsewhere.Open(t.Context(), c.issuer+"/security"); err != nil {
			t.Fatal(err)
		}
		err := elsewhere.Walk(t.Context(), c.issuer+"/security", walk.Wallet{Identifier: citizenNumber, Password: typed, Code: func(context.Context) (string, error) {
			w.look() // while it is waited for
			return code(t, c.phone.next(t, "code")), nil
		}})
		if (err == nil) != (typed == strong) {
			t.Fatalf("with %q: %v", typed, err)
		}
		w.look()
	}

	changing := desk.act("/desk/phone-changes", http.StatusCreated, map[string]any{
		"identifier": citizenNumber, "document": document, "phone": otherPhone, "attested": attested, "basis": basis,
	})
	change := "/desk/phone-changes/" + changing["id"].(string)
	desk.act(change+"/phone", http.StatusNoContent, map[string]any{"code": code(t, c.phone.next(t, "code"))})
	desk.act(change+"/assign", http.StatusOK, nil)
	if err := errors.Join(citizen.Open(t.Context(), c.issuer+"/block"), citizen.Decide(t.Context(), "block", walk.Wallet{})); err != nil {
		t.Fatal(err)
	}
	c.phone.next(t, "notice", "заблокирован")
	w.look()

	// The citizen lifts the block, makes recovery codes, asks for another phone, ends what is begun elsewhere, binds an app, and tells
	// the cabinet how to be reached.
	sent := func() string {
		t.Helper()
		w.look() // while it is waited for
		return code(t, c.phone.next(t, "code"))
	}
	own := newPlain(t)
	own.open(c.issuer + "/unblock")
	own.send("identifier", citizenNumber, "password", mistyped)
	own.want("/unblock", http.StatusUnprocessableEntity)
	own.send("identifier", citizenNumber, "password", strong)
	own.want("/unblock/code", http.StatusOK)
	own.send("code", sent())
	own.send("new_password", stronger, "new_password_again", stronger)
	own.want("/security", http.StatusOK)
	signsIn := func(page string) { // each such page asks for a sign-in of its own
		t.Helper()
		own.open(c.issuer + page)
		own.send("identifier", citizenNumber, "password", stronger)
		own.want("/sign-in/code", http.StatusOK)
		own.send("code", sent())
		own.want(page, http.StatusOK)
	}
	signsIn("/security/recovery-codes")
	own.send()
	kept := regexp.MustCompile(`[A-Z2-7]{4}(-[A-Z2-7]{4}){3}`).FindAllString(own.body, -1)
	signsIn("/security/phone")
	own.send("phone", ownPhone)
	own.send("code", sent())
	own.want("/security/phone", http.StatusOK)
	own.open(c.issuer + "/security/sessions")
	own.send("decision", "end_others")
	own.want("/security/sessions", http.StatusOK)
	signsIn("/security/authenticator")
	key := strings.NewReplacer("<strong>", "", "</strong>", "", " ", "").Replace(find(t, `<strong>[A-Z2-7 ]+</strong>`, own.body))
	shown := factortest.Shows(t, key, time.Now())
	own.send("code", shown)
	own.want("/security/factors", http.StatusOK)
	own.open(c.cabinet + "/settings")
	own.send("email", email, "phone", forNotices, "language", "be")
	own.want("/profile", http.StatusOK)
	own.open(c.cabinet + "/profile/values/citizenship")
	own.send("words", disputed)
	own.want("/profile/values/citizenship", http.StatusOK)
	w.look()

	// The password is lost, and recovered by a code that was kept.
	lost := newPlain(t)
	lost.open(c.issuer + "/recover")
	lost.send("identifier", citizenNumber, "document_number", document["number"].(string))
	lost.want("/recover/code", http.StatusOK)
	lost.send("code", sent())
	lost.want("/recover/proof", http.StatusOK)
	lost.send("own_code", kept[0])
	lost.want("/recover/password", http.StatusOK)
	lost.send("new_password", recovered, "new_password_again", recovered)
	lost.want("/security", http.StatusOK)
	w.look()

	// The desk looks the identifier up, first by a document misread; it blocks, keeps the signed paper, unblocks, and its operator reads what it did.
	papers := map[string]any{"identifier": citizenNumber, "document": document, "basis": basis, "attested": []string{"holder", "particulars"}}
	desk.act("/desk/lookups", http.StatusNotFound, map[string]any{"identifier": citizenNumber, "document": map[string]any{"number": misread}, "purpose": "visit"})
	desk.act("/desk/lookups", http.StatusOK, map[string]any{"identifier": citizenNumber, "document": document, "purpose": "visit"})
	blocked := desk.act("/desk/blocks", http.StatusOK, papers)
	desk.keep(blocked["act"].(string), "%PDF-1.7\nПрыкладная Алеся Янаўна MP0000002 "+ownPhone+"\n%%EOF\n")
	desk.act("/desk/blocks", http.StatusConflict, papers)
	desk.act("/desk/unblocks", http.StatusOK, papers)
	c.phone.next(t, "temporary_password")
	w.look()
	report := c.errand("idp", "clerk", "report", "--office", "Desk 1")
	for _, p := range programs {
		p.stop()
	}

	people := []string{
		citizenPhone, otherPhone, ownPhone, clerkPhone, "Прыкладная", "Алеся", "Янаўна", "Работнікава", "MP0000001", "MP0000002", misread,
		strong, stronger, recovered, mistyped, key, email, forNotices, disputed,
	}
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key)
	if err != nil {
		t.Fatal(err)
	}
	people = append(people, string(raw))
	for _, code := range kept {
		people = append(people, code, strings.ReplaceAll(code, "-", ""))
	}
	codes := []string{shown}
	for _, m := range c.phone.taken {
		codes = append(codes, regexp.MustCompile(codeForm).FindAllString(m.Text, -1)...)
		people = append(people, regexp.MustCompile(`/not-me/\w+`).FindAllString(m.Text, -1)...)
		for _, password := range regexp.MustCompile(passwordForm).FindAllString(m.Text, -1) {
			people = append(people, password, strings.ReplaceAll(password, "-", ""))
		}
	}
	if len(codes) != 10 || !slices.Contains(people, temporary) {
		t.Errorf("%d codes were sent", len(codes))
	}
	for store, dump := range map[string]string{"idp": c.dump("IDP_DATABASE_URL"), "cabinet": c.dump("CABINET_DATABASE_URL")} {
		if !strings.Contains(dump, citizenNumber) { // by which its row is found: not a secret (resolution 792 ¶2)
			t.Errorf("the dump of %s is not of this journey", store)
		}
		tells(t, "the dump of "+store, dump, people, codes)
	}
	everybody := append(people, citizenNumber, clerkNumber)
	for i, p := range programs {
		name := []string{"idp", "cabinet", "eservice"}[i]
		tells(t, "the log of "+name, p.log.String(), everybody, codes)
	}
	if !strings.Contains(programs[0].log.String(), "POST /desk/issuances") || !strings.Contains(w.keys.String(), "session") || !strings.Contains(w.metrics.String(), "idp_sms_asked_total") {
		t.Errorf("what was looked at is not of this journey: the keys are\n%s", w.keys.String())
	}
	if !strings.Contains(report, clerkNumber) {
		t.Errorf("the report is not of this journey:\n%s", report)
	}
	tells(t, "the report", report, append(people, citizenNumber), codes)
	tells(t, "a key in Redis", w.keys.String(), everybody, codes)
	tells(t, "a metric", w.metrics.String(), everybody, codes)
}

// keep sends the scan of a signed paper, to be kept with an act.
func (d *desk) keep(act, scan string) {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPut, d.base+"/desk/acts/"+act+"/paper", strings.NewReader(scan))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	if res.Body.Close(); res.StatusCode != http.StatusCreated {
		d.t.Fatalf("keep a paper: %d", res.StatusCode)
	}
}

// A watch is what those see who watch over the stores and the programs.
type watch struct {
	*country
	keys, metrics strings.Builder
}

// look looks at the names of all keys in both Redis, and at what both programs tell of themselves.
func (w *watch) look() {
	w.t.Helper()
	for _, setting := range []string{"IDP_REDIS_URL", "CABINET_REDIS_URL"} {
		options, err := redis.ParseURL(w.setting(setting))
		if err != nil {
			w.t.Fatal(err)
		}
		client := redis.NewClient(options)
		keys, err := client.Keys(w.t.Context(), "*").Result()
		if err := errors.Join(err, client.Close()); err != nil {
			w.t.Fatal(err)
		}
		w.keys.WriteString(strings.Join(keys, "\n") + "\n")
	}
	for _, address := range []string{w.management, "http://" + w.setting("CABINET_METRICS_LISTEN")} {
		res, err := http.Get(address + "/metrics")
		if err != nil {
			w.t.Fatal(err)
		}
		_, err = io.Copy(&w.metrics, res.Body)
		if err := errors.Join(err, res.Body.Close()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// dump is all that is in a database.
func (c *country) dump(setting string) string {
	c.t.Helper()
	tool, err := exec.LookPath("pg_dump")
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
		if len(found) == 0 {
			c.t.Fatal("please install PostgreSQL's pg_dump")
		}
		tool = found[len(found)-1]
	}
	out, err := exec.CommandContext(c.t.Context(), tool, "--data-only", "--enable-row-security", c.setting(setting)).Output()
	if err != nil {
		c.t.Fatalf("pg_dump: %v", err)
	}
	return string(out)
}

// tells fails where a text tells a secret, in any of its spellings. Six digits are a code only where they stand alone: by
// chance they are part of something long.
func tells(t *testing.T, what, text string, secrets, codes []string) {
	t.Helper()
	lower := strings.ToLower(text)
	for _, secret := range secrets {
		for _, spelling := range spellings(secret) {
			if at := strings.Index(lower, strings.ToLower(spelling)); at >= 0 {
				t.Errorf("%s tells %q as %q: …%s…", what, secret, spelling, lower[max(0, at-80):min(len(lower), at+80)])
			}
		}
	}
	for _, code := range codes {
		if found := regexp.MustCompile(`(?m)(?:^|[^0-9A-Za-z.+/_-])` + code + `(?:$|[^0-9A-Za-z.+/=_-])`).FindStringIndex(text); found != nil {
			t.Errorf("%s tells the code %s: …%s…", what, code, text[max(0, found[0]-80):min(len(text), found[1]+80)])
		}
	}
}

// spellings are how a text may stand in another: as it is, without a phone's country, in a URL, in hexadecimal as PostgreSQL
// dumps bytes, and in base64 wherever it begins.
func spellings(secret string) []string {
	all := []string{secret, strings.TrimPrefix(secret, "+375"), url.QueryEscape(secret), url.PathEscape(secret), hex.EncodeToString([]byte(secret))}
	for before := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret))
		text = text[[]int{0, 2, 3}[before]:] // what is also of the letters before
		text = strings.TrimRight(text, "=")
		all = append(all, text[:len(text)-1], strings.NewReplacer("+", "-", "/", "_").Replace(text[:len(text)-1]))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Wherever in something encoded a secret begins and ends, one of its spellings is there.
func TestASecretIsKnownByItsSpellings(t *testing.T) {
	t.Parallel()
	for before := range 4 {
		for after := range 4 {
			const secret = "Прыкладная"
			text := strings.Repeat("~", before) + secret + strings.Repeat("~", after)
			for _, encoded := range []string{
				text, url.QueryEscape(text), url.PathEscape(text), hex.EncodeToString([]byte(text)),
				base64.StdEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text)),
			} {
				if !slices.ContainsFunc(spellings(secret), func(s string) bool { return strings.Contains(encoded, s) }) {
					t.Errorf("not known in %s", encoded)
				}
			}
		}
	}
}
