package cmd_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"asoba.example/cmd/internal/demo/walk"
)

// BenchmarkSingleSignOn walks single sign-on over HTTP against the built program:
// authorize with a live session, code, token, userinfo. Beside the time of a walk
// it prints what a walk costs: CPU of the server and of PostgreSQL, and round trips.
//
//	go test -run NONE -bench SingleSignOn ./cmd
func BenchmarkSingleSignOn(b *testing.B) {
	c := newCountry(b)
	c.errand("idp", "migrate")
	c.errand("idp", "register", "import", c.file("edition.csv", edition))
	eservice := c.register(c.eserviceMetadata())
	c.env = append(c.env, "ESERVICE_CLIENT_ID="+eservice.ID, "ESERVICE_CLIENT_SECRET="+eservice.Secret)
	idp := c.serve("idp", c.issuer)
	c.serve("eservice", c.eservice)
	desk := c.desk()
	temporary := desk.issue(citizenNumber, citizenPhone)

	rp := oauth2.Config{
		ClientID: eservice.ID, ClientSecret: eservice.Secret, RedirectURL: c.eservice + "/callback",
		Endpoint: oauth2.Endpoint{AuthURL: c.issuer + "/authorize", TokenURL: c.issuer + "/token", AuthStyle: oauth2.AuthStyleInHeader},
		Scopes:   []string{"openid", "profile"},
	}
	person := c.signIn(citizenNumber, temporary, c.eservice+"/sign-in", c.issuer+"/consent")
	if err := person.Decide(b.Context(), "allow", walk.Wallet{}); err != nil {
		b.Fatal(err)
	}
	client := &http.Client{
		Jar:           person.Cookies(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}

	before := c.costs(idp)
	for b.Loop() {
		verifier := oauth2.GenerateVerifier()
		res, err := client.Get(rp.AuthCodeURL("state-of-the-benchmark", oauth2.S256ChallengeOption(verifier)))
		if err != nil {
			b.Fatal(err)
		}
		res.Body.Close()
		to, err := url.Parse(res.Header.Get("Location"))
		if err != nil || to.Query().Get("code") == "" {
			b.Fatalf("authorize answers %s %s: %v", res.Status, to, err)
		}
		token, err := rp.Exchange(b.Context(), to.Query().Get("code"), oauth2.VerifierOption(verifier))
		if err != nil {
			b.Fatal(err)
		}
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, c.issuer+"/userinfo", nil)
		if err != nil {
			b.Fatal(err)
		}
		token.SetAuthHeader(req)
		var claims map[string]any
		if status := exchange(b, req, &claims); status != http.StatusOK || claims["sub"] != citizenNumber {
			b.Fatalf("userinfo answers %d %v", status, claims)
		}
	}
	spent := c.costs(idp).minus(before)
	n := float64(b.N)
	b.ReportMetric(n/b.Elapsed().Seconds(), "walks/s")
	b.ReportMetric(spent.server/n*1000, "server-CPU-ms/walk")
	b.ReportMetric(spent.postgresql/n*1000, "PostgreSQL-CPU-ms/walk")
	b.ReportMetric(spent.toPostgreSQL/n, "PostgreSQL-trips/walk")
	b.ReportMetric(spent.toRedis/n, "Redis-trips/walk")
}

// costs are what was spent since the programs began: seconds of CPU, and round trips.
type costs struct{ server, postgresql, toPostgreSQL, toRedis float64 }

func (c costs) minus(o costs) costs {
	return costs{c.server - o.server, c.postgresql - o.postgresql, c.toPostgreSQL - o.toPostgreSQL, c.toRedis - o.toRedis}
}

func (c *country) costs(idp *program) costs {
	c.t.Helper()
	var sum costs
	processes, err := os.ReadDir("/proc")
	if err != nil {
		c.t.Fatal(err)
	}
	for _, p := range processes {
		pid, err := strconv.Atoi(p.Name())
		if err != nil {
			continue
		}
		name, seconds := cpu(pid)
		switch {
		case pid == idp.cmd.Process.Pid:
			sum.server = seconds
		case name == "postgres" && ours(pid):
			sum.postgresql += seconds
		}
	}
	res, err := http.Get(c.management + "/metrics")
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		for prefix, to := range map[string]*float64{
			`idp_round_trips_total{store="postgresql"} `: &sum.toPostgreSQL,
			`idp_round_trips_total{store="redis"} `:      &sum.toRedis,
		} {
			if value, ok := strings.CutPrefix(lines.Text(), prefix); ok {
				if *to, err = strconv.ParseFloat(value, 64); err != nil {
					c.t.Fatal(err)
				}
			}
		}
	}
	return sum
}

// ours tells a process that was begun here: others on the machine may run a PostgreSQL too.
func ours(pid int) bool {
	for pid > 1 && pid != os.Getpid() {
		_, fields := stat(pid)
		if len(fields) == 0 {
			return false
		}
		pid, _ = strconv.Atoi(fields[1]) // its parent
	}
	return pid == os.Getpid()
}

// cpu is a process's name, and the seconds of CPU that it and its ended children used.
func cpu(pid int) (name string, seconds float64) {
	name, fields := stat(pid)
	const utime, cstime, ticks = 11, 14, 100
	for i := utime; i <= cstime && i < len(fields); i++ {
		n, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return "", 0
		}
		seconds += n / ticks
	}
	return name, seconds
}

// stat is a process's name, and its fields from the state on (proc(5)); none if it ended meanwhile.
func stat(pid int) (name string, fields []string) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	open, shut := strings.IndexByte(string(text), '('), strings.LastIndexByte(string(text), ')')
	if err != nil || open < 0 || shut < open {
		return "", nil
	}
	return string(text[open+1 : shut]), strings.Fields(string(text[shut+1:]))
}
