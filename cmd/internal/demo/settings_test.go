package demo

import (
	"net"
	"slices"
	"strings"
	"testing"

	"asoba.example/cmd/internal/demo/clients"
	"asoba.example/cmd/internal/demo/documents"
)

// Every setting of every program works here, and what one program is told of another follows it.
func TestSettingsOfTheProgramsWin(t *testing.T) {
	t.Parallel()
	a, err := newSystem([]string{
		"IDP_ISSUER=http://localhost:9080", "IDP_STOP_NOTICE=1m", "IDP_DATABASE_URL=postgres://mine",
		"CABINET_URL=http://localhost:9081", "DEMO_URL=http://localhost:9084",
	}, "/data", true)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.choose(map[string]string{"IDP_DATABASE_URL": "postgres://ours", "CABINET_DATABASE_URL": "postgres://ours"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []struct{ name, got, want string }{
		{"cabinet's issuer", a.cabinet.Issuer, "http://localhost:9080"},
		{"e-service's issuer", a.eservice.Issuer, "http://localhost:9080"},
		{"e-service's cabinet", a.eservice.CabinetURL, "http://localhost:9081"},
		{"idp's cabinet", a.idp.CabinetURL, "http://localhost:9081"},
		{"idp's gateway", a.idp.SMSGatewayURL, "http://localhost:9084/sms"},
		{"idp's register of documents", a.idp.DocumentRegisterURL, "http://localhost:9084/documents"},
		{"idp's register of population", a.idp.RegisterURL, "http://localhost:9084/population"},
		{"cabinet's sources", a.cabinet.Sources, documents.Source("http://localhost:9084/holders")},
		{"idp's notice", a.idp.StopNotice.String(), "1m0s"},
		{"idp's database", a.idp.DatabaseURL, "postgres://mine"},
		{"cabinet's database", a.cabinet.DatabaseURL, "postgres://ours"},
	} {
		if s.got != s.want {
			t.Errorf("%s: got %s, want %s", s.name, s.got, s.want)
		}
	}
	if !a.idp.Relaxed {
		t.Error("--relaxed was not passed on")
	}
	if _, err := newSystem([]string{"IDP_STOP_NOTICE=x", "CABINET_SESSION_TOTAL=y"}, "/data", false); err == nil ||
		!strings.Contains(err.Error(), "IDP_STOP_NOTICE") || !strings.Contains(err.Error(), "CABINET_SESSION_TOTAL") {
		t.Errorf("wrong settings: %v", err)
	}
}

// Every address in use is told at once, with the setting that moves it; nothing has been started by then.
func TestDoorsInUseAreTold(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	err = free([]door{{"A_LISTEN", taken}, {"B_LISTEN", "localhost:0"}, {"C_LISTEN", taken}})
	if err == nil || !strings.Contains(err.Error(), "A_LISTEN") || !strings.Contains(err.Error(), "C_LISTEN") || strings.Contains(err.Error(), "B_LISTEN") {
		t.Errorf("got %v", err)
	}
}

// Stores that the environment names and that do not answer are told all at once; what the demo brings itself is not asked.
func TestStoresThatDoNotAnswerAreTold(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := l.Addr().String()
	l.Close()
	for _, named := range [][]string{nil, {"IDP_DATABASE_URL", "CABINET_REDIS_URL"}, {"IDP_REDIS_URL", "CABINET_DATABASE_URL"}} {
		environ := []string{}
		for _, setting := range named {
			scheme := "redis"
			if strings.HasSuffix(setting, "DATABASE_URL") {
				scheme = "postgres"
			}
			environ = append(environ, setting+"="+scheme+"://"+nobody)
		}
		s, err := newSystem(environ, "/data", false)
		if err != nil {
			t.Fatal(err)
		}
		told := ""
		if err := s.answer(t.Context()); err != nil {
			told = err.Error()
		}
		for _, setting := range []string{"IDP_DATABASE_URL", "IDP_REDIS_URL", "CABINET_DATABASE_URL", "CABINET_REDIS_URL"} {
			if got, want := strings.Contains(told, setting+": "), slices.Contains(named, setting); got != want {
				t.Errorf("%v: %s told: %t, want %t", named, setting, got, want)
			}
		}
	}
}

// Credentials that were told once are there in the next run.
func TestCredentialsAreKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := openKeep(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.put(clients.Credentials{Key: clients.Desk, ClientID: "d", ClientSecret: "s"}); err != nil {
		t.Fatal(err)
	}
	if err := first.prepare(); err != nil {
		t.Fatal(err)
	}
	second, err := openKeep(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := second.client(clients.Desk); got.ClientID != "d" || got.ClientSecret != "s" || !second.prepared() {
		t.Errorf("kept: %+v, prepared: %t", got, second.prepared())
	}
}

// Where a program is given a certificate it is found by https, if nothing else is said, and so are others told.
func TestWhoSpeaksTLSIsFoundByHTTPS(t *testing.T) {
	t.Parallel()
	s, err := newSystem([]string{
		"IDP_TLS_CERT_FILE=cert.pem", "IDP_TLS_KEY_FILE=key.pem", "CABINET_TLS_CERT_FILE=cert.pem", "CABINET_TLS_KEY_FILE=key.pem",
	}, "/data", false)
	if err != nil {
		t.Fatal(err)
	}
	want := clients.Addresses{
		Issuer: "https://localhost:8080", Management: "https://localhost:8082", Cabinet: "https://localhost:8081",
		EService: "http://localhost:8083", Workbench: "http://localhost:8084",
	}
	if got := s.addresses(); got != want || s.misled() != nil {
		t.Errorf("got %+v, %v", got, s.misled())
	}
	if s.cabinet.ManagementURL != want.Management || s.eservice.CabinetURL != want.Cabinet {
		t.Errorf("the cabinet is told of %s, the e-service of %s", s.cabinet.ManagementURL, s.eservice.CabinetURL)
	}
}

// A URL that leads nowhere is told by its setting, before anything is started; a name of another machine is believed.
func TestAURLThatLeadsNowhereIsTold(t *testing.T) {
	t.Parallel()
	s, err := newSystem([]string{
		"IDP_ISSUER=http://localhost:9080", "IDP_TLS_CERT_FILE=cert.pem", "IDP_MANAGEMENT_URL=http://localhost:8082", "CABINET_URL=https://cabinet.example",
		"ESERVICE_URL=https://localhost:8083", "DEMO_LISTEN=127.0.0.1:9084",
	}, t.TempDir(), false)
	if err != nil {
		t.Fatal(err)
	}
	const want = `IDP_ISSUER is http://localhost:9080, and IDP_LISTEN is localhost:8080: nobody would be found there
IDP_MANAGEMENT_URL is http://localhost:8082, and nothing but TLS is spoken there
ESERVICE_URL is https://localhost:8083, and no TLS is spoken there
DEMO_URL is http://localhost:8084, and DEMO_LISTEN is 127.0.0.1:9084: nobody would be found there`
	if err := s.misled(); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
