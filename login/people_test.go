package login_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"asoba.example/login"
	"asoba.example/login/identity"
	"asoba.example/login/register"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/api"
	"asoba.example/provider/manage"
)

// A consumer of the feed reads an edition's people page by page, and sees each fact that holds.
func TestPeopleOfAnEditionAreReadByPages(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 3, 12, 0, 0, 0, time.UTC)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := &register.Register{Pool: pgtest.New(t)}
	const file = `# country BY
# edition 1
# period 2026-11
# rows 3
identification_number,sex,birth_date,citizenship,death_date,death_act,declared_dead_date,declared_dead_act,missing_date,missing_act,incapable_date,incapable_act,limited_date,limited_act
1010130K001PB9,M,1930-01-01,BY,,,,,,,,,,
2290296M000BA3,F,1996-02,UA,2026-10-30,record,,,,,,,,
6290296C042BI1,F,1996,stateless,,,,,,,2020-02-28,,,
`
	edition, err := r.Import(t.Context(), register.Order{File: strings.NewReader(file), At: now, Progress: func(int64, int64) {}})
	if err != nil || len(edition.Bad) > 0 {
		t.Fatal(err, edition.Bad)
	}
	mux := http.NewServeMux()
	document, err := api.ReadDocument(manage.Document)
	if err != nil {
		t.Fatal(err)
	}
	login.People{Register: r, States: func(_ context.Context, people []uuid.UUID) (map[uuid.UUID]identity.State, error) {
		return map[uuid.UUID]identity.State{people[0]: identity.Active}, nil
	}, Tokens: api.Verifier{
		Keys: publicKey(key.PublicKey), Issuer: "https://idp.example", Audience: "https://management.example",
		Now: func() time.Time { return now },
	}}.Mount(document.Hold(mux))
	ask := func(scope, path string, accept ...string) (int, string) {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithType("at+jwt"))
		if err != nil {
			t.Fatal(err)
		}
		token, err := jwt.Signed(signer).Claims(map[string]any{
			"iss": "https://idp.example", "aud": "https://management.example", "sub": "cabinet", "client_id": "cabinet",
			"jti": "1", "iat": now.Unix(), "exp": now.Unix() + 300, "scope": scope,
		}).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		w, req := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header["Accept"] = accept
		mux.ServeHTTP(w, req)
		return w.Code, w.Body.String()
	}
	get := func(scope, query string) (int, string) { return ask(scope, "/register/editions/1/people"+query) }

	var people []map[string]any
	for query, pages := "?limit=2", 1; query != ""; pages++ {
		status, body := get("changes:read", query)
		var page struct {
			People []map[string]any
			Next   *string
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || status != http.StatusOK || pages > 2 {
			t.Fatalf("page %d: %d %s", pages, status, body)
		}
		people = append(people, page.People...)
		if query = ""; page.Next != nil {
			query = "?limit=2&after=" + *page.Next
		}
	}
	for _, p := range people {
		delete(p, "id")
	}
	got, err := json.Marshal(people)
	if err != nil {
		t.Fatal(err)
	}
	const want = `[` +
		`{"birth_date":"1930-01-01","citizenship":"BY","identification_number":"1010130K001PB9","sex":"M"},` +
		`{"birth_date":"1996-02","citizenship":"UA","death":{"act":"record","date":"2026-10-30"},"identification_number":"2290296M000BA3","sex":"F"},` +
		`{"birth_date":"1996","citizenship":"stateless","identification_number":"6290296C042BI1","incapable":{"date":"2020-02-28"},"sex":"F"}]`
	if string(got) != want || edition.ID != 1 {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, body := get("changes:read", "?limit=3"); strings.Contains(body, `"next"`) {
		t.Errorf("after the last page, which is full: %s", body)
	}
	for query, want := range map[string]int{"?after=x": 400, "?limit=0": 400, "?limit=10001": 400} {
		if status, body := get("changes:read", query); status != want {
			t.Errorf("%s: got %d %s", query, status, body)
		}
	}
	if status, body := ask("changes:read", "/register/people?limit=1"); status != 200 || !strings.Contains(body, `"identifier":"active"`) || !strings.Contains(body, `"next"`) {
		t.Errorf("everybody: got %d %s", status, body)
	}
	if status, _ := ask("clients:manage", "/register/people"); status != http.StatusForbidden {
		t.Errorf("everybody without the scope: got %d", status)
	}
	if status, _ := get("clients:manage", ""); status != http.StatusForbidden {
		t.Errorf("without the scope: got %d", status)
	}

	const path = "/register/editions/1/people"
	status, all := ask("changes:read", path, "text/csv")
	rows, err := csv.NewReader(strings.NewReader(all)).ReadAll()
	if err != nil || status != http.StatusOK || len(rows) != 1+len(people) {
		t.Fatalf("all as CSV: %d, %v\n%s", status, err, all)
	}
	for _, row := range rows[1:] {
		told := map[string]string{}
		for i, name := range rows[0] {
			told[name] = row[i]
		}
		i := slices.IndexFunc(people, func(p map[string]any) bool { return p["identification_number"] == told["identification_number"] })
		if i < 0 || uuid.Validate(told["id"]) != nil || (told["death_date"] != "") != (people[i]["death"] != nil) {
			t.Errorf("as CSV: %v, by pages: %v", told, people)
		}
	}
	var inOrder []string
	for after := ""; ; {
		status, page := ask("changes:read", path+"?limit=2"+after, "text/csv")
		rows, err := csv.NewReader(strings.NewReader(page)).ReadAll()
		if err != nil || status != http.StatusOK || len(rows) > 1+2 {
			t.Fatalf("a page as CSV: %d, %v\n%s", status, err, page)
		}
		for _, row := range rows[1:] {
			inOrder = append(inOrder, row[0])
		}
		if len(rows) < 1+2 {
			break
		}
		after = "&after=" + rows[2][0]
	}
	if len(inOrder) != len(people) || !slices.IsSorted(inOrder) {
		t.Errorf("pages as CSV: %v", inOrder)
	}
	if status, body := ask("changes:read", path+"?after=x", "text/csv"); status != http.StatusBadRequest {
		t.Errorf("as CSV after nobody: got %d %s", status, body)
	}
	if status, body := ask("clients:manage", path, "text/csv"); status != http.StatusForbidden || strings.Contains(body, "1010130K001PB9") {
		t.Errorf("as CSV without the scope: got %d", status)
	}

	next := strings.NewReplacer("# edition 1", "# edition 2", "# rows 3", "# rows 1", "F,1996,stateless", "F,1996,PL").Replace(file)
	first, second := strings.Index(next, "1010130K001PB9"), strings.Index(next, "6290296C042BI1")
	next = next[:first] + next[second:]
	if _, err := r.Import(t.Context(), register.Order{File: strings.NewReader(next), At: now, Progress: func(int64, int64) {}}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/register/editions/2/people", "/register/people"} {
		const was = `"former_citizenships":[{"citizenship":"stateless","till":"2026-11-03T12:00:00Z"}]`
		if status, body := ask("changes:read", path); status != http.StatusOK || strings.Count(body, "former_citizenships") != 1 || !strings.Contains(body, was) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

type publicKey ecdsa.PublicKey

func (k publicKey) Key(context.Context, string) (jose.JSONWebKey, error) {
	key := ecdsa.PublicKey(k)
	return jose.JSONWebKey{Key: &key, Algorithm: string(jose.ES256)}, nil
}
