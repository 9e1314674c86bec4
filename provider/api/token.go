package api

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	maxToken = 8 << 10
	skew     = 10 * time.Second
)

// algorithms of access tokens: the one that the provider signs them with.
var algorithms = []jose.SignatureAlgorithm{jose.ES256}

// ErrUnknownKey is what a KeySource says of a kid that it has never seen.
var ErrUnknownKey = errors.New("unknown key")

// ErrKeys says that the key of a token cannot be had at the moment.
var ErrKeys = errors.New("no keys of tokens")

// ErrToken says that a token is not good. Any other error of Check means that it cannot tell.
var ErrToken = errors.New("token not accepted")

// ErrExpired says of a token that its time is over, and nothing else is wrong with it. It is an ErrToken.
var ErrExpired = fmt.Errorf("%w: exp", ErrToken)

// A KeySource finds the public key that signed a token: the ring in idp, JWKS
// over HTTP in cabinet. A kid that is nobody's is ErrUnknownKey; any other error
// means that it cannot tell at the moment.
type KeySource interface {
	Key(ctx context.Context, kid string) (jose.JSONWebKey, error)
}

// A Token is what a verified access token says (RFC 9068 §2.2).
type Token struct {
	Issuer   string
	Subject  string
	ClientID string
	Audience []string
	Scopes   []string
	Claims   []string // that UserInfo tells beyond those of the scopes
	ID       string   // jti
	GID      string   // the grant; "" for client_credentials
	SID      string
	ACR      string
	AMR      []string
	AuthTime time.Time // zero for client_credentials
	IssuedAt time.Time
	Expiry   time.Time
	Act      *Actor   // who acts for the subject with a token that was exchanged; nil: whom it was issued to
	Via      []string // the clients that had it before it was exchanged for this one, the first one first

	Bound  Confirmation // to whom it is bound; zero for whoever bears it
	Scheme string       // that it was shown by: Bearer or DPoP
	Proven string       // the algorithm of the proof beside it; "" where there was none
}

// Clients are those that the token came through, and last the one that holds it. It is good while all of them are in use: of the actors
// before only a trail is told, which nothing is to be judged by (RFC 8693 §4.1).
func (t Token) Clients() []string { return append(slices.Clone(t.Via), t.ClientID) }

// An Actor acts for the subject of a token, having been shown one by the actor before (RFC 8693 §4.1). The last one stands first; only that
// one is to be judged by.
type Actor struct {
	Subject string `json:"sub"` // a client's id
	Act     *Actor `json:"act,omitempty"`
}

// Depth counts those who act one for another.
func (a *Actor) Depth() int {
	if a == nil {
		return 0
	}
	return 1 + a.Act.Depth()
}

// A Confirmation is what the bearer of a token must prove to hold: cnf (RFC 7800 §3.1).
type Confirmation struct {
	Key         string `json:"jkt,omitempty"`      // thumbprint of the key that signs the proofs (RFC 9449 §6.1)
	Certificate string `json:"x5t#S256,omitempty"` // thumbprint of the certificate of the connection (RFC 8705 §3.1)
}

// Levels of assurance: values of acr.
const (
	Low         = "low"
	Substantial = "substantial" // by more than a password
)

// Levels are they, the weaker first.
var Levels = []string{Low, Substantial}

// Level is how high a level stands, from 1; of one that there is not, or none, it is 0.
func Level(acr string) int { return slices.Index(Levels, acr) + 1 }

// The schemes by which an access token is shown (RFC 6750 §2.1; RFC 9449 §7.1).
const (
	Bearer = "Bearer"
	DPoP   = "DPoP"
)

// Scheme is the one by which a token of this confirmation is shown.
func (c Confirmation) Scheme() string {
	if c.Key != "" {
		return DPoP
	}
	return Bearer
}

// ByClient tells a token that a client got in its own name from one that a person's sign-in gave.
func (t Token) ByClient() bool { return t.GID == "" }

// Has tells whether the token carries the scope.
func (t Token) Has(scope string) bool { return slices.Contains(t.Scopes, scope) }

// RequireSignIn demands that a person has signed in at a level or a higher one, and where a time is given, within it. The error is a 401 problem, and the
// answer says what is needed (RFC 9470 §3).
func (t Token) RequireSignIn(w http.ResponseWriter, acr string, within time.Duration, now time.Time) error {
	switch {
	case Level(t.ACR) >= Level(acr) && (within == 0 || now.Sub(t.AuthTime) <= within):
		return nil
	case within == 0:
		return t.AskSignIn(w, acr)
	}
	return t.AskSignIn(w, acr, `max_age="`+strconv.Itoa(int(within/time.Second))+`"`)
}

// AskSignIn asks for another sign-in at a level, with more parameters that say how. The error is a 401 problem (RFC 9470 §3).
func (t Token) AskSignIn(w http.ResponseWriter, acr string, more ...string) error {
	needed := append([]string{`acr_values="` + acr + `"`}, more...)
	Challenge(w, t.Scheme, "insufficient_user_authentication", needed...)
	return Refuse(http.StatusUnauthorized, "insufficient_user_authentication", nil)
}

// A Verifier checks access tokens of one issuer for one audience (RFC 9068 §4).
type Verifier struct {
	Keys     KeySource
	Issuer   string
	Audience string
	Proofs   *Proofs   // nil: no token that is bound to a key is taken
	Verified *Verified // nil: every signature is checked
	Now      func() time.Time
}

// Require verifies the request's token and demands a scope. The error is a 401
// or 403 problem with WWW-Authenticate (RFC 6750 §3).
func (v Verifier) Require(w http.ResponseWriter, r *http.Request, scope string) (Token, error) {
	token, err := v.Verify(w, r)
	if err != nil {
		return Token{}, err
	}
	if !token.Has(scope) {
		Challenge(w, token.Scheme, "insufficient_scope", `scope="`+scope+`"`)
		return Token{}, Refuse(http.StatusForbidden, "insufficient_scope", nil)
	}
	return token, nil
}

// Verify reads the access token of a request and checks it, and the proof beside it. The error is a 401 problem with
// WWW-Authenticate, 503 where the keys cannot be had, or one of ours.
func (v Verifier) Verify(w http.ResponseWriter, r *http.Request) (Token, error) {
	scheme, raw := Credentials(r)
	if scheme == "" {
		// Without a word of error: the caller may not have known (RFC 6750 §3.1).
		Challenge(w, "", "")
		return Token{}, Refuse(http.StatusUnauthorized, "token_required", nil)
	}
	token, err := v.Admit(r, scheme, raw)
	code := Reason(err)
	switch {
	case code != "":
		Challenge(w, scheme, code)
		v.Proofs.Challenge(w, err)
		return Token{}, Refuse(http.StatusUnauthorized, code, err)
	case errors.Is(err, ErrKeys):
		return Token{}, Refuse(http.StatusServiceUnavailable, "keys_unavailable", err)
	}
	return token, err
}

// Credentials gives the access token in a request's header, and the scheme, which is written in any case (RFC 9110 §11.1); "" where there
// is none, or more than one.
func Credentials(r *http.Request) (scheme, token string) {
	sent := r.Header.Values("Authorization")
	if len(sent) != 1 {
		return "", ""
	}
	scheme, token, _ = strings.Cut(sent[0], " ")
	for _, known := range []string{Bearer, DPoP} {
		if strings.EqualFold(scheme, known) {
			return known, strings.TrimSpace(token)
		}
	}
	return "", ""
}

// Admit checks an access token as it was shown: that it is good, and that whoever shows it is whom it is bound to.
func (v Verifier) Admit(r *http.Request, scheme, raw string) (Token, error) {
	token, err := v.Check(r.Context(), raw)
	if err != nil {
		return Token{}, err
	}
	token.Scheme = scheme
	if scheme != token.Bound.Scheme() { // a bound one is no bearer token (RFC 9449 §7.2)
		return Token{}, fmt.Errorf("%w: shown as %s", ErrToken, scheme)
	}
	if bound := token.Bound.Certificate; bound != "" {
		if certs := Certificates(r); len(certs) == 0 || CertificateThumbprint(certs[0]) != bound {
			return Token{}, fmt.Errorf("%w: bound to another certificate", ErrToken)
		}
	}
	if token.Bound.Key == "" {
		return token, nil
	}
	if v.Proofs == nil {
		return Token{}, fmt.Errorf("%w: bound to a key", ErrToken)
	}
	proof, err := v.Proofs.ReadFor(r, raw)
	if err != nil {
		return Token{}, err
	}
	if proof.Thumbprint != token.Bound.Key {
		return Token{}, fmt.Errorf("%w: bound to another key", ErrToken)
	}
	token.Proven = string(proof.Algorithm)
	return token, v.Proofs.Use(r.Context(), proof) // last, so that strangers' proofs are not remembered
}

// Certificates are those that the caller's end of the connection has shown, its own first, whose key it holds. They come from connections
// that this program ended itself; a header in which a proxy tells of one is a stranger's word.
func Certificates(r *http.Request) []*x509.Certificate {
	if r.TLS == nil {
		return nil
	}
	return r.TLS.PeerCertificates
}

// CertificateThumbprint is how a token names the certificate that it is bound to: x5t#S256 (RFC 8705 §3.1).
func CertificateThumbprint(c *x509.Certificate) string { return thumbprint(c.Raw) }

// Reason is the error code for an access token that Admit refuses (RFC 6750 §3.1; RFC 9449 §7.1); "" where it could not tell.
func Reason(err error) string {
	switch {
	case errors.Is(err, ErrToken):
		return "invalid_token"
	case errors.Is(err, ErrProof):
		return "invalid_dpop_proof"
	case errors.Is(err, ErrNonce):
		return "use_dpop_nonce"
	}
	return ""
}

// Challenge tells in WWW-Authenticate what was wrong with a token by its scheme, with more parameters, and offers the other scheme
// (RFC 6750 §3; RFC 9449 §7.1). Where nothing was shown nothing is wrong: scheme and code are "".
func Challenge(w http.ResponseWriter, scheme, code string, more ...string) {
	for _, offered := range []string{Bearer, DPoP} {
		var parameters []string
		if offered == scheme {
			parameters = append([]string{`error="` + code + `"`}, more...)
		}
		if offered == DPoP {
			parameters = append(parameters, proofAlgs)
		}
		w.Header().Add("WWW-Authenticate", strings.TrimSpace(offered+" "+strings.Join(parameters, ", ")))
	}
}

// proofAlgs tells which algorithms may sign a proof (RFC 9449 §7.1).
var proofAlgs = fmt.Sprintf("algs=%q", strings.Trim(fmt.Sprint(ProofAlgorithms), "[]"))

// Check checks a token by itself: typ, allowed algorithm, signature, iss, aud, exp.
func (v Verifier) Check(ctx context.Context, raw string) (Token, error) {
	token, err := v.Inspect(ctx, raw)
	if err == nil && !slices.Contains(token.Audience, v.Audience) {
		err = fmt.Errorf("%w: aud", ErrToken)
	}
	if err != nil {
		return Token{}, err
	}
	return token, nil
}

// Inspect is Check for the issuer itself, which tells others about tokens whatever audience they have. What a token said it gives with ErrExpired too.
func (v Verifier) Inspect(ctx context.Context, raw string) (Token, error) {
	if len(raw) > maxToken {
		return Token{}, fmt.Errorf("%w: too long", ErrToken)
	}
	said, err := v.read(ctx, raw)
	if err != nil {
		return Token{}, err
	}
	now, token := v.Now(), said.token
	switch {
	case token.Issuer != v.Issuer:
		return Token{}, fmt.Errorf("%w: iss", ErrToken)
	case now.Add(skew).Before(said.notBefore):
		return Token{}, fmt.Errorf("%w: nbf", ErrToken)
	}
	// Whoever has it may do with it what they like: it may be shown again.
	token.Audience, token.Scopes, token.Claims = slices.Clone(token.Audience), slices.Clone(token.Scopes), slices.Clone(token.Claims)
	token.AMR, token.Via = slices.Clone(token.AMR), slices.Clone(token.Via)
	if now.After(token.Expiry.Add(skew)) {
		return token, ErrExpired
	}
	return token, nil
}

// said is what its issuer says in a token, and which key that is signed by.
type said struct {
	kid, algorithm string
	token          Token
	notBefore      time.Time // zero: it was good at once
}

// read gives what a token says that is signed by a key that is believed.
func (v Verifier) read(ctx context.Context, raw string) (*said, error) {
	says, good := v.Verified.find(raw)
	var parsed *jwt.JSONWebToken
	if says == nil {
		var err error
		if parsed, err = jwt.ParseSigned(raw, algorithms); err != nil {
			return nil, fmt.Errorf("%w: not a JWT of an allowed algorithm", ErrToken)
		}
		header := parsed.Headers[0]
		// The type keeps an ID token from being taken for an access token (RFC 9068 §4).
		typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
		if typ = strings.ToLower(typ); typ != "at+jwt" && typ != "application/at+jwt" {
			return nil, fmt.Errorf("%w: typ", ErrToken)
		}
		says = &said{kid: header.KeyID, algorithm: header.Algorithm}
	}
	key, err := v.Keys.Key(ctx, says.kid)
	switch {
	case errors.Is(err, ErrUnknownKey):
		return nil, fmt.Errorf("%w: kid", ErrToken)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	if key.Algorithm != "" && key.Algorithm != says.algorithm {
		return nil, fmt.Errorf("%w: alg", ErrToken)
	}
	if parsed == nil { // read before, signed by this very key: a kid names no other
		return says, nil
	}
	if err := says.hear(parsed, key, good); err != nil {
		return nil, err
	}
	v.Verified.keep(raw, says)
	return says, nil
}

// hear reads the claims, once the signature is good.
func (s *said) hear(parsed *jwt.JSONWebToken, key jose.JSONWebKey, good bool) (err error) {
	var claims struct {
		jwt.Claims
		ClientID string           `json:"client_id"`
		Scope    string           `json:"scope"`
		UserInfo []string         `json:"userinfo"`
		GID      string           `json:"gid"`
		SID      string           `json:"sid"`
		ACR      string           `json:"acr"`
		AMR      []string         `json:"amr"`
		Act      *Actor           `json:"act"`
		Via      []string         `json:"via"`
		AuthTime *jwt.NumericDate `json:"auth_time"`
		Bound    Confirmation     `json:"cnf"`
	}
	if good {
		err = parsed.UnsafeClaimsWithoutVerification(&claims)
	} else {
		err = parsed.Claims(key.Key, &claims)
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w: signature", ErrToken)
	case claims.Expiry == nil:
		return fmt.Errorf("%w: exp", ErrToken)
	case claims.Subject == "" || claims.ClientID == "" || claims.ID == "" || claims.IssuedAt == nil:
		return fmt.Errorf("%w: a required claim is missing", ErrToken)
	}
	s.token = Token{
		Issuer:   claims.Issuer,
		Subject:  claims.Subject,
		ClientID: claims.ClientID,
		Audience: claims.Audience,
		Scopes:   strings.Fields(claims.Scope),
		Claims:   claims.UserInfo,
		ID:       claims.ID,
		GID:      claims.GID,
		SID:      claims.SID,
		ACR:      claims.ACR,
		AMR:      claims.AMR,
		IssuedAt: claims.IssuedAt.Time().UTC(),
		Expiry:   claims.Expiry.Time().UTC(),
		Act:      claims.Act,
		Via:      claims.Via,
		Bound:    claims.Bound,
	}
	if claims.AuthTime != nil {
		s.token.AuthTime = claims.AuthTime.Time().UTC()
	}
	if claims.NotBefore != nil {
		s.notBefore = claims.NotBefore.Time()
	}
	return nil
}
