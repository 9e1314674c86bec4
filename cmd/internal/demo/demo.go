package demo

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/cmd/internal/cabinet"
	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/clients"
	"asoba.example/cmd/internal/demo/deskpage"
	"asoba.example/cmd/internal/demo/documents"
	"asoba.example/cmd/internal/demo/management"
	"asoba.example/cmd/internal/demo/phone"
	"asoba.example/cmd/internal/demo/population"
	"asoba.example/cmd/internal/demo/standing"
	"asoba.example/cmd/internal/demo/workbench"
	"asoba.example/cmd/internal/eservice"
	"asoba.example/cmd/internal/idp"
	"asoba.example/cmd/internal/run"
	"asoba.example/migrations/localpg"
	"asoba.example/provider/api"
	"asoba.example/provider/page"
)

// Options are what the command line says.
type Options struct {
	Data    string // where everything is kept between runs; "" throws it away
	Env     string // the file that gets the settings of idp and cabinet; "" is none
	Relaxed bool
	Environ []string
	Out     io.Writer // what the person who started it reads
}

// A demo is a running one.
type demo struct {
	*system
	Options
	dir      string
	log      *slog.Logger
	say      *teller
	keep     *keep
	phones   *phone.Network
	follower *standing.Follower
	bench    *workbench.Workbench
	ready    atomic.Bool // everybody stands as their line says

	mu      sync.Mutex                   // keeps callers
	callers map[string]management.Caller // by the client's key
}

// Run runs the demo until ctx ends. What is wrong with the settings, the ports or the disk is told before anything
// is started.
func Run(ctx context.Context, o Options) (err error) {
	d := &demo{Options: o, say: newTeller(o.Out), callers: map[string]management.Caller{}}
	defer d.say.end()
	d.dir, err = directory(o.Data)
	if o.Data == "" {
		defer func() { err = errors.Join(err, os.RemoveAll(d.dir)) }()
	}
	if err != nil {
		return err
	}
	if d.system, err = newSystem(o.Environ, d.dir, o.Relaxed); err != nil {
		return err
	}
	if err := errors.Join(d.misled(), free(d.doors()), d.answer(ctx)); err != nil {
		return err
	}
	logs, err := os.OpenFile(filepath.Join(d.dir, "log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer logs.Close()
	d.log = slog.New(slog.NewJSONHandler(logs, nil))
	if d.keep, err = openKeep(d.dir); err != nil {
		return err
	}
	if d.phones, err = phone.Open(filepath.Join(d.dir, "sms"), time.Now); err != nil {
		return err
	}
	defer d.phones.Close()

	if o.Env != "" {
		defer os.Remove(o.Env)
	}
	d.say.step("databases")
	server, err := localpg.Start(ctx, localpg.Config{Dir: d.data(), Fast: o.Data == "", Say: d.say.line})
	if err != nil {
		return ended(ctx, err)
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	return ended(ctx, d.rise(ctx, server))
}

// rise makes what the programs stand on, and serves.
func (d *demo) rise(ctx context.Context, server *localpg.Server) error {
	stop, err := d.stores(ctx, server)
	if err != nil {
		return err
	}
	defer stop()
	if err := d.found(ctx); err != nil {
		return err
	}
	return d.serve(ctx, server)
}

// data is where PostgreSQL keeps its own; "" throws it away.
func (d *demo) data() string {
	if d.Data == "" {
		return ""
	}
	return d.dir
}

// stores gives idp and the cabinet a database and a Redis each, and migrates.
func (d *demo) stores(ctx context.Context, server *localpg.Server) (stop func(), err error) {
	idpRedis, err := startRedis()
	if err != nil {
		return nil, err
	}
	cabinetRedis, err := startRedis()
	if err != nil {
		idpRedis.Close()
		return nil, err
	}
	stop = func() { idpRedis.Close(); cabinetRedis.Close() }
	if err := d.databases(ctx, server, idpRedis.Addr(), cabinetRedis.Addr()); err != nil {
		stop()
		return nil, err
	}
	return stop, nil
}

func (d *demo) databases(ctx context.Context, server *localpg.Server, idpRedis, cabinetRedis string) error {
	ofIDP, err := server.Create(ctx, "idp")
	if err != nil {
		return err
	}
	ofCabinet, err := server.Create(ctx, "cabinet")
	if err != nil {
		return err
	}
	if err := d.choose(map[string]string{
		"IDP_DATABASE_URL": ofIDP, "IDP_REDIS_URL": "redis://" + idpRedis,
		"CABINET_DATABASE_URL": ofCabinet, "CABINET_REDIS_URL": "redis://" + cabinetRedis,
	}); err != nil {
		return err
	}
	if d.idp.DatabaseURL == ofIDP {
		if err := d.choose(map[string]string{"IDP_DATABASE_OWNER_URL": server.OwnerURL("idp")}); err != nil {
			return err
		}
	}
	if d.cabinet.DatabaseURL == ofCabinet {
		if err := d.choose(map[string]string{"CABINET_DATABASE_OWNER_URL": server.OwnerURL("cabinet")}); err != nil {
			return err
		}
	}
	if _, err := d.errand(ctx, "", "migrate"); err != nil {
		return err
	}
	if err := cabinet.Run(ctx, d.environment(), io.Discard, "migrate"); err != nil {
		return err
	}
	if d.cabinet.Sources != "" {
		if err := cabinet.Run(ctx, d.environment(), io.Discard, "source", "put", "--by", "demo"); err != nil {
			return err
		}
	}
	return d.catalogue(ctx)
}

// catalogue brings the sample of the catalogue into the cabinet, where it has none yet.
func (d *demo) catalogue(ctx context.Context) error {
	file, err := os.CreateTemp(d.dir, "catalogue-*.yaml")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if err := errors.Join(cabinet.Run(ctx, nil, file, "catalogue", "sample"), file.Close()); err != nil {
		return err
	}
	return cabinet.Run(ctx, d.environment(), io.Discard, "catalogue", "import", "--first", "--by", "demo", file.Name())
}

// serve runs every part until ctx ends or one fails.
func (d *demo) serve(ctx context.Context, server *localpg.Server) error {
	numbers := []string{}
	for _, p := range cast.All() {
		numbers = append(numbers, p.IdentificationNumber)
	}
	d.follower = standing.New(numbers, d.log)
	bench, err := d.workbench(ctx)
	if err != nil {
		return err
	}
	registered := make(chan struct{}) // closed when every client is
	after := func(part run.Part) run.Part {
		return func(ctx context.Context) error {
			select {
			case <-registered:
				return part(ctx)
			case <-ctx.Done():
				return nil
			}
		}
	}
	provider := d.idp // as it is now: the settings are completed while it runs
	return run.All(ctx,
		server.Watch,
		bench.Run,
		func(ctx context.Context) error { return idp.Serve(ctx, provider, d.log.With("program", "idp")) },
		after(func(ctx context.Context) error {
			return cabinet.Serve(ctx, d.cabinet, d.log.With("program", "cabinet"))
		}),
		after(func(ctx context.Context) error {
			return eservice.Serve(ctx, d.eservice, d.log.With("program", "eservice"))
		}),
		after(func(ctx context.Context) error { return d.follower.Run(ctx, d.as(clients.Follower)) }),
		func(ctx context.Context) error { return ended(ctx, d.prepare(ctx, registered)) },
	)
}

// workbench is the site of the workbench and the desk page.
func (d *demo) workbench(ctx context.Context) (run.Server, error) {
	secure := strings.HasPrefix(d.demo.URL, "https:")
	site, err := page.New(page.Config{Name: "workbench", Secure: secure, Rooms: []page.Room{workbench.Room(), deskpage.Room()}})
	if err != nil {
		return run.Server{}, err
	}
	d.bench = workbench.New(workbench.Config{
		Site: site, Phones: d.phones, Standings: d.follower, Clients: d.keep.clients, Prepared: d.ready.Load,
		Addresses: d.addresses(), Relaxed: d.idp.Relaxed, Done: ctx.Done(),
	})
	at := d.addresses()
	desk := deskpage.New(deskpage.Config{
		Site: site, Client: func() clients.Credentials { return d.keep.client(clients.DeskPage) },
		Addresses: at, Password: d.bench.Password, Secure: secure, HTTP: &http.Client{Timeout: 10 * time.Second},
	})
	mux := http.NewServeMux()
	site.Mount(mux)
	d.bench.Mount(mux)
	desk.Mount(mux)
	mux.Handle("POST /documents", api.Handler(documents.Answer))
	mux.Handle("POST /holders", documents.Holder(time.Now))
	mux.Handle("POST /population", population.Answer(func() int {
		if d.ready.Load() {
			return cast.Editions
		}
		return 1
	}))
	observer, err := api.NewObserver(api.ObserverConfig{Log: d.log.With("program", "workbench"), Metrics: prometheus.NewRegistry(), Now: time.Now})
	if err != nil {
		return run.Server{}, err
	}
	doors, err := known(d.demo.URL, site.Protect(site.Over(mux), "POST /sms", "POST /documents", "POST /holders", "POST /population"))
	if err != nil {
		return run.Server{}, err
	}
	listener, err := net.Listen("tcp", d.demo.Listen)
	if err != nil {
		return run.Server{}, err
	}
	return run.Server{
		Listener: listener, Handler: observer.Observe(doors), Log: d.log, Streams: workbench.Streams,
		Ready: func(context.Context) error {
			if !d.ready.Load() {
				return errors.New("the people are being prepared")
			}
			return nil
		},
	}, nil
}

// ended takes away errors that are only the end which was asked for.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
