package demo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"asoba.example/cmd/internal/cabinet"
	"asoba.example/cmd/internal/demo/clients"
	"asoba.example/cmd/internal/demo/documents"
	"asoba.example/cmd/internal/eservice"
	"asoba.example/cmd/internal/idp"
	"asoba.example/cmd/internal/settings"
	"asoba.example/cmd/internal/stores"
)

// later stands for what is known only once something has been started: a database's address, a client's credentials.
const later = "later"

// A system is the settings of every program: what the environment says, over what the demo chooses.
type system struct {
	environ []string
	choices map[string]string

	demo     Config
	idp      idp.Config
	cabinet  cabinet.Config
	eservice eservice.Config
}

// newSystem takes the settings. What one program is told of another follows from that other's own settings, so that
// moving one moves what is said of it.
func newSystem(environ []string, dir string, relaxed bool) (*system, error) {
	s := &system{environ: environ, choices: map[string]string{}}
	if err := s.choose(map[string]string{
		"IDP_DATABASE_URL":             later,
		"IDP_REDIS_URL":                later,
		"IDP_MASTER_KEY_FILE":          filepath.Join(dir, "master.key"),
		"IDP_SMS_GATEWAY_URL":          later,
		"IDP_RELAXED":                  strconv.FormatBool(relaxed),
		"IDP_ALLOW_LOOPBACK_FETCH":     "true", // the e-services are on this machine
		"CABINET_ALLOW_LOOPBACK_FETCH": "true",
		"CABINET_DATABASE_URL":         later,
		"CABINET_REDIS_URL":            later,
		"CABINET_CLIENT_ID":            later,
		"CABINET_MASTER_KEY_FILE":      filepath.Join(dir, "cabinet-master.key"),
		"CABINET_CLIENT_KEY_FILE":      filepath.Join(dir, "cabinet.jwk"),
		"ESERVICE_CLIENT_ID":           later,
		"ESERVICE_CLIENT_SECRET":       later,
	}); err != nil {
		return nil, err
	}
	if err := s.choose(map[string]string{ // who speaks TLS is found by https
		"IDP_ISSUER":         reached(s.idp.Issuer, s.idp.TLSCertFile),
		"IDP_MANAGEMENT_URL": reached(s.idp.ManagementURL, s.idp.TLSCertFile),
		"CABINET_URL":        reached(s.cabinet.URL, s.cabinet.TLSCertFile),
	}); err != nil {
		return nil, err
	}
	at := s.addresses()
	papers, population := at.Workbench+"/documents", at.Workbench+"/population"
	if u, err := url.Parse(papers); err != nil || u.Scheme != "http" || !here(u) || !s.idp.AllowLoopbackFetch {
		papers, population = "", "" // elsewhere idp asks nobody by plain http
	}
	return s, s.choose(map[string]string{
		"CABINET_SOURCES":           s.holders(at.Workbench + "/holders"),
		"IDP_DOCUMENT_REGISTER_URL": papers,
		"IDP_REGISTER_URL":          population,
		"IDP_CABINET_URL":           at.Cabinet,
		"IDP_SMS_GATEWAY_URL":       at.Workbench + "/sms",
		"CABINET_ISSUER":            at.Issuer,
		"CABINET_MANAGEMENT_URL":    at.Management,
		"ESERVICE_ISSUER":           at.Issuer,
		"ESERVICE_CABINET_URL":      at.Cabinet,
	})
}

// reached is a URL by the scheme of who listens there, who may have a certificate.
func reached(url, certificate string) string {
	if certificate != "" {
		return strings.Replace(url, "http:", "https:", 1)
	}
	return url
}

// holders is the register of documents as the cabinet is told of it; "" where the cabinet asks nobody by plain http.
func (s *system) holders(at string) string {
	if u, err := url.Parse(at); err != nil || u.Scheme != "http" || !here(u) || !s.cabinet.AllowLoopbackFetch {
		return ""
	}
	return documents.Source(at)
}

// choose takes more choices of the demo and reads every program's settings anew. Every mistake is told at once.
func (s *system) choose(choices map[string]string) error {
	maps.Copy(s.choices, choices)
	environ := s.environment()
	var errs [4]error
	s.demo, errs[0] = settings.Read[Config](environ)
	s.idp, errs[1] = settings.Read[idp.Config](environ)
	s.cabinet, errs[2] = settings.Read[cabinet.Config](environ)
	s.eservice, errs[3] = settings.Read[eservice.Config](environ)
	return errors.Join(errs[:]...)
}

// environment is the environment over the demo's choices. A setting given as a file is given.
func (s *system) environment() []string {
	given := map[string]bool{}
	for _, setting := range s.environ {
		name, _, _ := strings.Cut(setting, "=")
		given[name], given[strings.TrimSuffix(name, "_FILE")] = true, true
	}
	laid := slices.Clone(s.environ)
	for name, value := range s.choices {
		if !given[name] {
			laid = append(laid, name+"="+value)
		}
	}
	return laid
}

// doors are what will be listened at.
func (s *system) doors() []door {
	return []door{
		{"IDP_LISTEN", s.idp.Listen},
		{"IDP_MANAGEMENT_LISTEN", s.idp.ManagementListen},
		{"CABINET_LISTEN", s.cabinet.Listen},
		{"ESERVICE_LISTEN", s.eservice.Listen},
		{"DEMO_LISTEN", s.demo.Listen},
	}
}

// misled tells every URL on this machine that leads to another port than where its program listens, or by another scheme than it
// speaks. What another machine's name leads to only those know who gave it.
func (s *system) misled() error {
	var wrong []error
	for _, at := range []struct{ setting, url, listens, address, certificate string }{
		{"IDP_ISSUER", s.idp.Issuer, "IDP_LISTEN", s.idp.Listen, s.idp.TLSCertFile},
		{"IDP_MANAGEMENT_URL", s.idp.ManagementURL, "IDP_MANAGEMENT_LISTEN", s.idp.ManagementListen, s.idp.TLSCertFile},
		{"CABINET_URL", s.cabinet.URL, "CABINET_LISTEN", s.cabinet.Listen, s.cabinet.TLSCertFile},
		{"ESERVICE_URL", s.eservice.URL, "ESERVICE_LISTEN", s.eservice.Listen, ""},
		{"DEMO_URL", s.demo.URL, "DEMO_LISTEN", s.demo.Listen, ""},
	} {
		u, err := url.Parse(at.url)
		_, port, errAddress := net.SplitHostPort(at.address)
		switch secure := u != nil && u.Scheme == "https"; {
		case err != nil || !here(u) || errAddress != nil:
		case port != "0" && u.Port() != port: // 0 is any port that is free
			wrong = append(wrong, fmt.Errorf("%s is %s, and %s is %s: nobody would be found there", at.setting, at.url, at.listens, at.address))
		case secure && at.certificate == "":
			wrong = append(wrong, fmt.Errorf("%s is %s, and no TLS is spoken there", at.setting, at.url))
		case !secure && at.certificate != "":
			wrong = append(wrong, fmt.Errorf("%s is %s, and nothing but TLS is spoken there", at.setting, at.url))
		}
	}
	return errors.Join(wrong...)
}

// here tells a URL of this machine, by its very name.
func here(u *url.URL) bool {
	return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
}

func (s *system) addresses() clients.Addresses {
	return clients.Addresses{
		Issuer: s.idp.Issuer, Management: s.idp.ManagementURL, Cabinet: s.cabinet.URL,
		EService: strings.TrimSuffix(s.eservice.URL, "/"), Workbench: strings.TrimSuffix(s.demo.URL, "/"),
	}
}

// answer asks the stores that the environment names; the others are the demo's own and not there yet.
func (s *system) answer(ctx context.Context) error {
	ask := func(store func(ctx context.Context, setting, url string) error, setting, url string) error {
		if url == later {
			return nil
		}
		return store(ctx, setting, url)
	}
	return errors.Join(
		ask(stores.PostgreSQL, "IDP_DATABASE_URL", s.idp.DatabaseURL),
		ask(stores.Redis, "IDP_REDIS_URL", s.idp.RedisURL),
		ask(stores.PostgreSQL, "CABINET_DATABASE_URL", s.cabinet.DatabaseURL),
		ask(stores.Redis, "CABINET_REDIS_URL", s.cabinet.RedisURL),
	)
}
