package idp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"asoba.example/cmd/internal/stores"
	"asoba.example/consent"
	"asoba.example/consent/agreement"
	"asoba.example/login"
	"asoba.example/login/account"
	"asoba.example/login/browser"
	"asoba.example/login/clerk"
	"asoba.example/login/code"
	"asoba.example/login/desk"
	"asoba.example/login/document"
	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/login/operator"
	"asoba.example/login/place"
	"asoba.example/login/policy"
	"asoba.example/login/register"
	"asoba.example/login/sms"
	"asoba.example/login/throttle"
	"asoba.example/migrations"
	"asoba.example/provider"
	"asoba.example/provider/answer"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
	"asoba.example/provider/backchannel"
	"asoba.example/provider/body"
	"asoba.example/provider/clients"
	"asoba.example/provider/dashboard"
	"asoba.example/provider/fetch"
	"asoba.example/provider/grant"
	"asoba.example/provider/keys"
	"asoba.example/provider/page"
	"asoba.example/provider/seal"
	"asoba.example/provider/session"
)

// backConnections are for jobs, for listening to the feed and to jobs, and for refreshing what is kept in process.
const backConnections = 8

// waitFor is how long a service's request waits for its person: so long that nobody needs to be warned (WCAG 2.2 2.2.1 excepts what is longer than
// twenty hours). What the person has proved on the way waits less.
const waitFor = 24 * time.Hour

// A house is the provider's rooms, each made once, from the ground up. The
// server lives in it, and so do the operators' errands.
type house struct {
	*stores.Stores
	box     *seal.Box
	cfg     Config
	log     *slog.Logger
	hasher  identity.Hashing
	metrics *prometheus.Registry
	site    *page.Site
	jobs    *river.Client[pgx.Tx]
	nonces  *api.Nonces

	keys     *keys.Ring
	clients  *clients.Registry
	bodies   *body.Bodies
	answers  *answer.Book
	sessions *session.Store
	denials  *grant.Denials
	cleaner  *grant.Cleaner
	notices  *backchannel.Notices
	feed     *audit.Feed
	sealer   *audit.Sealer

	policies   *policy.Policies
	register   *register.Register
	identities *identity.Registry
	clerks     *clerk.Clerks
	blocks     *operator.Blocks
	restored   *operator.Restorations
	outbox     *sms.Outbox
	receipts   *sms.Receipts
	codes      *code.Codes
	desk       *desk.Desk
	agreements *agreement.Agreements
	throttle   *throttle.Throttle
	browsers   *browser.Browsers
	atlas      *place.Atlas
	factors    *factor.Factors
	accounts   account.Accounts
	subjects   provider.Subjects
}

func newHouse(ctx context.Context, cfg Config, hasher identity.Hashing, log *slog.Logger) (*house, error) {
	h := &house{cfg: cfg, log: log, hasher: hasher, metrics: prometheus.NewRegistry()}
	h.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	master, err := seal.ReadMasterKey("IDP_MASTER_KEY_FILE", cfg.MasterKeyFile)
	if err != nil {
		return nil, err
	}
	h.Stores, err = stores.Open(ctx, stores.Config{
		Program: "IDP", Schema: migrations.IDP, DatabaseURL: cfg.DatabaseURL, RedisURL: cfg.RedisURL,
		Connections: cfg.DatabaseConnections, Background: backConnections, Metrics: h.metrics,
	})
	if err != nil {
		return nil, err
	}
	if err := h.furnish(ctx, master); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

func (h *house) secure() bool { return strings.HasPrefix(h.cfg.Issuer, "https:") }

// hashers is how many passwords are hashed at once: as many as the operator says, even where that is fewer than the cores,
// for the memory may be what is scarce.
func (cfg Config) hashers(cores int) int { return cmp.Or(cfg.Hashers, cores) }

// furnish makes the rooms in the order in which they rest on one another.
func (h *house) furnish(ctx context.Context, master []byte) (err error) {
	if h.box, err = seal.Open(ctx, h.Back, master, time.Now()); err != nil {
		return err
	}
	secret := func(purpose string) (key []byte) {
		if err == nil {
			key, err = h.box.Key(purpose)
		}
		return key
	}
	secretsKey, codesKey, throttleKey := secret("client secrets"), secret("one-time codes"), secret("throttle")
	h.nonces = api.NewNonces(secret("nonces"))
	h.subjects = provider.Subjects{Key: secret("pairwise subjects")}
	if err != nil {
		return err
	}
	if h.policies, err = policy.New(ctx, h.Back, time.Now); err != nil {
		return err
	}
	h.sessions = session.New(session.Config{
		Redis: h.Redis, Secure: h.secure(), Idle: policy.SessionIdle.From(h.policies), Total: policy.SessionTotal.From(h.policies), Now: time.Now,
	})
	h.site, err = page.New(page.Config{
		Name: "idp", Secure: h.secure(), Rooms: []page.Room{provider.Room(), dashboard.Room(), login.Room(), consent.Room()},
		SignedIn: h.sessions.Had, Start: "/security",
	})
	if err != nil {
		return err
	}
	if h.site, err = h.site.Keeping(h.Redis, h.box, time.Now); err != nil {
		return err
	}
	h.denials = grant.NewDenials(h.Pool, h.Redis, policy.LongestAccessToken, time.Now)
	h.cleaner = &grant.Cleaner{Pool: h.Back, Denials: h.denials, Sessions: h.sessions, Now: time.Now}
	hsm, err := h.cfg.hsm()
	if err != nil {
		return err
	}
	h.keys, err = keys.New(ctx, keys.Config{Pool: h.Back, Box: h.box, Every: h.cfg.KeyRotateEvery, HSM: hsm, Now: time.Now, Relaxed: h.cfg.Relaxed})
	if err != nil {
		return err
	}
	h.clients, err = clients.New(ctx, clients.Config{
		Pool: h.Pool, Back: h.Back, Key: secretsKey, Caller: h.caller(), Sectors: h.caller(), Now: time.Now,
	})
	if err != nil {
		return err
	}
	h.answers = &answer.Book{Pool: h.Pool, Box: h.box, Now: time.Now}
	h.accounts = account.Accounts{Box: h.box}
	h.notices = &backchannel.Notices{Pool: h.Back, Now: time.Now}
	deliverer, err := backchannel.NewDeliverer(backchannel.Config{
		Pool: h.Back, Clients: h.clients, Keys: h.keys, Issuer: h.cfg.Issuer, Subject: h.subject,
		Caller:  h.caller(), // not the one that brings keys: many may be slow to hear of a sign-out
		Metrics: h.metrics, Now: time.Now, Log: h.log,
	})
	if err != nil {
		return err
	}
	h.throttle = &throttle.Throttle{Redis: h.Redis, Key: throttleKey, Relaxed: h.cfg.Relaxed, Now: time.Now}
	sender, err := h.sender()
	if err != nil {
		return err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, h.cleaner)
	river.AddWorker(workers, deliverer)
	river.AddWorker(workers, sender)
	h.jobs, err = river.NewClient(riverpgxv5.New(h.Back), &river.Config{
		Workers: workers,
		Queues: map[string]river.QueueConfig{
			river.QueueDefault:        {MaxWorkers: 16},
			backchannel.DeliveryQueue: {MaxWorkers: backchannel.DeliveryWorkers},
		},
		Logger: slog.New(quiet{h.log.Handler()}),
		// Jobs take seconds. What a node was at when it was killed, a message perhaps, is not to wait for an hour.
		JobTimeout: 20 * time.Second, RescueStuckJobsAfter: 30 * time.Second,
	})
	if err != nil {
		return err
	}

	h.bodies = body.New(body.Config{Pool: h.Pool, Clients: h.clients, Jobs: h.jobs, Denials: h.denials, Judges: judges})
	h.feed, h.sealer = audit.NewFeed(h.Pool, h.Back), &audit.Sealer{Pool: h.Back}

	if utf8.RuneCountInString(h.cfg.DeskAddress) > 22 { // the message has one segment
		return errors.New("IDP_DESK_ADDRESS is longer than 22 characters")
	}
	h.outbox = &sms.Outbox{Pool: h.Pool, Box: h.box, Jobs: h.jobs}
	h.identities, err = identity.New(identity.Config{
		Pool: h.Pool, Box: h.box, Jobs: h.jobs, Cleaner: h.cleaner, SMS: h.outbox, Say: h.site.Say, DeskAddress: h.cfg.DeskAddress,
		TemporaryFor: policy.TemporaryPasswordFor.From(h.policies), Symbols: policy.TemporaryPasswordSymbols.From(h.policies), Failures: policy.Failures.From(h.policies),
		Issuer: h.cfg.Issuer, UnblockTries: policy.UnblockTries.From(h.policies), ClosedFor: policy.UnblockClosedFor.From(h.policies), NotMeFor: policy.NotMeFor.From(h.policies), FreezeFor: policy.RecoveryFreeze.From(h.policies), Shortest: policy.ShortestPassword.From(h.policies), Longest: policy.LongestPassword.From(h.policies),
		Cost: policy.PasswordCost.From(h.policies), Hashers: h.cfg.hashers(runtime.GOMAXPROCS(0)), Hashing: h.hasher, Metrics: h.metrics,
	})
	if err != nil {
		return err
	}
	river.AddWorker(workers, &identity.PhoneChanger{Registry: h.identities, Now: time.Now})
	h.clerks = &clerk.Clerks{Pool: h.Pool}
	h.blocks = &operator.Blocks{Pool: h.Pool, Registry: h.identities, Now: time.Now}
	registerKey, err := h.cfg.registerKey()
	if err != nil {
		return err
	}
	source, err := h.source()
	if err != nil {
		return err
	}
	h.register = &register.Register{
		Pool: h.Back, Source: source, Cascade: h.identities.Deactivate, Restored: h.identities.Restore, Incapable: h.identities.Incapacitate, Renumbered: h.identities.Renumber, Key: registerKey,
		Staff:            func(ctx context.Context, tx pgx.Tx, by uuid.UUID) error { return clerk.Hold(ctx, tx, by, clerk.Import) },
		DeactivatedShare: func() float64 { return float64(policy.DeactivatedShare.In(h.policies)) },
		MissingShare:     func() float64 { return float64(policy.MissingShare.In(h.policies)) },
		RejectedShare:    func() float64 { return float64(policy.RejectedShare.In(h.policies)) },

		JoinsInDay:          policy.JoinsInDay.From(h.policies),
		DeactivateIncapable: policy.DeactivateIncapable.From(h.policies),
	}
	h.restored = &operator.Restorations{Pool: h.Pool, Register: h.register, Now: time.Now}
	h.codes = &code.Codes{
		Redis: h.Redis, Key: codesKey, Outbox: h.outbox, Pool: h.Pool, Say: h.site.Say, Policies: h.policies, Relaxed: h.cfg.Relaxed, Now: time.Now,
	}
	h.agreements, err = agreement.New(agreement.Config{Pool: h.Pool, Jobs: h.jobs, Denials: h.denials, For: policy.AgreementFor.From(h.policies)})
	if err != nil {
		return err
	}
	documents, err := h.documents()
	if err != nil {
		return err
	}
	h.desk, err = desk.New(desk.Config{
		Pool: h.Pool, Box: h.box, Registry: h.identities, Codes: h.codes, Outbox: h.outbox, Policies: h.policies,
		Throttle: h.throttle, Metrics: h.metrics, Documents: documents, Refresh: h.refresh, Relaxed: h.cfg.Relaxed, Now: time.Now,
	})
	if err != nil {
		return err
	}
	if h.atlas, err = place.Open(h.cfg.PlacesFile); err != nil {
		return fmt.Errorf("IDP_PLACES_FILE: %w", err)
	}
	h.browsers = &browser.Browsers{
		Pool: h.Pool, Secure: h.secure(), For: policy.KnownBrowserFor.From(h.policies),
		Sessions: h.sessions, Jobs: h.jobs, Cleaner: h.cleaner, Now: time.Now,
	}
	h.factors, err = factor.New(factor.Config{
		Pool: h.Pool, Redis: h.Redis, Box: h.box, Jobs: h.jobs, Cleaner: h.cleaner, Registry: h.identities, Throttle: h.throttle,
		Tries: policy.FactorTries.From(h.policies), Failures: policy.Failures.From(h.policies), Waits: waitFor, Issuer: h.cfg.Issuer, Now: time.Now,
	})
	return err
}

// judges tells whether somebody judges what bodies propose, by the room that knows the staff.
func judges(ctx context.Context, tx pgx.Tx, person uuid.UUID) (bool, error) {
	err := clerk.Hold(ctx, tx, person, clerk.Judge)
	if errors.Is(err, clerk.ErrRole) {
		return false, nil
	}
	return err == nil, err
}

// sender sends messages by one gateway or two.
func (h *house) sender() (*sms.Sender, error) {
	cfg := sms.SenderConfig{
		Pool: h.Back, Box: h.box, Throttle: h.throttle, InAll: policy.MessagesInAll.From(h.policies), Metrics: h.metrics, Now: time.Now,
	}
	h.receipts = &sms.Receipts{Pool: h.Pool, Box: h.box, URL: h.cfg.ManagementURL, Now: time.Now}
	var err error
	if cfg.First, err = sms.NewGateway(h.cfg.SMSGatewayURL, h.receipts); err != nil {
		return nil, fmt.Errorf("IDP_SMS_GATEWAY_URL: %w", err)
	}
	if h.cfg.SMSSecondGatewayURL != "" {
		if cfg.Second, err = sms.NewGateway(h.cfg.SMSSecondGatewayURL, h.receipts); err != nil {
			return nil, fmt.Errorf("IDP_SMS_SECOND_GATEWAY_URL: %w", err)
		}
	}
	return sms.NewSender(cfg)
}

// documents is the register of documents that the operator has named; nil where there is none.
func (h *house) documents() (*document.Register, error) {
	caller, err := h.neighbour("IDP_DOCUMENT_REGISTER_URL", h.cfg.DocumentRegisterURL)
	if caller == nil {
		return nil, err
	}
	return &document.Register{URL: h.cfg.DocumentRegisterURL, Caller: caller}, nil
}

// source is the population register that the operator has named; nil where there is none.
func (h *house) source() (*register.Source, error) {
	caller, err := h.neighbour("IDP_REGISTER_URL", h.cfg.RegisterURL)
	if caller == nil {
		return nil, err
	}
	return &register.Source{URL: h.cfg.RegisterURL, Caller: caller}, nil
}

// neighbour calls another system of the state, which may be in a private network; nil where none is named.
func (h *house) neighbour(setting, at string) (*fetch.Caller, error) {
	if at == "" {
		return nil, nil
	}
	if !strings.HasPrefix(at, "https:") && !h.cfg.AllowLoopbackFetch {
		return nil, fmt.Errorf("%s is not by https", setting)
	}
	return fetch.New(fetch.Config{AllowLoopback: h.cfg.AllowLoopbackFetch, AllowPrivate: true}), nil
}

// refresh asks the population register about somebody before something is given to them. Where it is away, the act goes on by what is known.
func (h *house) refresh(ctx context.Context, id identity.Identifier) error {
	err := h.register.Refresh(ctx, id.Reveal(), time.Now())
	if err != nil {
		h.log.WarnContext(ctx, "the population register was asked in vain", "err", err)
	}
	return err
}

// subject gives the sub and the sid by which a client knows a person and a session; a person without an identifier has no public sub.
func (h *house) subject(ctx context.Context, client *clients.Client, person uuid.UUID, sid string) (sub, theirs string, err error) {
	var b pgx.Batch
	standing := provider.Standing{Person: person}
	h.accounts.Standing(&b, person, &standing)
	if err := h.Back.SendBatch(ctx, &b).Close(); err != nil {
		return "", "", err
	}
	return h.subjects.Of(client, standing), h.subjects.SID(client, sid), nil
}

// whose finds the person who has an identifier, as people type it, for the rooms that know nobody's.
func (h *house) whose(ctx context.Context, typed string) (uuid.UUID, error) {
	id, err := identity.ParseIdentifier(typed)
	if err != nil {
		return uuid.Nil, fmt.Errorf("%w: %w", body.ErrNobody, err)
	}
	who, err := h.identities.Find(ctx, id)
	if errors.Is(err, identity.ErrUnknown) {
		return uuid.Nil, fmt.Errorf("%w: %w", body.ErrNobody, err)
	}
	return who.Person, err
}

// caller calls addresses that clients name. Each purpose has one of its own, so that none waits for the slow ones of another.
func (h *house) caller() *fetch.Caller {
	return fetch.New(fetch.Config{AllowLoopback: h.cfg.AllowLoopbackFetch})
}

// quiet keeps the jobs' library from telling what only its makers want to know.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && q.Handler.Enabled(ctx, level)
}

// roots are the ends of the audit's chain, day by day.
func (h *house) roots() audit.Roots {
	sign := func(typ string, claims any) (string, error) { return h.keys.Sign(jose.ES256, typ, claims) }
	return audit.Roots{Pool: h.Back, Issuer: h.cfg.Issuer, Sign: sign, Now: time.Now}
}
