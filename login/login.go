package login

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"

	"asoba.example/login/browser"
	"asoba.example/login/code"
	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/login/place"
	"asoba.example/login/policy"
	"asoba.example/login/register"
	"asoba.example/login/throttle"
	"asoba.example/provider"
	"asoba.example/provider/api"
	"asoba.example/provider/clients"
	"asoba.example/provider/grant"
	"asoba.example/provider/page"
	"asoba.example/provider/session"
)

//go:embed pages parts static words
var files embed.FS

// Room is what login brings to the site.
func Room() page.Room { return page.Room{FS: files} }

// Config is what a Login needs.
type Config struct {
	Site         *page.Site
	Interactions *provider.Interactions
	Accounts     provider.Accounts
	Sessions     *session.Store
	Denials      *grant.Denials
	Jobs         grant.Jobs
	Clients      *clients.Registry
	Registry     *identity.Registry
	Codes        *code.Codes
	Browsers     *browser.Browsers
	Factors      *factor.Factors
	Atlas        *place.Atlas // nil: no places are told
	Throttle     *throttle.Throttle
	Policies     *policy.Policies
	Pool         *pgxpool.Pool
	Redis        redis.UniversalClient
	Subjects     provider.Subjects
	Issuer       string
	CabinetURL   string // where "back to the cabinet" leads
	Now          func() time.Time
	// Refresh has the population register asked about somebody before a grave act; nil: there is none to ask. Where it fails, what is known
	// of them is the best there is; but by register.ErrGone nothing is given to them.
	Refresh func(ctx context.Context, id identity.Identifier) error
}

// A Login is the doors of this package.
type Login struct{ cfg Config }

// inquire has the population register asked about somebody. To whom it calls gone nothing is allowed, known or not: the answer is identity.ErrState.
func (l *Login) inquire(ctx context.Context, person uuid.UUID) error {
	if l.cfg.Refresh == nil {
		return nil
	}
	who, err := l.cfg.Registry.Of(ctx, person)
	if err != nil {
		return err
	}
	if err := l.cfg.Refresh(ctx, who.Identifier); errors.Is(err, register.ErrGone) {
		return fmt.Errorf("%w: %w", identity.ErrState, err)
	}
	return nil
}

// New makes a Login.
func New(c Config) (*Login, error) {
	if c.Site == nil || c.Interactions == nil || c.Accounts == nil || c.Sessions == nil ||
		c.Denials == nil || c.Jobs == nil || c.Clients == nil ||
		c.Registry == nil || c.Codes == nil || c.Browsers == nil || c.Factors == nil || c.Throttle == nil || c.Policies == nil || c.Pool == nil ||
		c.Redis == nil || c.Subjects.Key == nil || c.Issuer == "" || c.CabinetURL == "" || c.Now == nil {
		return nil, errors.New("login: a part is missing")
	}
	return &Login{c}, nil
}

// Mount opens the doors.
func (l *Login) Mount(mux api.Mux) {
	mux.Handle("GET /sign-in", l.waiting(signInPath, l.signInPage))
	mux.Handle("POST /sign-in", l.waiting(signInPath, l.signIn))
	mux.Handle("GET /sign-in/code", l.step(codePath, l.codePage))
	mux.Handle("POST /sign-in/code", l.step(codePath, l.checkCode))
	mux.Handle("GET /sign-in/authenticator", l.step(authenticatorStep, l.signInAuthenticatorPage))
	mux.Handle("POST /sign-in/authenticator", l.step(authenticatorStep, l.checkAuthenticator))
	mux.Handle("GET /sign-in/recovery-code", l.step(recoveryCodeStep, l.signInRecoveryCodePage))
	mux.Handle("POST /sign-in/recovery-code", l.step(recoveryCodeStep, l.checkRecoveryCode))
	mux.Handle("GET /sign-in/password", l.step(firstPasswordPath, l.firstPasswordPage))
	mux.Handle("POST /sign-in/password", l.step(firstPasswordPath, l.formFirstPassword))

	mux.Handle("GET /recover", l.waiting(recovering.path, l.recoverPage))
	mux.Handle("POST /recover", l.waiting(recovering.path, l.recover))
	mux.Handle("GET /recover/code", l.during(recovering, recovering.code(), l.errandCodePage))
	mux.Handle("POST /recover/code", l.during(recovering, recovering.code(), l.errandCode(l.recoverCodeRight)))
	mux.Handle("GET /recover/proof", l.during(recovering, recoverProofPath, l.proofPage))
	mux.Handle("POST /recover/proof", l.during(recovering, recoverProofPath, l.prove(l.recoverProved)))
	mux.Handle("GET /recover/password", l.during(recovering, recoverPasswordPath, l.recoverPasswordPage))
	mux.Handle("POST /recover/password", l.during(recovering, recoverPasswordPath, l.formRecovered))
	mux.Handle("GET /recover/sent", l.waiting(signInPath, l.recoverSentPage))
	mux.Handle("GET /recover/desk", l.door(l.recoverDeskPage))

	mux.Handle("GET /security", l.own("/security", l.securityPage))
	mux.Handle("GET /security/password", l.once(l.ownBy("", openFreshly, l.passwordPage)))
	mux.Handle("POST /security/password", l.once(l.ownBy("", sendFreshly, l.changePassword)))
	mux.Handle("GET /security/factors", l.own(factorsPath, l.factorsPage))
	mux.Handle("GET /security/authenticator", l.once(l.ownBy(api.Substantial, openFreshly, l.authenticatorPage)))
	mux.Handle("POST /security/authenticator", l.once(l.ownBy(api.Substantial, sendFreshly, l.changeAuthenticator)))
	mux.Handle("GET /security/recovery-codes", l.ownBy(api.Substantial, openFreshly, l.recoveryCodesPage))
	mux.Handle("POST /security/recovery-codes", l.ownBy(api.Substantial, sendFreshly, l.makeRecoveryCodes))
	mux.Handle("GET /security/passkeys", l.once(l.ownBy(api.Substantial, openFreshly, l.passkeysPage)))
	mux.Handle("POST /security/passkeys", l.once(l.ownBy(api.Substantial, sendFreshly, l.changePasskeys)))
	mux.Handle("GET /security/phone", l.ownBy(api.Substantial, openFreshly, l.phonePage))
	mux.Handle("POST /security/phone", l.ownBy(api.Substantial, sendFreshly, l.changePhone))
	mux.Handle("GET /security/sessions", l.once(l.own(sessionsPath, l.sessionsPage)))
	mux.Handle("POST /security/sessions", l.once(l.own(sessionsPath, l.endSessions)))
	mux.Handle("GET /security/history", l.own("/security/history", l.historyPage))
	mux.Handle("GET /block", l.blocks(openFreshly, l.blockPage, l.blockErrandPage))
	mux.Handle("POST /block", l.blocks(sendFreshly, l.block, l.blockErrand))
	mux.Handle("GET /block/code", l.during(blocking, blocking.code(), l.errandCodePage))
	mux.Handle("POST /block/code", l.during(blocking, blocking.code(), l.errandCode(l.blockCodeRight)))
	mux.Handle("GET /block/done", l.door(l.blockedPage))
	mux.Handle("GET /unblock", l.waiting(unblocking.path, l.unblockPage))
	mux.Handle("POST /unblock", l.waiting(unblocking.path, l.unblock))
	mux.Handle("GET /unblock/code", l.during(unblocking, unblocking.code(), l.errandCodePage))
	mux.Handle("POST /unblock/code", l.during(unblocking, unblocking.code(), l.errandCode(l.unblockCodeRight)))
	mux.Handle("GET /unblock/proof", l.during(unblocking, unblockProofPath, l.proofPage))
	mux.Handle("POST /unblock/proof", l.during(unblocking, unblockProofPath, l.prove(l.unblockProved)))
	mux.Handle("GET /unblock/password", l.during(unblocking, unblockPasswordPath, l.unblockPasswordPage))
	mux.Handle("POST /unblock/password", l.during(unblocking, unblockPasswordPath, l.formUnblocked))
	mux.Handle("GET /unblock/desk", l.door(l.unblockDeskPage))
	mux.Handle("GET /not-me/{token}", l.door(l.notMePage))
	mux.Handle("POST /not-me/{token}", l.door(l.notMe))
	mux.Handle("GET /rules", l.door(l.rulesPage))
	mux.Handle("POST /sign-out", l.door(l.signOut))
	mux.Handle("GET /sign-out", l.door(l.signedOutPage))
}

// act is what the citizen does at this moment from this browser.
func (l *Login) act(r *http.Request) identity.Act {
	return identity.Act{At: l.cfg.Now(), Agent: browser.Agent(r), Where: l.cfg.Atlas.Of(r), Language: l.cfg.Site.Language(r)}
}

// standing asks how a person stands at this moment.
func (l *Login) standing(ctx context.Context, person uuid.UUID) (provider.Standing, error) {
	var (
		b pgx.Batch
		s provider.Standing
	)
	l.cfg.Accounts.Standing(&b, person, &s)
	return s, l.cfg.Pool.SendBatch(ctx, &b).Close()
}
