package sms

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"asoba.example/login/throttle"
	"asoba.example/provider/seal"
)

// A Delivery is the job of sending one message.
type Delivery struct {
	ID uuid.UUID `json:"id"`
}

// Kind names the job.
func (Delivery) Kind() string { return "sms_delivery" }

// InsertOpts lets the message's own term end its tries; so many are never needed.
func (Delivery) InsertOpts() river.InsertOpts { return river.InsertOpts{MaxAttempts: 1000} }

const (
	// restFor is how long a gateway that failed is asked only where no other takes a message.
	restFor = 30 * time.Second
	// window is how long a message that a gateway may have taken is left to it alone. Two of one message are better than a
	// person without a code, so then the other is asked.
	window = 30 * time.Second
	// askAgain is the pause before a gateway without receipts is asked again within the window.
	askAgain = 5 * time.Second
)

// SenderConfig is what a Sender needs.
type SenderConfig struct {
	Pool          *pgxpool.Pool
	Box           *seal.Box
	First, Second Gateway // Second is nil where there is one gateway
	Throttle      *throttle.Throttle
	InAll         func() throttle.Limit // what all messages together may cost
	Metrics       prometheus.Registerer
	Now           func() time.Time
}

// A Sender is the worker of deliveries: river.AddWorker(workers, sender).
type Sender struct {
	river.WorkerDefaults[Delivery]

	pool     *pgxpool.Pool
	box      *seal.Box
	gateways []*outlet
	throttle *throttle.Throttle
	inAll    func() throttle.Limit
	asked    *prometheus.CounterVec
	over     prometheus.Counter
	now      func() time.Time
}

// An outlet is a gateway by its name.
type outlet struct {
	Gateway
	name string

	mu     sync.Mutex
	failed time.Time // under mu: when it last did
}

// NewSender makes a Sender.
func NewSender(cfg SenderConfig) (*Sender, error) {
	s := &Sender{
		pool: cfg.Pool, box: cfg.Box, now: cfg.Now, gateways: []*outlet{{Gateway: cfg.First, name: "first"}},
		throttle: cfg.Throttle, inAll: cfg.InAll,
	}
	if cfg.Second != nil {
		s.gateways = append(s.gateways, &outlet{Gateway: cfg.Second, name: "second"})
	}
	s.asked = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "idp_sms_asked_total",
		Help: "Messages that an SMS gateway was asked to send, by what came of it: taken, refused, no_number, or doubt where no answer was heard.",
	}, []string{"gateway", "outcome"})
	s.over = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "idp_sms_over_budget_total",
		Help: "Messages that were sent while all together had used up what they may cost (sms.in_all): each address has fewer codes then, and somebody is to look.",
	})
	for _, c := range []prometheus.Collector{s.asked, s.over} {
		if err := cfg.Metrics.Register(c); err != nil {
			return nil, fmt.Errorf("register the metrics of messages: %w", err)
		}
	}
	return s, nil
}

// Work sends a message, unless that is done or its term is over. A message that nobody took is tried again, as long as it would
// still be in time.
func (s *Sender) Work(ctx context.Context, job *river.Job[Delivery]) error {
	m, err := s.read(ctx, job.Args.ID)
	switch {
	case err != nil:
		return err
	case m.state != Queued && m.state != Sent:
		return nil
	case m.For <= 0:
		return s.move(ctx, m, Failed)
	case m.early > 0:
		return river.JobSnooze(m.early)
	case m.state == Sent:
		return river.JobSnooze(m.For) // its receipt may come till then
	case m.left(s.now()) > 0:
		return s.insist(ctx, job, m)
	}
	return s.offer(ctx, job, m)
}

// insist asks the gateway that may have taken a message, and nobody else, for the window; one with receipts is left to bring one.
func (s *Sender) insist(ctx context.Context, job *river.Job[Delivery], m waiting) error {
	i := slices.IndexFunc(s.gateways, func(o *outlet) bool { return o.name == m.Via })
	if i < 0 {
		return s.again(ctx, job, m, errors.New("its gateway is in use no more"))
	}
	o := s.gateways[i]
	if o.Receipts() {
		return s.wait(m, o)
	}
	settled, err := s.hand(ctx, m, o)
	if !settled {
		return s.wait(m, o)
	}
	return err
}

// offer asks one gateway after the other. One that does not take the message leaves it to the next, but for a number that no phone
// has; one that may have taken it keeps it.
func (s *Sender) offer(ctx context.Context, job *river.Job[Delivery], m waiting) error {
	var refused error
	for _, o := range s.outlets(m) {
		if err := s.claim(ctx, &m, o); err != nil {
			return err
		}
		settled, err := s.hand(ctx, m, o)
		if settled {
			return err
		}
		if errors.Is(err, ErrDoubt) {
			return s.wait(m, o)
		}
		refused = err
		if err := s.release(context.WithoutCancel(ctx), &m); err != nil {
			return err
		}
	}
	return s.again(ctx, job, m, refused)
}

// hand hands a message to a gateway, which settles it or says why not. What came of it holds, even if the program is stopping.
func (s *Sender) hand(ctx context.Context, m waiting, o *outlet) (settled bool, err error) {
	err = o.Send(ctx, m.Message)
	s.note(o, err)
	ctx = context.WithoutCancel(ctx)
	if err == nil {
		s.count(ctx)
	}
	switch {
	case err == nil && o.Receipts():
		if err := s.move(ctx, m, Sent); err != nil {
			return true, err
		}
		return true, river.JobSnooze(m.For)
	case err == nil:
		return true, s.move(ctx, m, Delivered)
	case errors.Is(err, ErrNumber):
		return true, s.move(ctx, m, Failed)
	}
	return false, err
}

// count counts a message that was taken against what all may cost. None is held back for that, and one that cannot be counted was sent all the same.
func (s *Sender) count(ctx context.Context) {
	if wait, err := s.throttle.Take(ctx, throttle.Try{Limit: s.inAll()}); err == nil && wait > 0 {
		s.over.Inc()
	}
}

// wait puts off a message that a gateway may have taken: one that knows it by its id is asked again, one with receipts is left the
// window to bring one.
func (s *Sender) wait(m waiting, o *outlet) error {
	pause := m.left(s.now())
	if !o.Receipts() {
		pause = min(pause, askAgain)
	}
	return river.JobSnooze(min(pause, m.For))
}

// again has a message tried again, unless that would be too late.
func (s *Sender) again(ctx context.Context, job *river.Job[Delivery], m waiting, err error) error {
	err = fmt.Errorf("send message %s: %w", m.ID, err)
	if s.NextRetry(job).Sub(s.now()) < m.For {
		return err
	}
	if err := s.move(ctx, m, Failed); err != nil {
		return err
	}
	return river.JobCancel(err)
}

// NextRetry doubles the pause from a second to an hour: a code gets nine tries
// in its five minutes, and a temporary password waits for a gateway that is down.
func (s *Sender) NextRetry(job *river.Job[Delivery]) time.Time {
	pause := time.Hour
	if job.Attempt <= 12 {
		pause = min(pause, time.Second<<(job.Attempt-1))
	}
	return s.now().Add(pause)
}

// Timeout is longer than both gateways' own.
func (s *Sender) Timeout(*river.Job[Delivery]) time.Duration { return 2*gatewayTimeout + 5*time.Second }

// outlets are whom to ask for a message, in turn: who may have taken it last, and before that one those that failed of late.
func (s *Sender) outlets(m waiting) []*outlet {
	var fresh, atRest, held []*outlet
	for _, o := range s.gateways {
		switch {
		case m.Via == o.name:
			held = append(held, o)
		case o.rests(s.now()):
			atRest = append(atRest, o)
		default:
			fresh = append(fresh, o)
		}
	}
	return slices.Concat(fresh, atRest, held)
}

func (o *outlet) rests(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return now.Sub(o.failed) < restFor
}

// note notes how it went with a gateway.
func (s *Sender) note(o *outlet, err error) {
	outcome := "taken"
	switch {
	case errors.Is(err, ErrNumber): // the gateway has not failed
		outcome = "no_number"
	case err != nil:
		o.mu.Lock()
		o.failed = s.now()
		o.mu.Unlock()
		outcome = "refused"
		if errors.Is(err, ErrDoubt) {
			outcome = "doubt"
		}
	}
	s.asked.WithLabelValues(o.name, outcome).Inc()
}

// A waiting message is one as it lies in the outbox.
type waiting struct {
	Message // Via is who may have taken it, if it is still queued
	state   State
	askedAt time.Time     // when that one was first asked; long ago where nobody may have
	early   time.Duration // it is not to be sent before
}

// left is how much is left of the window of who may have taken the message.
func (m waiting) left(now time.Time) time.Duration {
	return max(0, window-now.Sub(m.askedAt))
}

func (s *Sender) read(ctx context.Context, id uuid.UUID) (waiting, error) {
	const read = `
		SELECT kind, phone, text, state, queued_at, till, coalesce(gateway, ''), coalesce(asked_at, 'epoch')
		FROM sms_message WHERE id = $1`
	var (
		m           = waiting{Message: Message{ID: id}}
		phone, text []byte
		from, till  time.Time
	)
	err := s.pool.QueryRow(ctx, read, id).Scan(&m.Kind, &phone, &text, &m.state, &from, &till, &m.Via, &m.askedAt)
	m.early, m.For = from.Sub(s.now()), till.Sub(s.now())
	if err != nil || m.state != Queued {
		return m, err
	}
	if phone, err = s.box.Open(phonePlace(id), phone); err == nil {
		text, err = s.box.Open(textPlace(id), text)
	}
	if err != nil {
		return waiting{}, fmt.Errorf("open message %s: %w", id, err)
	}
	m.To, m.Text = string(phone), string(text)
	return m, nil
}

// claim writes down whom the message is about to be handed to: whoever finds it after a crash knows who may have taken it.
// Of two who work on one message at once one is turned away.
func (s *Sender) claim(ctx context.Context, m *waiting, o *outlet) error {
	const update = `
		UPDATE sms_message SET gateway = $2, asked_at = $3
		WHERE id = $1 AND state = 'queued' AND coalesce(asked_at, 'epoch') = $4`
	at := s.now()
	tag, err := s.pool.Exec(ctx, update, m.ID, o.name, at, m.askedAt)
	if err == nil && tag.RowsAffected() == 0 {
		err = errors.New("it has moved meanwhile")
	}
	if err != nil {
		return fmt.Errorf("claim message %s: %w", m.ID, err)
	}
	m.Via, m.askedAt = o.name, at
	return nil
}

// release takes a claim back: the gateway has not taken the message and will not.
func (s *Sender) release(ctx context.Context, m *waiting) error {
	const update = `UPDATE sms_message SET gateway = NULL, asked_at = NULL WHERE id = $1 AND state = 'queued'`
	if _, err := s.pool.Exec(ctx, update, m.ID); err != nil {
		return fmt.Errorf("release message %s: %w", m.ID, err)
	}
	m.Via, m.askedAt = "", time.Unix(0, 0)
	return nil
}

// move settles a message by what its gateway said, or by its term.
func (s *Sender) move(ctx context.Context, m waiting, to State) error {
	return move(ctx, s.pool, m.ID, to, m.Via, s.now())
}
