package operator_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/login/operator"
	"asoba.example/login/register"
	"asoba.example/provider/api"
	"asoba.example/provider/manage"
)

// A registry is the doors of the register's editions, held to the document, and the staff before them.
type registry struct {
	*world
	register *register.Register
}

func newRegistry(t *testing.T) registry {
	t.Helper()
	w := newWorld(t)
	g := &register.Register{
		Pool: w.Pool, Cascade: w.Registry.Deactivate, Restored: w.Registry.Restore, Renumbered: w.Registry.Renumber,
		Staff:            func(ctx context.Context, tx pgx.Tx, by uuid.UUID) error { return clerk.Hold(ctx, tx, by, clerk.Import) },
		DeactivatedShare: func() float64 { return 0.1 }, RejectedShare: func() float64 { return 0.5 },
	}
	document, err := api.ReadDocument(manage.Document)
	if err != nil {
		t.Fatal(err)
	}
	gate := clerk.Gate{Clerks: w.clerks, Tokens: w, Now: func() time.Time { return w.now }}
	(&operator.Editions{Register: g, Restorations: &operator.Restorations{Pool: w.Pool, Register: g, Now: gate.Now}, Gate: gate}).Mount(document.Hold(w.mux))
	w.tokens["a system"] = api.Token{Subject: "importer", ClientID: "importer", Scheme: api.Bearer}
	return registry{w, g}
}

// bring brings a file in somebody's name.
func (r registry) bring(t *testing.T, name, query, file string, headers ...string) (*httptest.ResponseRecorder, map[string]any) {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, "/register/editions"+query, strings.NewReader(file))
	req.Header.Set("Authorization", name)
	req.Header.Set("Content-Type", "text/csv; charset=utf-8")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	answer := httptest.NewRecorder()
	r.mux.ServeHTTP(answer, req)
	members := map[string]any{}
	if err := json.Unmarshal(answer.Body.Bytes(), &members); err != nil {
		t.Fatalf("answered %s", answer.Body)
	}
	return answer, members
}

// file is an edition of the register.
func file(number int, kind string, rows ...string) string {
	return fmt.Sprintf("# country BY\n# edition %d\n# period 2025-%02d\n# kind %s\n# rows %d\n"+
		"identification_number,sex,birth_date,citizenship,death_date,death_act,declared_dead_date,declared_dead_act,"+
		"missing_date,missing_act,incapable_date,incapable_act,limited_date,limited_act\n%s\n", number, number, kind, len(rows), strings.Join(rows, "\n"))
}

// A system brings editions in; one that would deactivate many waits, and of the staff another than who brought it decides: then whoever has
// died is blocked.
func TestAnEditionComesInByTheAPI(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	_, anna := r.staff(t, "anna", clerk.Operator)
	_, boris := r.staff(t, "boris", clerk.Operator)
	r.staff(t, "vera", clerk.Auditor)
	r.staff(t, "a citizen", "")
	died, diedID := r.Active(t)
	_, gone := r.Active(t)
	row := func(id identity.Identifier, facts string) string { return id.Reveal() + ",F,1956-03-08,BY," + facts }
	const alive, dead = ",,,,,,,,,", "2025-01-02,record,,,,,,,,"

	first := file(1, "delta", row(anna, alive), row(boris, alive), "123,F,1956,BY,"+alive)
	answer, tried := r.bring(t, "a system", "?dry_run=true", first)
	if answer.Code != 200 || tried["dry_run"] != true || tried["id"] != nil || tried["state"] != "applied" || r.Count(t, "edition") != 0 {
		t.Errorf("tried: %d %v", answer.Code, tried)
	}
	answer, done := r.bring(t, "a system", "", first)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(first)))
	if answer.Code != 201 || answer.Header().Get("Location") != "/register/editions/1" || done["client_id"] != "importer" || done["checksum"] != sum ||
		done["rejected"] != 1.0 || fmt.Sprint(done["bad_rows"]) != "[map[column:identification_number line:9 reason:shape]]" {
		t.Errorf("imported: %d %v", answer.Code, done)
	}
	if answer, again := r.bring(t, "a system", "", first); answer.Code != 200 || again["again"] != true {
		t.Errorf("again: %d %v", answer.Code, again)
	}
	rows := r.asks(t, "a system", "GET", "/register/editions/1/bad-rows", "", 200, "")["bad_rows"].([]any)
	if len(rows) != 1 || rows[0].(map[string]any)["line"] != 9.0 {
		t.Errorf("bad rows: %v", rows)
	}

	second := file(2, "full", row(diedID, dead), row(gone, dead), row(anna, alive))
	if answer, refused := r.bring(t, "vera", "", second); answer.Code != 403 || refused["code"] != "wrong_role" {
		t.Errorf("an auditor: %d %v", answer.Code, refused)
	}
	if answer, refused := r.bring(t, "a citizen", "", second); answer.Code != 403 || refused["code"] != "not_a_clerk" {
		t.Errorf("a citizen: %d %v", answer.Code, refused)
	}
	answer, waits := r.bring(t, "anna", "", second)
	if answer.Code != 201 || waits["state"] != "waiting" || waits["deactivated"] != 2.0 || waits["missing"] != 3.0 || r.State(t, died) != "active" {
		t.Errorf("waits: %d %v, who has died is %s", answer.Code, waits, r.State(t, died))
	}
	at := answer.Header().Get("Location")
	if answer, refused := r.bring(t, "a system", "", file(3, "delta", row(anna, alive))); answer.Code != 409 || refused["code"] != "edition_waits" {
		t.Errorf("another one: %d %v", answer.Code, refused)
	}
	if answer, tried := r.bring(t, "a system", "?dry_run=true", file(3, "delta", row(anna, alive))); answer.Code != 200 || tried["behind"] != true {
		t.Errorf("tried beside it: %d %v", answer.Code, tried)
	}
	for of, want := range map[string]int{"deactivated": 2, "missing": 3} {
		if people := r.asks(t, "boris", "GET", at+"/"+of, "", 200, "")["people"].([]any); len(people) != want {
			t.Errorf("who decides is told of %s: %v", of, people)
		}
	}
	r.asks(t, "anna", "POST", at+"/release", "", 403, "own_proposal")
	r.asks(t, "a system", "POST", at+"/release", "", 403, "not_a_clerk")
	r.asks(t, "vera", "POST", at+"/refuse", "", 403, "wrong_role")
	r.asks(t, "boris", "POST", "/register/editions/99/release", "", 404, "unknown_edition")
	r.asks(t, "boris", "POST", "/register/editions/x/release", "", 404, "unknown_edition")
	if released := r.asks(t, "boris", "POST", at+"/release", "", 200, ""); released["state"] != "applied" || r.State(t, died) != "blocked:register" {
		t.Errorf("released: %v, who has died is %s", released, r.State(t, died))
	}
	r.asks(t, "boris", "GET", at+"/deactivated", "", 409, "not_waiting")
	r.asks(t, "boris", "POST", at+"/refuse", "", 409, "decided")
	r.asks(t, "boris", "POST", "/register/editions/1/release", "", 409, "never_waited")
	page := r.asks(t, "boris", "GET", at+"/missing?limit=2", "", 200, "")
	next := r.asks(t, "boris", "GET", at+"/missing?limit=2&after="+page["next"].(string), "", 200, "")
	if len(page["people"].([]any)) != 2 || len(next["people"].([]any)) != 1 || next["next"] != nil {
		t.Errorf("missing: %v, then %v", page, next)
	}
	list := r.asks(t, "a system", "GET", "/register/editions?limit=1", "", 200, "")
	if e := list["editions"].([]any); len(e) != 1 || e[0].(map[string]any)["id"] != 2.0 || list["next"] != 2.0 {
		t.Errorf("listed: %v", list)
	}
	if e := r.asks(t, "a system", "GET", "/register/editions/2", "", 200, ""); e["decided_by"] == nil || e["kind"] != "full" {
		t.Errorf("found: %v", e)
	}
	r.asks(t, "nobody", "GET", "/register/editions", "", 401, "invalid_token")

	third := file(3, "delta", row(anna, dead), row(boris, dead))
	for _, by := range []string{"anna", "a system"} {
		answer, waits := r.bring(t, by, "", third)
		at := answer.Header().Get("Location") + "/withdraw"
		if answer.Code != 201 || waits["state"] != "waiting" {
			t.Fatalf("by %s: %d %v", by, answer.Code, waits)
		}
		r.asks(t, "boris", "POST", at, "", 403, "own_proposal")
		r.asks(t, "vera", "POST", at, "", 403, "wrong_role")
		for range 2 {
			if withdrawn := r.asks(t, by, "POST", at, "", 200, ""); withdrawn["state"] != "withdrawn" {
				t.Errorf("withdrawn by %s: %v", by, withdrawn)
			}
		}
	}
	r.asks(t, "a system", "GET", "/register/editions?limit=0", "", 400, "invalid_parameter")
	r.asks(t, "a system", "GET", "/register/editions/2/missing?after=x", "", 400, "invalid_parameter")
}

// What is wrong with a file is told by its code, and nothing of it is applied.
func TestAFileIsRefusedByTheAPI(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	good := file(5, "full", `1010130K001PB9,M,1930,BY,,,,,,,,,,`)
	if _, done := r.bring(t, "a system", "", good); done["state"] != "applied" {
		t.Fatal(done)
	}
	sign := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return base64.StdEncoding.EncodeToString(ed25519.Sign(private, sum[:]))
	}
	next := file(6, "delta", `1010130K001PB9,M,1931,BY,,,,,,,,,,`)
	// A trial tells as much of a bad file as an import; only that is on record.
	for _, query := range []string{"?dry_run=true", ""} {
		answer, problem := r.bring(t, "a system", query, file(6, "delta", `123`, `1010130K001PB9,X,1930,BY,,,,,,,,,,`))
		edition, _ := problem["edition"].(map[string]any)
		if answer.Code != 422 || edition["state"] != "refused" || edition["rejected"] != 2.0 || (problem["instance"] != nil) != (query == "") ||
			fmt.Sprint(problem["bad_rows"]) != "[map[line:7 reason:fields] map[column:sex line:8 reason:unknown]]" {
			t.Errorf("%q: %d %v", query, answer.Code, problem)
		}
	}
	before := r.Count(t, `person`)
	for code, refused := range map[string]struct {
		file   string
		status int
	}{
		"not_a_register_file": {"hello", 422},
		"damaged_file":        {strings.Replace(next, "rows 1", "rows 2", 1), 422},
		"not_utf8":            {"\xff\xfe#\x00", 422},
		"other_country":       {strings.Replace(next, "# country BY", "# country LT", 1), 422},
		"too_many_bad_rows":   {file(6, "delta", `123`, `123`), 422},
		"older_edition":       {file(4, "delta", `1010130K001PB9,M,1931,BY,,,,,,,,,,`), 409},
		"other_file":          {file(5, "delta", `1010130K001PB9,M,1931,BY,,,,,,,,,,`), 409},
		"wrong_month":         {strings.Replace(next, "2025-06", "2025-04", 1), 409},
		"early_edition":       {"# as_of 2099-01-01T00:00:00Z\n" + next, 409},
	} {
		answer, problem := r.bring(t, "a system", "", refused.file)
		if detail := map[string]any{
			"not_a_register_file": "not a register file: line 1: it ends before its columns are named",
			"damaged_file":        "the file has not the rows that it announces: it is damaged: line 8: 1 rows, and not 2",
			"not_utf8":            "the file is not in UTF-8: it looks like UTF-16",
			"early_edition":       "it is as of a time that has not come: 2099-01-01T00:00:00Z, and it is " + r.now.UTC().Format(time.RFC3339),
		}[code]; answer.Code != refused.status || problem["code"] != code || problem["detail"] != detail {
			t.Errorf("%s: got %d %v", code, answer.Code, problem)
		}
	}
	if answer, problem := r.bring(t, "a system", "", next, "Content-Type", "application/json"); answer.Code != 415 || problem["code"] != "not_csv" {
		t.Errorf("as JSON: %d %v", answer.Code, problem)
	}
	digest := func(file string) string {
		sum := sha256.Sum256([]byte(file))
		return "md5=:AAAA:, sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	}
	for _, wrong := range []string{digest(good), "sha-256=:%%:", "sha-256=::"} {
		if answer, problem := r.bring(t, "a system", "", next, "Content-Digest", wrong); answer.Code != 422 || problem["code"] != "wrong_digest" {
			t.Errorf("%s: got %d %v", wrong, answer.Code, problem)
		}
	}
	if answer, _ := r.bring(t, "a system", "?dry_run=true", next, "Content-Digest", digest(next)); answer.Code != 200 {
		t.Errorf("of the right digest: %d", answer.Code)
	}
	if r.register.Key, err = register.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})); err != nil {
		t.Fatal(err)
	}
	for code, signature := range map[string]string{"unsigned": "", "wrong_signature": sign(good), "wrong_signature ": "%%"} {
		answer, problem := r.bring(t, "a system", "", next, "Edition-Signature", signature)
		if answer.Code != 422 || problem["code"] != strings.TrimSpace(code) {
			t.Errorf("%s: got %d %v", code, answer.Code, problem)
		}
	}
	if after := r.Count(t, `person`); after != before {
		t.Error("something was applied")
	}
	if answer, done := r.bring(t, "a system", "", next, "Edition-Signature", sign(next)); answer.Code != 201 || done["signed"] != true {
		t.Errorf("signed: %d %v", answer.Code, done)
	}
}

// A body that ends too early is no file.
func TestAFileThatBreaksOffIsNotImported(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	good := file(1, "delta", `1010130K001PB9,M,1930,BY,,,,,,,,,,`)
	req := httptest.NewRequest(http.MethodPost, "/register/editions", nil)
	req.Body = brokenOff{bytes.NewReader([]byte(good))}
	req.Header.Set("Authorization", "a system")
	req.Header.Set("Content-Type", "text/csv")
	answer := httptest.NewRecorder()
	r.mux.ServeHTTP(answer, req)
	if answer.Code != 400 || r.Count(t, "edition") != 0 {
		t.Errorf("got %d %s", answer.Code, answer.Body)
	}
}

// brokenOff is a body whose connection breaks at its end.
type brokenOff struct{ *bytes.Reader }

func (b brokenOff) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err != nil {
		err = fmt.Errorf("the connection broke")
	}
	return n, err
}

func (brokenOff) Close() error { return nil }
