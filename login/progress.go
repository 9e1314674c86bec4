package login

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"asoba.example/login/factor"
	"asoba.example/login/identity"
	"asoba.example/provider"
	"asoba.example/provider/page"
)

// The pages between the password and the session.
const (
	signInPath        = "/sign-in" // before all of them
	codePath          = "/sign-in/code"
	authenticatorStep = "/sign-in/authenticator"
	recoveryCodeStep  = "/sign-in/recovery-code"
	firstPasswordPath = "/sign-in/password"
)

// second tells whether a page is one of the second step: who is to come to one of them may choose another.
func second(path string) bool {
	return path == codePath || path == authenticatorStep || path == recoveryCodeStep
}

// A progress is how far somebody has come in a sign-in: the password was right, and a page is to come. It waits for the next
// page as long as a phone call may take, and each look at the page that is to come lengthens it.
type progress struct {
	Person  uuid.UUID `json:"person"`
	Changed time.Time `json:"changed"` // the identity's ChangedAt, as it was then
	Page    string    `json:"page"`
	Factors bool      `json:"factors,omitempty"` // are to be added as soon as they are signed in
	Proved  time.Time `json:"proved,omitzero"`   // when the sign-in was done, which stands for a proof on a page of a grave act
	AMR     []string  `json:"amr,omitempty"`     // how
	SID     string    `json:"sid,omitempty"`     // of the session that it began
	Formed  bool      `json:"formed,omitempty"`  // a password was, by it
}

// signInWay is the way of a sign-in, beside those of errands.
const signInWay = "sign_in"

// progressFor is how long what was proved waits for the next page.
const progressFor = time.Hour

// A page of a sign-in under way: of whom, and how far they have come.
type underWay struct {
	provider.Interaction
	identity.Identity
	addsFactors bool
}

// first is the page of the second step that somebody comes to first: of what they have bound.
func (u underWay) first() string {
	if u.Authenticator && u.may(authenticatorStep) {
		return authenticatorStep
	}
	return codePath
}

// may tells whether a page of the second step is for somebody who has bound what they have. Where the strongest is asked for the weaker ones
// lead nowhere; the page of the code is also that of a passkey.
func (u underWay) may(path string) bool {
	weaker, strongest := !asksStrongest(u.Interaction), factor.Strongest(u.Identity)
	switch path {
	case authenticatorStep:
		return u.Authenticator && (weaker || strongest <= factor.Owned)
	case recoveryCodeStep:
		return u.RecoveryCodes > 0 && (weaker || strongest <= factor.Owned)
	}
	return weaker || strongest != factor.Owned
}

// ways are the other pages of the second step.
func (u underWay) ways(but string) (all []way) {
	for _, w := range []way{
		{"sign-in.way.authenticator", authenticatorStep}, {"sign-in.way.code", codePath}, {"sign-in.way.recovery_code", recoveryCodeStep},
	} {
		if w.Address != but && u.may(w.Address) {
			all = append(all, way{w.Word, u.At(w.Address)})
		}
	}
	return all
}

// A showStep shows a page of the second step, and what was wrong with its form.
type showStep func(w http.ResponseWriter, r *http.Request, u underWay, wrong ...page.FieldError) error

// step makes a door of a page between the password and the session. Only the page that is to come next
// can be reached; without a proved password it is the first.
func (l *Login) step(path string, door func(http.ResponseWriter, *http.Request, underWay) error) http.Handler {
	return l.once(l.waiting(signInPath, func(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
		p, err := l.progress(r.Context(), i)
		if err != nil {
			return err
		}
		if p.Page == "" {
			return l.goOn(w, r, i, signInPath)
		}
		if p.Page != path && (!second(p.Page) || !second(path)) {
			http.Redirect(w, r, i.At(p.Page), http.StatusSeeOther)
			return nil
		}
		who, err := l.cfg.Registry.Of(r.Context(), p.Person)
		if err != nil {
			return err
		}
		// A re-issue, a change or a block came between, or the term of a temporary password is over: what was proved counts no more.
		if !who.ChangedAt.Equal(p.Changed) || who.Expired(l.cfg.Now()) {
			return l.restart(w, r, i)
		}
		u := underWay{i, who, p.Factors}
		if second(path) && !u.may(path) {
			http.Redirect(w, r, i.At(u.first()), http.StatusSeeOther)
			return nil
		}
		return door(w, r, u)
	}))
}

// goOn leads away from a page that is not to come, on the way that begins at first: whoever came Back to it after signing in goes on. Others begin, with the
// number that was sent; and those who have formed a password there, though the line has lost the session, are told so.
func (l *Login) goOn(w http.ResponseWriter, r *http.Request, i provider.Interaction, first string) error {
	s, _, err := l.signedIn(r)
	if err != nil {
		return err
	}
	if !s.IsZero() {
		http.Redirect(w, r, onward(i), http.StatusSeeOther)
		return nil
	}
	if id, _, wrong := readIdentifier(r); len(wrong) == 0 {
		if err := l.keepNumber(r.Context(), &i, id); err != nil {
			return err
		}
	}
	far, err := l.progress(r.Context(), i)
	if err != nil {
		return err
	}
	to := again(i, first)
	switch {
	case far.Formed:
		to = changed(i)
	case i.Owner != uuid.Nil && first == recovering.path: // the errand has led to the sign-in
		to = i.At(signInPath)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// restart leads back to the first page: what was proved is worth nothing any more.
func (l *Login) restart(w http.ResponseWriter, r *http.Request, i provider.Interaction) error {
	if err := l.forget(r.Context(), signInWay, i); err != nil {
		return err
	}
	http.Redirect(w, r, again(i, signInPath), http.StatusSeeOther)
	return nil
}

// progress gives how far the sign-in has come; the zero progress before the password.
func (l *Login) progress(ctx context.Context, i provider.Interaction) (p progress, err error) {
	err = l.found(ctx, signInWay, i, &p)
	return p, err
}

// found reads how far somebody has come on a way, which then waits as long again; far stays as it is where they have not set out.
func (l *Login) found(ctx context.Context, way string, i provider.Interaction, far any) error {
	kept, err := l.cfg.Redis.GetEx(ctx, farKey(way, i), progressFor).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(kept, far)
	}
	if err != nil {
		return fmt.Errorf("find how far somebody has come: %w", err)
	}
	return nil
}

func (l *Login) keep(ctx context.Context, way string, i provider.Interaction, far any) error {
	kept, err := json.Marshal(far)
	if err != nil {
		return err
	}
	if err := l.cfg.Redis.Set(ctx, farKey(way, i), kept, progressFor).Err(); err != nil {
		return fmt.Errorf("keep how far somebody has come: %w", err)
	}
	return nil
}

func (l *Login) forget(ctx context.Context, way string, i provider.Interaction) error {
	if err := l.cfg.Redis.Del(ctx, farKey(way, i)).Err(); err != nil {
		return fmt.Errorf("forget how far somebody had come: %w", err)
	}
	return nil
}

// farKey digests the interaction's id, which opens a sign-in together with its cookie.
func farKey(way string, i provider.Interaction) string {
	sum := sha256.Sum256([]byte(i.ID))
	return way + ":" + hex.EncodeToString(sum[:16])
}
