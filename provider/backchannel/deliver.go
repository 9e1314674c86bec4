package backchannel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"asoba.example/provider/clients"
	"asoba.example/provider/fetch"
	"asoba.example/provider/keys"
)

// Jobs of deliveries have a queue of their own, with so many at once. They wait for clients and not for us, so there may be many.
const (
	DeliveryQueue   = "logout"
	DeliveryWorkers = 48
)

// Terms of a delivery.
const (
	tryFor   = 24 * time.Hour // whoever is down for longer is told by the refusal of what it still holds
	maxPause = time.Hour
	atOnce   = 4                   // calls to one client; to one that did not answer well the last time, one
	toFailed = DeliveryWorkers / 2 // calls to all of those together, so that the others are told
	turn     = 3 * time.Second     // after which a notice asks again whether its client has a call to spare; later, the older it is
)

// A Delivery is the job of delivering one notice.
type Delivery struct {
	ID int64 `json:"id"`
}

// Kind names the job.
func (Delivery) Kind() string { return "logout_delivery" }

// InsertOpts keeps the jobs apart from those that do not wait for strangers.
func (Delivery) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: DeliveryQueue} }

// Config is what a Deliverer needs. All of it.
type Config struct {
	Pool    *pgxpool.Pool
	Clients *clients.Registry
	Keys    *keys.Ring
	Caller  *fetch.Caller
	Issuer  string
	// Subject gives the sub and the sid by which a client knows a person and a session.
	Subject func(ctx context.Context, client *clients.Client, person uuid.UUID, sid string) (sub, theirs string, err error)
	Metrics prometheus.Registerer
	Now     func() time.Time
	Log     *slog.Logger
}

// A Deliverer is the worker of deliveries: river.AddWorker(workers, deliverer).
type Deliverer struct {
	river.WorkerDefaults[Delivery]

	cfg   Config
	tried *prometheus.CounterVec

	mu       sync.Mutex
	calls    map[string]int  // under mu: how many are under way, by client
	failed   map[string]bool // under mu: the clients whose last call went wrong
	atFailed int             // under mu: how many calls to such are under way
}

// NewDeliverer makes a Deliverer.
func NewDeliverer(cfg Config) (*Deliverer, error) {
	tried := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "idp_logout_notices_total",
		Help: "Tries to tell a client that a session is over, by what the notice is after them.",
	}, []string{"state"})
	if err := cfg.Metrics.Register(tried); err != nil {
		return nil, fmt.Errorf("register the metrics of logout notices: %w", err)
	}
	return &Deliverer{cfg: cfg, tried: tried, calls: map[string]int{}, failed: map[string]bool{}}, nil
}

// Work tries to deliver a notice. One that is not taken is tried again after a pause, as long as that is in time.
func (d *Deliverer) Work(ctx context.Context, job *river.Job[Delivery]) error {
	n, err := d.find(ctx, job.Args.ID)
	if err != nil || n.State != Queued {
		return err
	}
	client, err := d.cfg.Clients.Look(ctx, n.clientID)
	if errors.Is(err, clients.ErrUnknown) || err == nil && client.Metadata.BackchannelLogoutURI == "" {
		return d.write(ctx, n, Failed) // it was taken out of use, or wants to be told no more
	}
	if err != nil {
		return fmt.Errorf("deliver a logout notice: %w", err)
	}
	age := d.cfg.Now().Sub(n.QueuedAt)
	if age >= tryFor { // it never had its turn
		return d.write(ctx, n, Failed)
	}
	leave, entered := d.enter(client.ID)
	if !entered {
		return river.JobSnooze(min(maxPause, turn+age/8))
	}
	defer leave()
	sub, sid, err := d.cfg.Subject(ctx, client, n.person, n.SID)
	if err != nil {
		return fmt.Errorf("deliver a logout notice: %w", err)
	}
	token, err := mint(d.cfg.Keys, d.cfg.Issuer, client, sub, sid, d.cfg.Now())
	if err != nil {
		return fmt.Errorf("deliver a logout notice: %w", err)
	}
	status, err := d.cfg.Caller.Post(ctx, client.Metadata.BackchannelLogoutURI, url.Values{"logout_token": {token}})
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // the program is stopping, which says nothing about the client
	}
	d.remember(client.ID, taken(status))
	return d.settle(context.WithoutCancel(ctx), n, status, err)
}

// taken tells success: 200, which some servers make 204 where there is nothing to say (OpenID Connect Back-Channel Logout §2.8).
func taken(status int) bool { return status == http.StatusOK || status == http.StatusNoContent }

// settle writes down how a try went. Whatever is no success may pass: by 400, too, a client may say that the sign-out failed there.
func (d *Deliverer) settle(ctx context.Context, n notice, status int, cause error) error {
	now := d.cfg.Now()
	n.Tries, n.TriedAt, n.Status = n.Tries+1, &now, nil
	if status != 0 {
		n.Status = &status
	}
	pause := pause(n.Tries)
	switch {
	case taken(status):
		return d.write(ctx, n, Delivered)
	case now.Add(pause).Before(n.QueuedAt.Add(tryFor)):
		if err := d.write(ctx, n, Queued); err != nil {
			return err
		}
		return river.JobSnooze(pause)
	}
	d.cfg.Log.WarnContext(ctx, "logout notice not delivered", "client", n.clientID, "status", status, "err", cause)
	return d.write(ctx, n, Failed)
}

// pause doubles from a second to an hour.
func pause(tries int) time.Duration {
	if tries > 12 {
		return maxPause
	}
	return min(maxPause, time.Second<<(tries-1))
}

// Timeout is longer than a call may take.
func (d *Deliverer) Timeout(*river.Job[Delivery]) time.Duration { return 10 * time.Second }

// enter takes one of a client's calls, if there is one to spare on this node, until it leaves.
func (d *Deliverer) enter(client string) (leave func(), entered bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	failed := d.failed[client]
	if d.calls[client] == atOnce || failed && (d.calls[client] > 0 || d.atFailed == toFailed) {
		return nil, false
	}
	d.calls[client]++
	if failed {
		d.atFailed++
	}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.calls[client]--; d.calls[client] == 0 {
			delete(d.calls, client)
		}
		if failed {
			d.atFailed--
		}
	}, true
}

// remember keeps which clients did not answer well the last time.
func (d *Deliverer) remember(client string, well bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if well {
		delete(d.failed, client)
	} else {
		d.failed[client] = true
	}
}

// find gives a notice; one that was wiped meanwhile is none that waits.
func (d *Deliverer) find(ctx context.Context, id int64) (notice, error) {
	const find = `SELECT client_id, person_id, sid, state, queued_at, tries FROM logout_notice WHERE id = $1`

	n := notice{Notice: Notice{ID: id}}
	err := d.cfg.Pool.QueryRow(ctx, find, id).Scan(&n.clientID, &n.person, &n.SID, &n.State, &n.QueuedAt, &n.Tries)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return n, fmt.Errorf("find a logout notice: %w", err)
	}
	return n, nil
}

func (d *Deliverer) write(ctx context.Context, n notice, state State) error {
	const write = `
		UPDATE logout_notice SET state = $2, tries = $3, tried_at = $4, status = $5
		WHERE id = $1 AND state = 'queued'`

	if _, err := d.cfg.Pool.Exec(ctx, write, n.ID, state, n.Tries, n.TriedAt, n.Status); err != nil {
		return fmt.Errorf("write down a logout notice: %w", err)
	}
	d.tried.WithLabelValues(string(state)).Inc()
	return nil
}
