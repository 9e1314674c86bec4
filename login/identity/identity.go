package identity

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/provider/grant"
	"asoba.example/provider/seal"
)

// An Identifier is the unique identifier, identical to the identification number
// in the identity document (resolution 792, ¶2). Only ParseIdentifier makes one.
type Identifier struct{ s string }

// ParseIdentifier takes any usual spelling: spaces, hyphens, any case, Cyrillic look-alikes. It checks shape and check digit.
func ParseIdentifier(s string) (Identifier, error) { panic("unwritten") }

// String masks the middle. Reveal is for the database and the citizen's own screen. (Also LogValue, GoString, Format, MarshalJSON: none reveals.)
func (id Identifier) String() string { panic("unwritten") }

// Reveal gives the whole identifier.
func (id Identifier) Reveal() string { return id.s }

// A Phone is a Belarusian mobile number (mission R24). Only ParsePhone makes one. It masks itself as Identifier does.
type Phone struct{ e164 string }

// ParsePhone takes any usual spelling and refuses what is not a mobile number of the country.
func ParsePhone(s string) (Phone, error) { panic("unwritten") }

// Reveal gives E.164.
func (p Phone) Reveal() string { return p.e164 }

// Hint is what a page may show of it: the last two digits.
func (p Phone) Hint() string { panic("unwritten") }

// Document is an identity document.
type Document struct {
	Kind      string // passport, id_card, residence_permit, …
	Number    string // two letters, seven digits
	ValidTill string // YYYY-MM-DD
}

// Names are a person's names as in the document.
type Names struct {
	Family string
	Given  string
	Middle string // "" where there is none
}

// State of an identifier. The life is drawn in doc.go.
type State string

// States; None is for people in the register who have no identifier.
const (
	None      State = "none"
	Temporary State = "temporary"
	Active    State = "active"
	Blocked   State = "blocked"
)

// BlockReason decides who may lift a block.
type BlockReason string

// Reasons.
const (
	Self     BlockReason = "self"
	Desk     BlockReason = "desk"
	Register BlockReason = "register"
	Security BlockReason = "security"
)

// Basis is the paper an act of the desk rests on.
type Basis struct {
	Number string
	Date   string // YYYY-MM-DD
}

// An Act is who did it, when, and on what basis. The zero Clerk is the citizen.
type Act struct {
	At     time.Time
	Clerk  uuid.UUID
	Office string
	Basis  Basis
	Agent  string
}

// Meanings.
var (
	ErrUnknown    = errors.New("no such identifier")
	ErrState      = errors.New("not allowed in this state")
	ErrPhoneTaken = errors.New("the phone is used with another identifier")
	ErrWrong      = errors.New("wrong password")
	ErrWeak       = errors.New("the password is not acceptable") // wrapped by *WeakError, which names the word
)

// An Identity is a person's identifier and how it stands.
type Identity struct {
	Person      uuid.UUID
	Identifier  Identifier
	State       State
	BlockReason BlockReason
	Phone       Phone
	Names       Names
	Expired     bool // a temporary password past its term
	IssuedAt    time.Time
}

// Config is what a Registry needs.
type Config struct {
	Pool         *pgxpool.Pool
	Box          *seal.Box
	Jobs         grant.Jobs
	Cleaner      *grant.Cleaner
	SMS          Outbox
	TemporaryFor time.Duration // 72 h
	Hashers      int           // how many passwords may be hashed at once
}

// Outbox takes messages into the act's transaction; sms.Outbox is one.
type Outbox interface {
	// Put queues a message; kind is code, temporary_password or notice; word is a key of words/*.json, said in every… language of the person
	Put(ctx context.Context, tx pgx.Tx, m Message) (uuid.UUID, error)
}

// A Message for a phone.
type Message struct {
	Person uuid.UUID
	Phone  Phone
	Kind   string
	Text   string
	At     time.Time
	Till   time.Time
}

// A Registry keeps identities.
type Registry struct{}

// New makes a Registry.
func New(cfg Config) (*Registry, error) { panic("unwritten") }

// Find gives a person's identity by identifier; State None for somebody in the register without one; ErrUnknown otherwise.
func (r *Registry) Find(ctx context.Context, id Identifier) (Identity, error) { panic("unwritten") }

// Of gives a person's identity by person id.
func (r *Registry) Of(ctx context.Context, person uuid.UUID) (Identity, error) { panic("unwritten") }

// Check proves a password. The work and the time are the same whoever is asked about; ErrWrong says nothing more.
// The identity comes back only with the right password, in states Temporary (unexpired) and Active.
// known tells that the browser is known to this person (a lane and a budget of its own).
func (r *Registry) Check(ctx context.Context, id Identifier, password string, known bool, at time.Time) (Identity, error) {
	panic("unwritten")
}

// Issue assigns the identifier and sends the temporary password, in the caller's transaction (the desk's guards run in it).
func (r *Registry) Issue(ctx context.Context, tx pgx.Tx, person uuid.UUID, phone Phone, names Names, doc Document, act Act) (sms uuid.UUID, err error) {
	panic("unwritten")
}

// Activate forms the static password at first sign-in: Temporary → Active (T2).
func (r *Registry) Activate(ctx context.Context, person uuid.UUID, password string, act Act) error {
	panic("unwritten")
}

// ChangePassword forms another static password; every sign-in so far ends (T5).
func (r *Registry) ChangePassword(ctx context.Context, person uuid.UUID, current, password string, act Act) error {
	panic("unwritten")
}

// Block ends the identifier's use until it is unblocked (T6, T7).
func (r *Registry) Block(ctx context.Context, person uuid.UUID, reason BlockReason, act Act) error {
	panic("unwritten")
}

// Unblock at the desk: Blocked (but not by the register) → Temporary, with a new temporary password (T11).
func (r *Registry) Unblock(ctx context.Context, person uuid.UUID, act Act) (sms uuid.UUID, err error) {
	panic("unwritten")
}

// Reissue sends a new temporary password to the confirmed phone (T4).
func (r *Registry) Reissue(ctx context.Context, person uuid.UUID, act Act) (sms uuid.UUID, err error) {
	panic("unwritten")
}

// Acceptable tells whether a password may be a static one for this person, before it is hashed; a *WeakError otherwise.
func (r *Registry) Acceptable(ctx context.Context, person uuid.UUID, password string) error {
	panic("unwritten")
}

// A WeakError names the word that tells the citizen what is wrong with the password.
type WeakError struct{ Word string }

func (e *WeakError) Error() string { return ErrWeak.Error() + ": " + e.Word }
func (e *WeakError) Unwrap() error { return ErrWeak }
