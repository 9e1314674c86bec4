//go:build kannel

package sms_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
	"asoba.example/login/policy"
	"asoba.example/login/sms"
	"asoba.example/login/throttle"
	"asoba.example/migrations/leash"
)

// kannelConf is a Kannel as an operator would set it up: what it has taken lies on disk, receipts to come lie in a Redis, and no
// log tells a text.
const kannelConf = `
group = core
admin-port = %[1]d
admin-password = admin
admin-interface = 127.0.0.1
smsbox-port = %[2]d
box-allow-ip = 127.0.0.1
store-type = spool
store-location = %[6]s
dlr-storage = redis
log-level = 2

group = redis-connection
id = dlr
host = 127.0.0.1
port = %[5]d
max-connections = 1

group = dlr-db
id = dlr
table = dlr
field-smsc = smsc
field-timestamp = ts
field-destination = destination
field-source = source
field-service = service
field-url = url
field-mask = mask
field-status = status
field-boxc-id = boxc

group = smsc
smsc = smpp
smsc-id = network
host = 127.0.0.1
port = %[4]d
smsc-username = idp
smsc-password = secret
system-type = ""
transceiver-mode = true
reconnect-delay = 1
throughput = 10
max-pending-submits = 1

group = smsbox
smsbox-id = idp
bearerbox-host = 127.0.0.1
sendsms-port = %[3]d
sendsms-interface = 127.0.0.1
http-request-retry = 10
http-queue-delay = 1
log-level = 2

group = sendsms-user
username = idp
password = hush
default-sender = idp
`

// An operator is a Kannel and the phone network behind it, as programs that can be killed.
type operator struct {
	dir      string
	ports    [5]int // of admin, bearerbox, sendsms, the network and Redis
	commands map[string][]string
	running  map[string]*leash.Process
}

func newOperator(t *testing.T) *operator {
	t.Helper()
	o := &operator{dir: t.TempDir(), running: map[string]*leash.Process{}}
	for i := range o.ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		o.ports[i] = listener.Addr().(*net.TCPAddr).Port
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	redis, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal(err)
	}
	network, err := filepath.Abs("../../.ci/kannel/network.mjs")
	if err != nil {
		t.Fatal(err)
	}
	spool, conf := filepath.Join(o.dir, "spool"), filepath.Join(o.dir, "kannel.conf")
	if err := os.Mkdir(spool, 0o700); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(kannelConf, o.ports[0], o.ports[1], o.ports[2], o.ports[3], o.ports[4], spool)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	o.commands = map[string][]string{
		"redis":     {redis, "--port", fmt.Sprint(o.ports[4]), "--bind", "127.0.0.1", "--save", "", "--dir", o.dir},
		"network":   {node, network, fmt.Sprint(o.ports[3]), o.journal()},
		"bearerbox": {"/usr/sbin/bearerbox", conf},
		"smsbox":    {"/usr/sbin/smsbox", conf},
	}
	t.Cleanup(func() {
		for name := range o.running {
			o.kill(t, name)
		}
	})
	return o
}

func (o *operator) journal() string { return filepath.Join(o.dir, "journal") }

// tend starts what does not run, as a machine's supervisor does.
func (o *operator) tend(t *testing.T) {
	t.Helper()
	for name, args := range o.commands {
		if p := o.running[name]; p != nil && !p.Ended() {
			continue
		}
		dir, err := os.MkdirTemp("", "kannel-")
		if err != nil {
			t.Fatal(err)
		}
		log, err := os.OpenFile(filepath.Join(o.dir, name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		o.running[name], err = leash.Start(leash.Command{Args: args, Dir: dir, Stop: "KILL", Log: log})
		if err := errors.Join(err, log.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// kill kills a program with SIGKILL.
func (o *operator) kill(t *testing.T, name string) {
	t.Helper()
	if err := o.running[name].Stop(); err != nil {
		t.Error(err)
	}
}

// hold has the network take nothing until release.
func (o *operator) hold(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(o.journal()+".hold", nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (o *operator) release(t *testing.T) {
	t.Helper()
	if err := os.Remove(o.journal() + ".hold"); err != nil {
		t.Fatal(err)
	}
}

// An arrival is a message that has reached the phone network.
type arrival struct {
	To, Text      string
	Coding, Parts int
}

func (o *operator) arrivals(t *testing.T) (all []arrival) {
	t.Helper()
	journal, err := os.ReadFile(o.journal())
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for line := range bytes.Lines(journal) {
		var a arrival
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatal(err)
		}
		if a.Text != "" {
			all = append(all, a)
		}
	}
	return all
}

// Each program on the way is killed while messages are under way, and comes back. Every message reaches the phone network,
// once, as one segment, and its receipt comes home. The network holds its breath meanwhile, for what is on a wire behind
// smsbox has no ids: neither SMPP nor Kannel can tell whether it was taken.
func TestAKannelLosesAndDoublesNothing(t *testing.T) {
	w := &world{World: identitytest.New(t)}
	w.person, _ = w.Person(t)
	w.Exec(t, `UPDATE river_job SET state = 'cancelled', finalized_at = now() WHERE state = 'available'`)
	w.Exec(t, `DELETE FROM sms_message`)

	receipts := &sms.Receipts{Pool: w.Pool, Box: w.Box, Now: time.Now}
	mux := http.NewServeMux()
	receipts.Mount(mux)
	door := httptest.NewServer(mux)
	t.Cleanup(door.Close)
	receipts.URL = door.URL

	o := newOperator(t)
	gateway, err := sms.NewGateway(fmt.Sprintf("kannel+http://idp:hush@127.0.0.1:%d/cgi-bin/sendsms", o.ports[2]), receipts)
	if err != nil {
		t.Fatal(err)
	}
	sender, err := sms.NewSender(sms.SenderConfig{
		Pool: w.Pool, Box: w.Box, First: gateway, Metrics: prometheus.NewRegistry(), Now: time.Now,
		Throttle: &throttle.Throttle{Relaxed: true}, InAll: policy.MessagesInAll.From(nil),
	})
	if err != nil {
		t.Fatal(err)
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, sender)
	jobs, err := river.NewClient(riverpgxv5.New(w.Pool), &river.Config{
		Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 4}}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Outbox.Jobs = jobs
	if err := jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { <-jobs.Stopped() })

	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	await := func(what string, done func() bool) {
		t.Helper()
		for patience := time.After(3 * time.Minute); !done(); {
			o.tend(t)
			select {
			case <-tick.C:
			case <-patience:
				t.Fatalf("no %s; the messages are %v", what, w.states(t))
			}
		}
	}
	sent := map[string]bool{}
	put := func() {
		t.Helper()
		for range 10 {
			text := fmt.Sprintf("Код %06d. Нікому яго не кажыце, нават супрацоўніку. Ён на 5 хвілін", len(sent))
			sent[text] = true
			err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) error {
				return w.Outbox.Put(t.Context(), tx, identity.Message{
					Person: w.person, Phone: w.Phone(t, 1), Kind: identity.CodeMessage, Text: text,
					At: time.Now(), Till: time.Now().Add(5 * time.Minute),
				})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}

	for _, victim := range []string{"network", "bearerbox", "smsbox"} {
		before := len(o.arrivals(t))
		put()
		await("message on its way", func() bool { return len(o.arrivals(t)) >= before+3 })
		o.hold(t)
		await("receipt of all that arrived", func() bool { return w.states(t)[sms.Delivered] == len(o.arrivals(t)) })
		put()
		o.kill(t, victim)
		t.Logf("killed %s at %d of %d messages: %v", victim, len(o.arrivals(t)), len(sent), w.states(t))
		put()
		lain := w.states(t)[sms.Queued]
		await("gateway that takes again", func() bool { return lain == 0 || w.states(t)[sms.Queued] < lain })
		o.release(t)
	}
	o.kill(t, "smsbox")
	put() // while nobody takes them
	await("end", func() bool { return w.states(t)[sms.Delivered] == len(sent) })

	seen := map[string]int{}
	for _, a := range o.arrivals(t) {
		seen[a.Text]++
		if !sent[a.Text] || a.Coding != 8 || a.Parts != 1 || a.To != strings.TrimPrefix(w.Phone(t, 1).Reveal(), "+") {
			t.Errorf("%+v arrived", a)
		}
	}
	for text := range sent {
		if seen[text] != 1 {
			t.Errorf("%q arrived %d times", text, seen[text])
		}
	}
	if n := w.Count(t, `sms_message WHERE text IS NOT NULL OR phone IS NOT NULL`); n != 0 {
		t.Errorf("%d messages are not wiped", n)
	}
}

// states counts messages by their state.
func (w *world) states(t *testing.T) map[sms.State]int {
	t.Helper()
	counted := map[sms.State]int{}
	for _, s := range []sms.State{sms.Queued, sms.Sent, sms.Delivered, sms.Failed} {
		counted[s] = w.Count(t, `sms_message WHERE state = $1`, s)
	}
	return counted
}
