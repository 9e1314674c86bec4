package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/login/code"
	"asoba.example/login/document"
	"asoba.example/login/identity"
	"asoba.example/login/policy"
	"asoba.example/login/register"
	"asoba.example/login/sms"
	"asoba.example/login/throttle"
	"asoba.example/provider/seal"
)

// Codes sends and checks the code that confirms a phone; code.Codes is one.
type Codes interface {
	Send(ctx context.Context, f code.For, language string, within func(context.Context, pgx.Tx) error) (code.Sent, error)
	Standing(ctx context.Context, f code.For) (code.Sent, error)
	Try(ctx context.Context, f code.For, code string) error
	Spend(ctx context.Context, f code.For, code string) error
}

// Config is what a Desk needs.
type Config struct {
	Pool     *pgxpool.Pool
	Box      *seal.Box
	Registry *identity.Registry
	Codes    Codes
	Outbox   *sms.Outbox
	Policies *policy.Policies
	Throttle *throttle.Throttle
	Metrics  prometheus.Registerer
	// Documents is nil where there is no register of documents to ask.
	Documents *document.Register
	// Refresh has the population register asked about somebody before something is given to them; nil where there is none to ask. Where it
	// fails, what is known of them is the best there is; but by register.ErrGone nothing is given to them.
	Refresh func(ctx context.Context, id identity.Identifier) error
	Relaxed bool // for trials: no limit on reissues
	Now     func() time.Time
}

// A Desk serves people, by its clerks.
type Desk struct {
	pool      *pgxpool.Pool
	box       *seal.Box
	registry  *identity.Registry
	codes     Codes
	outbox    *sms.Outbox
	policies  *policy.Policies
	throttle  *throttle.Throttle
	unusual   *prometheus.CounterVec
	documents *document.Register
	refresh   func(ctx context.Context, id identity.Identifier) error
	relaxed   bool
	now       func() time.Time
}

// New makes a Desk.
func New(cfg Config) (*Desk, error) {
	if cfg.Pool == nil || cfg.Box == nil || cfg.Registry == nil || cfg.Codes == nil || cfg.Outbox == nil ||
		cfg.Throttle == nil || cfg.Metrics == nil || cfg.Now == nil {
		return nil, errors.New("desk: the config is not complete")
	}
	d := &Desk{
		pool: cfg.Pool, box: cfg.Box, registry: cfg.Registry, codes: cfg.Codes, outbox: cfg.Outbox, policies: cfg.Policies,
		throttle: cfg.Throttle, documents: cfg.Documents, refresh: cfg.Refresh, relaxed: cfg.Relaxed, now: cfg.Now,
	}
	d.unusual = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "idp_desk_unusual_total",
		Help: "What was unusual at the desks, by pattern; whose it was, the alerts tell.",
	}, []string{"pattern"})
	if err := cfg.Metrics.Register(d.unusual); err != nil {
		return nil, fmt.Errorf("register the metrics of desks: %w", err)
	}
	return d, nil
}

// Papers are what somebody brings to the desk, with what the clerk attests of them.
type Papers struct {
	Identifier identity.Identifier
	Document   identity.Document // zero where it is not one that is accepted
	Attested   []Attestation
	Basis      identity.Basis
	Language   string // of the messages to the phone
}

// An Outcome is all that a desk learns of an act.
type Outcome struct {
	Act   uuid.UUID // the signed paper is kept with it
	State identity.State
	SMS   sms.State // of a temporary password, where one was sent
}

// Block blocks the identifier on the person's application (resolution 792 ¶6).
func (d *Desk) Block(ctx context.Context, by By, p Papers) (Outcome, error) {
	return d.serve(ctx, by, Block, p)
}

// Unblock lifts a block on the person's application; a new temporary password goes
// out to the phone that is there (¶6, ¶7). To another one it goes at the end of a visit.
func (d *Desk) Unblock(ctx context.Context, by By, p Papers) (Outcome, error) {
	return d.serve(ctx, by, Unblock, p)
}

// Reissue sends another temporary password, where the earlier one was lost or is
// over, to the phone that is there. To another one it goes at the end of a visit.
func (d *Desk) Reissue(ctx context.Context, by By, p Papers) (Outcome, error) {
	return d.serve(ctx, by, Reissue, p)
}

// serve does what somebody came for at once. Who asks again by the same key is told of the same act.
func (d *Desk) serve(ctx context.Context, by By, e Errand, p Papers) (Outcome, error) {
	b, err := d.once(ctx, by, e, Opening{Papers: p}, d.act)
	if err != nil {
		return Outcome{}, d.record(ctx, err, by, b.facts.person.ID, string(e))
	}
	state := identity.Temporary
	if e == Block {
		state = identity.Blocked
	}
	return Outcome{b.id, state, d.replaced(ctx, b.person, state)}, nil
}

// act does an errand upon somebody's identifier, in one transaction.
func (d *Desk) act(ctx context.Context, by By, e Errand, o Opening, q request) (b begun, err error) {
	person, err := register.Find(ctx, d.pool, o.Identifier.Reveal())
	if err != nil {
		return begun{}, err
	}
	if b.id, err = uuid.NewV7(); err != nil {
		return begun{}, err
	}
	b.person, b.facts = person.ID, d.facts(ctx, by, o.Papers)
	b.facts.person = person
	act := by.act(b.facts.at, o.Language)
	act.Document = vouchedFor(b.facts.report, o.Document)
	var seen []Pattern
	act.Within = func(ctx context.Context, tx pgx.Tx) (err error) {
		seen, err = d.mayAct(ctx, tx, e, o.Papers, &b, q)
		return err
	}
	if _, err := e.end(ctx, d.registry, visit{person: person.ID}, act); err != nil {
		return b, guarded(err)
	}
	d.count(seen...)
	return b, nil
}

// mayAct looks at the guards of an act in its own transaction, keeps what it rests on, and gives what was unusual.
func (d *Desk) mayAct(ctx context.Context, tx pgx.Tx, e Errand, p Papers, b *begun, q request) (seen []Pattern, err error) {
	f := &b.facts
	if f.person, err = register.Hold(ctx, tx, p.Identifier.Reveal()); err != nil {
		return nil, err
	}
	if _, _, err := identity.Hold(ctx, tx, f.person.ID); err != nil { // before whatever watch waits for
		return nil, err
	}
	if err := e.guards(false).check(*f); err != nil {
		return nil, err
	}
	if err := d.mayReissue(ctx, tx, e, *f); err != nil {
		return nil, err
	}
	if err := d.keepAct(ctx, tx, b.id, e, p, *f, q); err != nil {
		return nil, err
	}
	return d.watch(ctx, tx, e, *f, identity.Phone{})
}

// facts are those that are known before a transaction.
func (d *Desk) facts(ctx context.Context, by By, p Papers) facts {
	asked := d.inquire(ctx, p.Identifier)
	report, cause := d.ask(ctx, p.Identifier, p.Document)
	return facts{
		at: d.now(), by: by, document: p.Document, attested: p.Attested, report: report, cause: cause, register: asked,
		minimumAge: policy.MinimumAge.In(d.policies),
	}
}

// inquire asks the population register about somebody, as ask does that of documents, and tells in a word what came of it.
func (d *Desk) inquire(ctx context.Context, id identity.Identifier) string {
	if d.refresh == nil {
		return ""
	}
	switch err := d.refresh(ctx, id); {
	case errors.Is(err, register.ErrGone):
		return gone
	case errors.Is(err, register.ErrNone):
		return "unknown"
	case err != nil:
		return "silent" // what is known may be a month old
	}
	return "asked"
}

// ask asks the register of documents about the one that is shown, before any
// transaction and with no connection in hand, for it may take its time. A document
// that is not accepted is none to ask about.
func (d *Desk) ask(ctx context.Context, id identity.Identifier, shown identity.Document) (document.Report, error) {
	if shown == (identity.Document{}) {
		return document.Attested, nil
	}
	return d.documents.Ask(ctx, id, shown)
}

// vouchedFor gives a document that its register says is valid and the person's; of any other, none.
func vouchedFor(r document.Report, d identity.Document) identity.Document {
	if r != document.Valid {
		return identity.Document{}
	}
	return d
}

// keepAct keeps what an act rests on.
func (d *Desk) keepAct(ctx context.Context, tx pgx.Tx, id uuid.UUID, e Errand, p Papers, f facts, q request) error {
	sealed, err := d.seal(place("desk_act", id), presented{Document: shown(p.Document)})
	if err != nil {
		return err
	}
	const insert = `
		INSERT INTO desk_act (id, person_id, kind, presented, document_report, attested, basis_number, basis_date,
		                      clerk_id, office, client_id, at, request_key, request_body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	if _, err := tx.Exec(ctx, insert, id, f.person.ID, e, sealed, cmp.Or(f.report, document.Silent), p.Attested, p.Basis.Number, p.Basis.Date,
		f.by.Person, f.by.Office, f.by.ClientID, f.at, q.key, q.body); err != nil {
		return fmt.Errorf("keep what a %s rests on: %w", e, err)
	}
	return nil
}

// sent tells how it stands with the temporary password that an act has just sent.
// The act is done whatever comes of the question.
func (d *Desk) sent(ctx context.Context, person uuid.UUID) sms.State {
	state, err := d.outbox.Last(ctx, person, identity.TemporaryPasswordMessage)
	if err != nil {
		return sms.Queued // as it was when the act was committed
	}
	return state
}
