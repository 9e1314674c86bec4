package identity

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/login/place"
	"asoba.example/provider/grant"
	"asoba.example/provider/seal"
)

// Meanings; ErrState, ErrWeak and ErrBusy stand beside what they speak of.
var (
	ErrUnknown    = errors.New("no such identifier")
	ErrAssigned   = errors.New("an identifier was assigned to this person before")
	ErrPhoneTaken = errors.New("the phone is used with another identifier")
	ErrNoPhone    = errors.New("the identifier has no phone any more")
	ErrWrong      = errors.New("wrong password")
)

// Config is what a Registry needs.
type Config struct {
	Pool    *pgxpool.Pool
	Box     *seal.Box
	Jobs    grant.Jobs
	Cleaner *grant.Cleaner
	SMS     Messages
	// Say gives a word of words/*.json in a language, for the texts of messages.
	Say func(language, key string, args map[string]any) string
	// DeskAddress is where people are sent whose identifier was blocked for security: a street or a short number. "" names no place.
	DeskAddress string
	// TemporaryFor is how long a temporary password is good.
	TemporaryFor func() time.Duration
	// Symbols is how many a temporary password has, from FewestSymbols to MostSymbols.
	Symbols func() int
	// Failures is after how many wrong passwords in a row a static one proves nothing at strange browsers.
	Failures func() int
	// Issuer begins the links in warnings.
	Issuer string
	// NotMeFor is how long such a link is good.
	NotMeFor func() time.Duration
	// UnblockTries is after how many of them who fails to lift a block of his own goes to the desk.
	UnblockTries func() int
	// ClosedFor is how long after the last of those tries the block is not lifted at unknown browsers, and for how long one counts with the next.
	ClosedFor func() time.Duration
	// FreezeFor is how long after a recovery grave acts wait.
	FreezeFor func() time.Duration
	// Shortest and Longest are how many characters a static password has at least, and at most.
	Shortest, Longest func() int
	// Cost is what hashing a password takes from now on; who signs in has it hashed anew.
	Cost func() Cost
	// Hashers is how many lanes may be hashed in at once, each by a processor and with no more than the memory of its password's cost; at least
	// two, one of which strangers never take.
	Hashers int
	Hashing Hashing
	Metrics prometheus.Registerer
}

// Outbox takes messages into the act's transaction; sms.Outbox is one.
type Outbox interface {
	Put(ctx context.Context, tx pgx.Tx, m Message) error
}

// Messages are an Outbox from which what has not left yet can be taken back.
type Messages interface {
	Outbox
	TakeBack(ctx context.Context, tx pgx.Tx, person uuid.UUID, at time.Time, kinds ...MessageKind) error
}

// A Message for a phone.
type Message struct {
	Person uuid.UUID
	Phone  Phone
	Kind   MessageKind
	Text   string
	At     time.Time
	Till   time.Time // afterwards it is worth nothing and is not sent
}

// A MessageKind tells a gateway and an outbox how to treat a message.
type MessageKind string

// Kinds of messages.
const (
	CodeMessage              MessageKind = "code"
	TemporaryPasswordMessage MessageKind = "temporary_password"
	NoticeMessage            MessageKind = "notice"
)

// An Act is who acts upon an identifier, when and how. The zero Clerk is the
// citizen, or where no citizen can act, the operator.
type Act struct {
	At       time.Time
	Clerk    uuid.UUID
	Office   string
	ClientID string      // of a desk's system that speaks for its clerk, or of the e-service for which somebody signs in
	Agent    string      // "Firefox, Linux"
	By       string      // what the citizen has proved a block by, where he was not signed in: password, code, warning
	Where    place.Place // approximately
	Language string      // of the messages to the citizen; "" is the first language
	Due      time.Time   // when what it begins comes to pass, as the citizen is told; zero: at once
	// Document is the one upon which a desk served, where its register has vouched for it; zero where none has.
	Document Document
	// Within, where there is one, runs first in the act's transaction and may
	// refuse it: the desk checks its guards and keeps its paper there.
	Within func(ctx context.Context, tx pgx.Tx) error
}

// A Registry keeps identities.
type Registry struct {
	pool         *pgxpool.Pool
	box          *seal.Box
	jobs         grant.Jobs
	cleaner      *grant.Cleaner
	sms          Messages
	say          func(language, key string, args map[string]any) string
	deskAddress  string
	temporaryFor func() time.Duration
	symbols      func() int
	failures     func() int
	freezeFor    func() time.Duration
	notMeFor     func() time.Duration
	issuer       string
	unblockTries func() int
	closedFor    func() time.Duration
	hasher       *hasher
	strength     strength
}

// New makes a Registry.
func New(cfg Config) (*Registry, error) {
	if cfg.Pool == nil || cfg.Box == nil || cfg.Jobs == nil || cfg.Cleaner == nil || cfg.SMS == nil || cfg.Say == nil ||
		cfg.TemporaryFor == nil || cfg.Symbols == nil || cfg.Failures == nil || cfg.FreezeFor == nil || cfg.NotMeFor == nil || cfg.UnblockTries == nil || cfg.ClosedFor == nil || cfg.Issuer == "" || cfg.Shortest == nil || cfg.Longest == nil || cfg.Cost == nil || cfg.Hashing == nil || cfg.Metrics == nil {
		return nil, errors.New("identity: the config is not complete")
	}
	pepper, err := cfg.Box.Key("password pepper")
	if err != nil {
		return nil, fmt.Errorf("derive the pepper: %w", err)
	}
	hasher := newHasher(pepper, cfg.Cost, cfg.Hashing, cfg.Hashers)
	if err := cfg.Metrics.Register(hasher.came); err != nil {
		return nil, fmt.Errorf("register the metrics of passwords: %w", err)
	}
	common, err := readCommon()
	if err != nil {
		return nil, err
	}
	return &Registry{
		pool: cfg.Pool, box: cfg.Box, jobs: cfg.Jobs, cleaner: cfg.Cleaner, sms: cfg.SMS, say: cfg.Say, deskAddress: cfg.DeskAddress,
		temporaryFor: cfg.TemporaryFor, symbols: cfg.Symbols, failures: cfg.Failures, freezeFor: cfg.FreezeFor, notMeFor: cfg.NotMeFor, issuer: cfg.Issuer, unblockTries: cfg.UnblockTries, closedFor: cfg.ClosedFor, hasher: hasher, strength: strength{cfg.Shortest, cfg.Longest, common, readWords()},
	}, nil
}

// transact runs an act as one transaction.
func (r *Registry) transact(ctx context.Context, act Act, do func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		if act.Within != nil {
			if err := act.Within(ctx, tx); err != nil {
				return err
			}
		}
		return do(tx)
	})
}

// ending runs an act that ends a person's sign-ins. After the commit they are
// cleaned out of Redis at once; where that fails they are refused all the same,
// and the job that lies in the transaction cleans them.
func (r *Registry) ending(ctx context.Context, person uuid.UUID, act Act, do func(tx pgx.Tx) error) error {
	if err := r.transact(ctx, act, do); err != nil {
		return err
	}
	_ = r.cleaner.Clean(ctx, person)
	return nil
}

// Hold keeps an identifier as it is until the transaction ends: whatever would act upon it, or give something by it,
// waits. It gives the state and the time of the last act upon it; None for people without one.
func Hold(ctx context.Context, tx pgx.Tx, person uuid.UUID) (State, time.Time, error) {
	const hold = `SELECT state, changed_at FROM identity WHERE person_id = $1 FOR NO KEY UPDATE`
	var (
		state   State
		changed time.Time
	)
	err := tx.QueryRow(ctx, hold, person).Scan(&state, &changed)
	if errors.Is(err, pgx.ErrNoRows) {
		return None, time.Time{}, nil
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("hold the identifier of %s: %w", person, err)
	}
	return state, changed, nil
}

// move compares and sets. The row is locked from here to the act's end: whatever
// would give this person something waits, and then sees what was done. It gives
// the phone that is to be told.
func (r *Registry) move(ctx context.Context, tx pgx.Tx, person uuid.UUID, update string, args ...any) (Phone, error) {
	var sealed []byte
	err := tx.QueryRow(ctx, update, append([]any{person}, args...)...).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return Phone{}, ErrState
	}
	if err != nil {
		return Phone{}, taken(err)
	}
	return OpenPhone(r.box, person, sealed)
}
