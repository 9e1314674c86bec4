package workbench_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/clients"
	"asoba.example/cmd/internal/demo/phone"
	"asoba.example/cmd/internal/demo/standing"
	"asoba.example/cmd/internal/demo/workbench"
	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
)

// bench is a workbench before anything has happened, with one message on the first person's phone.
func bench(t *testing.T) http.Handler {
	t.Helper()
	phones, err := phone.Open("", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	message := `{"id":"1","kind":"temporary_password","to":"` + cast.All()[0].Phone + `","text":"<b>K7QWE-9PDXM</b>"}`
	phones.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sms", strings.NewReader(message)))
	numbers := []string{}
	for _, p := range cast.All() {
		numbers = append(numbers, p.IdentificationNumber)
	}
	at := clients.Addresses{
		Issuer: "http://localhost:8080", Management: "http://localhost:8082", Cabinet: "http://localhost:8081",
		EService: "http://localhost:8083", Workbench: "http://localhost:8084",
	}
	site := pagetest.Site(t, workbench.Room())
	mux := http.NewServeMux()
	workbench.New(workbench.Config{
		Site: site, Phones: phones, Standings: standing.New(numbers, slog.New(slog.DiscardHandler)),
		Clients: func() []clients.Credentials {
			return []clients.Credentials{clients.With(clients.Operator, "o", "s", nil, clients.OperatorMetadata(at))}
		},
		Prepared: func() bool { return false }, Addresses: at, Relaxed: true, Done: t.Context().Done(),
	}).Mount(mux)
	return mux
}

func get(t *testing.T, h http.Handler, address, language string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	r.Header.Set("Accept-Language", language)
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s in %s answered %d: %s", address, language, w.Code, w.Body)
	}
	return w
}

// The page is sound in every language, and what phones received is text.
func TestThePageIsSound(t *testing.T) {
	t.Parallel()
	h := bench(t)
	for _, language := range page.Languages {
		body := get(t, h, "/", language).Body
		if strings.Contains(body.String(), "<b>") {
			t.Errorf("in %s a message became markup", language)
		}
		pagetest.Sound(t, body.Bytes())
	}
}

// Testers' tools read these members by these names.
func TestTheJSONIsAsAgreed(t *testing.T) {
	t.Parallel()
	h := bench(t)
	for _, test := range []struct {
		address string
		members []string
	}{
		{"/api/citizens", []string{"about", "document", "identifier", "phone", "state"}},
		{"/api/specimens", []string{"about", "document", "identifier", "phone", "state"}},
		{"/api/sms?phone=+375294000001", []string{"at", "kind", "text", "to"}},
		{"/api/sms?phone=%2B375294000001", []string{"at", "kind", "text", "to"}},
		{"/api/clients", []string{"about", "client_id", "client_secret", "redirect_uris", "resource", "scope", "token_endpoint_auth_method"}},
	} {
		var all []map[string]any
		if err := json.Unmarshal(get(t, h, test.address, "ru").Body.Bytes(), &all); err != nil || len(all) == 0 {
			t.Fatalf("%s: %d members, %v", test.address, len(all), err)
		}
		var got []string
		for name := range all[0] {
			got = append(got, name)
		}
		slices.Sort(got)
		if !slices.Equal(got, test.members) {
			t.Errorf("%s has members %v, want %v", test.address, got, test.members)
		}
	}
	if got := get(t, h, "/api/sms?phone=nobody", "ru").Body.String(); strings.TrimSpace(got) != "[]" {
		t.Errorf("an unknown phone has %s", got)
	}
}
