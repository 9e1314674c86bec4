package factor

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"asoba.example/login/identity"
	"asoba.example/login/throttle"
	"asoba.example/provider/grant"
	"asoba.example/provider/seal"
)

// ErrWrong says that an answer proves nothing, and no more than that.
var ErrWrong = errors.New("no right answer of a factor")

// A WaitError says how long the next try at a factor must wait, and that this one was none.
type WaitError struct{ For time.Duration }

func (e *WaitError) Error() string { return "too many wrong answers of a factor" }

// Config is what Factors need. All of it.
type Config struct {
	Pool     *pgxpool.Pool
	Redis    redis.UniversalClient
	Box      *seal.Box
	Jobs     grant.Jobs
	Cleaner  *grant.Cleaner
	Registry *identity.Registry // tells the phone
	Throttle *throttle.Throttle
	Tries    func() throttle.Limit // wrong answers that a person may type
	Failures func() int            // in a row, after which an authenticator proves nothing at strange browsers
	Waits    time.Duration         // for the answer of a passkey: no shorter than a sign-in may wait for its person
	Issuer   string                // the site that factors are bound to
	Now      func() time.Time
}

// Factors keep what people prove themselves by, each kind by itself.
type Factors struct {
	Passkeys       *Passkeys
	Authenticators *Authenticators
	RecoveryCodes  *RecoveryCodes
}

// A room is what the kinds have in common.
type room struct {
	pool     *pgxpool.Pool
	redis    redis.UniversalClient
	box      *seal.Box
	registry *identity.Registry
	throttle *throttle.Throttle
	tries    func() throttle.Limit
	failures func() int
	site     string // its host
	now      func() time.Time
}

// drawn gives the secret that waits under a name, or else the fresh one, which is kept sealed there: so long since it was last looked at.
func (r room) drawn(ctx context.Context, name string, fresh []byte, lasts time.Duration) ([]byte, error) {
	sealed, err := r.box.Seal(name, fresh)
	if err != nil {
		return nil, err
	}
	var kept *redis.StringCmd
	_, err = r.redis.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.SetArgs(ctx, name, sealed, redis.SetArgs{Mode: "NX", TTL: lasts})
		kept = p.GetEx(ctx, name, lasts)
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) { // that of SET, where one is kept already
		return nil, err
	}
	if sealed, err = kept.Bytes(); err != nil {
		return nil, err
	}
	return r.box.Open(name, sealed)
}

// New makes Factors.
func New(c Config) (*Factors, error) {
	if c.Pool == nil || c.Redis == nil || c.Box == nil || c.Jobs == nil || c.Cleaner == nil || c.Registry == nil || c.Throttle == nil ||
		c.Tries == nil || c.Failures == nil || c.Waits == 0 || c.Now == nil {
		return nil, errors.New("factor: the config is not complete")
	}
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return nil, fmt.Errorf("factor: %w", err)
	}
	r := room{c.Pool, c.Redis, c.Box, c.Registry, c.Throttle, c.Tries, c.Failures, issuer.Hostname(), c.Now}
	passkeys, err := newPasskeys(c, r)
	if err != nil {
		return nil, fmt.Errorf("factor: %w", err)
	}
	return &Factors{passkeys, &Authenticators{r}, &RecoveryCodes{r}}, nil
}

// Forget removes all that a person has, in the transaction that forms the first password: whoever comes back from a block begins as at the
// issuance.
func (f *Factors) Forget(ctx context.Context, tx pgx.Tx, person uuid.UUID, act identity.Act) error {
	for _, forget := range []func(context.Context, pgx.Tx, uuid.UUID, identity.Act) error{
		f.Passkeys.forget, f.Authenticators.forget, f.RecoveryCodes.forget,
	} {
		if err := forget(ctx, tx, person, act); err != nil {
			return err
		}
	}
	return nil
}

// Sealed are the columns of this room that hold what is sealed.
var Sealed = []seal.Column{
	{Table: "passkey", Name: "credential", Row: "id"},
	{Table: "authenticator", Name: "secret", Row: "person_id"},
}

// A Kind of factor.
type Kind string

// The kinds. An SMS code is none of them: nobody binds one, and whoever has the number has the codes.
const (
	ByPasskey       Kind = "passkey"
	ByAuthenticator Kind = "authenticator"
	ByRecoveryCode  Kind = "recovery_code"
)

// Methods are the amr of what it proves, after the methods that came before it (RFC 8176 §2).
func (k Kind) Methods(before ...string) []string { return append(before, methods[k]...) }

// A Purpose is what somebody proves themselves for.
type Purpose string

// Purposes.
const (
	SignIn  Purpose = "sign_in"
	Recover Purpose = "recovery" // of a password that is lost
	Unblock Purpose = "unblock"  // of an identifier that its person has blocked
)

// stance is how an identifier must stand for a factor to be worth anything.
func (p Purpose) stance() identity.Stance {
	if p == Unblock {
		return identity.BlockedSelf
	}
	return identity.InUse
}

// A Proof is a factor that was used rightly: it names its person. What it leads to must use it up.
type Proof struct {
	Person  uuid.UUID
	Changed time.Time // the identity's ChangedAt, as it was then
	By      Kind

	use func(context.Context, pgx.Tx, identity.Act) error
}

// Use uses it up, in the transaction of what it leads to. identity.ErrState says that it was used or removed at the same moment.
func (f Proof) Use(ctx context.Context, tx pgx.Tx, act identity.Act) error {
	if err := f.use(ctx, tx, act); err != nil {
		return fmt.Errorf("use the %s of %s: %w", f.By, f.Person, err)
	}
	return nil
}

// methods are those of each kind. A passkey is a key, whose holder was there and was verified; that it is kept in hardware (hwk) nobody could
// tell without an attestation, which we do not ask for: it would tell devices apart. The others come after a password.
var methods = map[Kind][]string{
	ByPasskey:       {"swk", "user", "mfa"},
	ByAuthenticator: {"otp", "mfa"},
	ByRecoveryCode:  {"otp", "mfa"},
}

// Used tells from its amr whether a sign-in was by passkey.
func Used(amr []string) bool { return Of(amr) == Unphishable }

// A Strength puts in order what people prove themselves by.
type Strength int

// Strengths, the weaker first. A recovery code stands in for an authenticator: for it people have kept one.
const (
	Password    Strength = iota
	Message              // and a code by SMS, which is restricted (NIST SP 800-63B-4 §3.2.9)
	Owned                // and a code that comes from what the person has, and from nobody's network
	Unphishable          // a passkey
)

// Of gives the strength of a sign-in, by its amr.
func Of(amr []string) Strength {
	switch {
	case slices.Contains(amr, "swk"):
		return Unphishable
	case slices.Contains(amr, "otp"):
		return Owned
	case slices.Contains(amr, "sms"):
		return Message
	}
	return Password
}

// Strongest is the strength of the strongest that somebody can prove themselves by at any time. Recovery codes are spent, so nobody is asked
// for one because of having them.
func Strongest(who identity.Identity) Strength {
	switch {
	case who.Passkey:
		return Unphishable
	case who.Authenticator:
		return Owned
	}
	return Message
}
