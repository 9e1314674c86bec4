package provider

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"asoba.example/provider/grant"
	"asoba.example/provider/page"
	"asoba.example/provider/seal"
)

// ErrNoInteraction says that nobody waits here: it is over, unknown, or another browser's.
var ErrNoInteraction = errors.New("no such interaction")

// An Interaction is somebody who waits: an authorization request, or one of our own pages, that needs the person first. What is asked stands from its
// beginning; what its pages have learnt since is kept by Learn.
// Its ID stands in the address of our pages (?interaction=…) and is bound to the browser by a cookie.
type Interaction struct {
	ID       string
	Request  url.Values   // the authorization request, checked and cleaned; nil when a page of ours waits
	ClientID string       // "" when a page of ours waits for no client
	Page     string       // the page of ours that waits: "/security"
	Then     string       // where somebody goes on from that page who is waited for elsewhere; "" where nobody is
	ACR      string       // the level asked: "" for any
	Fresh    bool         // a sign-in of its own is asked for: by prompt=login or by max_age, of which 0 is the same (OpenID Connect Core §3.1.2.1)
	Locales  string       // ui_locales
	Hint     string       // digest of the subject that id_token_hint or claims names
	Claims   grant.Claims // asked for by name
	Pushed   string       // digest of the request_uri that the request was pushed under; "" for none
	Asked    time.Time    // a sign-in must not be earlier than this where a fresh one is asked
	Decided
	Claimant

	browser []byte // digest of the cookie it is bound to; nil until a browser has come with it
}

// Decided is what the person has said to the request, on the pages that ask them: of consent, of a device, or any where they may refuse it.
type Decided struct {
	Agreed    []string // scopes agreed to on the consent page, for this request
	Confirmed string   // the session whose person said that the device is theirs (RFC 8628 §5.4)
	Refused   bool     // the person said no
}

// A Claimant is what the pages of sign-in have learnt of who waits; none but login writes it. Nobody is signed in by it.
type Claimant struct {
	Typed string    `json:",omitempty"` // the number that was typed last, so that who begins again need not type it: whosever it is
	Known uuid.UUID `json:",omitzero"`  // whose password was right last, for the same reason
	Owner uuid.UUID `json:",omitzero"`  // who has proved here, by a code and their document or a factor, whose the number is: strangers use up none of their tries
}

// Continue is where the browser goes when a page is done: back to the authorization endpoint, or to the page of ours that waited.
func (i Interaction) Continue() string {
	if i.Request == nil {
		return i.Page
	}
	if i.Page != "" {
		return i.At(i.Page)
	}
	return i.At("/authorize")
}

// At gives the address of one of our pages for this interaction: At("/sign-in") is /sign-in?interaction=ID.
func (i Interaction) At(path string) string {
	return path + "?interaction=" + i.ID
}

// Asks gives the scopes that the person is asked about: the request's, and those to which the claims belong that it asks for by name.
func (i Interaction) Asks() []string {
	return asks(strings.Fields(i.Request.Get("scope")), i.Claims)
}

// LeadsTo gives the addresses beyond our own that this interaction's pages may lead to, for page.View.FormAction:
// the answer to a form may be a redirect through the authorization endpoint to the client.
func (i Interaction) LeadsTo() []string {
	if uri := i.Request.Get("redirect_uri"); uri != "" {
		return []string{uri}
	}
	return nil
}

// InteractionsConfig is what Interactions need.
type InteractionsConfig struct {
	Redis  redis.UniversalClient
	Box    *seal.Box     // whose pouch seals the browser's copy, and the number that was typed
	Secure bool          // https: __Host- cookies
	For    time.Duration // how long somebody may wait
	Now    func() time.Time
}

// Interactions keeps those who wait, in Redis, and their browsers have a copy.
type Interactions struct {
	cfg   InteractionsConfig
	pouch *seal.Pouch
}

// NewInteractions makes Interactions.
func NewInteractions(cfg InteractionsConfig) (*Interactions, error) {
	pouch, err := cfg.Box.Pouch("interactions")
	if err != nil {
		return nil, err
	}
	return &Interactions{cfg, pouch}, nil
}

// Begin keeps an interaction for a page of ours and binds it to the browser.
func (s *Interactions) Begin(ctx context.Context, w http.ResponseWriter, r *http.Request, i Interaction) (Interaction, error) {
	i.browser = s.bind(w, r)
	i, err := s.keep(ctx, i)
	if err != nil {
		return Interaction{}, err
	}
	return i, s.leaveCopy(w, r, i)
}

// Find gives the interaction named by the request's ?interaction= or form field; ErrNoInteraction if it is over, unknown
// or another browser's.
func (s *Interactions) Find(ctx context.Context, r *http.Request) (Interaction, error) {
	i, err := s.read(ctx, r)
	if err != nil {
		return Interaction{}, err
	}
	if !s.bound(r, i) {
		return Interaction{}, s.unbound(r)
	}
	return i, nil
}

// Learn keeps what a page has learnt: what was Decided, and of the Claimant. It changes the interaction as it stands by now, and gives i as that, so
// that whoever took long takes nothing back that the page of another tab has learnt since. learn may be asked more than once.
func (s *Interactions) Learn(ctx context.Context, i *Interaction, learn func(*Interaction)) error {
	key := interactionKey(i.ID)
	change := func(tx *redis.Tx) error {
		value, err := tx.Get(ctx, key).Bytes()
		if err != nil {
			return err
		}
		now, err := s.standing(i.ID, value)
		if err != nil {
			return err
		}
		learn(&now)
		if value, err = s.record(now); err != nil {
			return err
		}
		_, err = tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			return pipe.SetXX(ctx, key, value, redis.KeepTTL).Err()
		})
		if err == nil {
			*i = now
		}
		return err
	}
	for {
		switch err := s.cfg.Redis.Watch(ctx, change, key); {
		case errors.Is(err, redis.TxFailedErr): // another has learnt something meanwhile
		case errors.Is(err, redis.Nil):
			return over()
		case err != nil:
			return fmt.Errorf("keep what was learnt: %w", err)
		default:
			return nil
		}
	}
}

// answered stands in place of a request that was, for as long as it might have waited: nothing that is still on its way from the browser, which has
// its copy until it hears the answer, raises the request once more.
const answered = ""

// answer answers a request once, whether it waits or Redis has lost it: by 0 the later of two that do so at one moment hears that it came too late.
const answer = `
	if redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'GET') == ARGV[1] then return 0 end
	return 1`

// answer puts that into a pipeline.
func (s *Interactions) answer(ctx context.Context, pipe redis.Pipeliner, id string) *redis.Cmd {
	return pipe.Eval(ctx, answer, []string{interactionKey(id)}, answered, s.cfg.For.Milliseconds())
}

// claim finds an interaction as Find does, and binds one that has no browser yet: a request that came as a cross-site POST brought no
// cookies along, so the browser is known only when it follows the redirect.
func (s *Interactions) claim(ctx context.Context, w http.ResponseWriter, r *http.Request) (Interaction, error) {
	i, err := s.read(ctx, r)
	if err != nil {
		return Interaction{}, err
	}
	if i.browser == nil {
		browser := s.bind(w, r)
		if err := s.Learn(ctx, &i, func(i *Interaction) { i.browser = browser }); err != nil {
			return Interaction{}, err
		}
		return i, s.leaveCopy(w, r, i)
	}
	if !s.bound(r, i) {
		return Interaction{}, s.unbound(r)
	}
	return i, nil
}

// keep stores a new interaction under a new ID.
func (s *Interactions) keep(ctx context.Context, i Interaction) (Interaction, error) {
	i.ID = rand.Text()
	if i.Asked.IsZero() {
		i.Asked = s.cfg.Now()
	}
	value, err := s.record(i)
	if err != nil {
		return Interaction{}, err
	}
	if err := s.cfg.Redis.Set(ctx, interactionKey(i.ID), value, s.cfg.For).Err(); err != nil {
		return Interaction{}, fmt.Errorf("keep interaction: %w", err)
	}
	return i, nil
}

func (s *Interactions) read(ctx context.Context, r *http.Request) (Interaction, error) {
	id := r.URL.Query().Get("interaction")
	if id == "" && r.Method == http.MethodPost {
		id = r.PostFormValue("interaction")
	}
	if id == "" {
		return Interaction{}, over()
	}
	value, err := s.cfg.Redis.Get(ctx, interactionKey(id)).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		if value, err = s.revive(ctx, r, id); err != nil {
			return Interaction{}, err
		}
	case err != nil:
		return Interaction{}, fmt.Errorf("find interaction: %w", err)
	}
	return s.standing(id, value)
}

// standing is how an interaction stands by what Redis has of it.
func (s *Interactions) standing(id string, value []byte) (Interaction, error) {
	if string(value) == answered {
		return Interaction{}, over()
	}
	var record interactionRecord
	if err := json.Unmarshal(value, &record); err != nil {
		return Interaction{}, fmt.Errorf("find interaction: %w", err)
	}
	i := record.Interaction
	i.ID, i.browser = id, record.Browser
	if typed, err := s.pouch.Open(typedPlace(id), record.Number); err == nil { // else it is typed once more
		i.Typed = string(typed)
	}
	return i, nil
}

// interactionRecord is an Interaction as Redis has it: without the ID, whose digest is the key, and with the number sealed.
type interactionRecord struct {
	Interaction
	Browser []byte
	Number  []byte `json:",omitempty"`
}

func (s *Interactions) record(i Interaction) ([]byte, error) {
	record := interactionRecord{Interaction: i, Browser: i.browser}
	if i.Typed != "" {
		var err error
		if record.Number, err = s.pouch.Seal(typedPlace(i.ID), []byte(i.Typed)); err != nil {
			return nil, err
		}
	}
	record.ID, record.Typed = "", ""
	return json.Marshal(record)
}

// typedPlace binds a number to the interaction that it was typed in.
func typedPlace(id string) string { return "redis:interaction:" + digest(id) }

func interactionKey(id string) string { return "interaction:{" + digest(id) + "}" }

// over is shown as a page that says to begin again at the service.
func over() error { return page.Refuse(http.StatusBadRequest, "interaction.over", ErrNoInteraction) }

// unbound is over, to a browser that another interaction is bound to; to others it says what they would need.
func (s *Interactions) unbound(r *http.Request) error {
	if s.Binds(r) {
		return over()
	}
	return page.Refuse(http.StatusBadRequest, "interaction.no_cookie", ErrNoInteraction)
}

// Binds tells whether the browser has brought the cookie that interactions are bound to. One that keeps no cookies never does.
func (s *Interactions) Binds(r *http.Request) bool { return s.Browser(r) != nil }

func (s *Interactions) cookieName() string {
	if s.cfg.Secure {
		return "__Host-idp_waiting"
	}
	return "idp_waiting"
}

// cookieLength is that of rand.Text.
const cookieLength = 26

// bind gives the digest of the browser's cookie, and first the cookie to a browser that has none.
func (s *Interactions) bind(w http.ResponseWriter, r *http.Request) []byte {
	var value string
	if c, err := r.Cookie(s.cookieName()); err == nil && len(c.Value) == cookieLength {
		value = c.Value
	} else {
		value = rand.Text()
		s.setCookie(w, s.cookieName(), value, 0)
	}
	sum := sha256.Sum256([]byte(value))
	return sum[:]
}

// setCookie sets one that goes when the browser is closed.
func (s *Interactions) setCookie(w http.ResponseWriter, name, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		Secure: s.cfg.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// Browser gives the digest of the browser's cookie; nil where it has none.
func (s *Interactions) Browser(r *http.Request) []byte {
	c, err := r.Cookie(s.cookieName())
	if err != nil {
		return nil
	}
	sum := sha256.Sum256([]byte(c.Value))
	return sum[:]
}

func (s *Interactions) bound(r *http.Request, i Interaction) bool {
	return i.browser != nil && subtle.ConstantTimeCompare(s.Browser(r), i.browser) == 1
}

// digest names a secret in Redis without telling it.
func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
