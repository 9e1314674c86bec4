package cabinet

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"asoba.example/cabinet/issuer"
	"asoba.example/provider/page"
)

// signIn handles GET /sign-in: it sends the browser to the provider.
func (c *Cabinet) signIn(w http.ResponseWriter, r *http.Request) error {
	sent := request{Request: issuer.NewRequest(), Return: r.URL.Query().Get("return")}
	if !isPage(sent.Return) {
		sent.Return = "/"
	}
	to, err := c.cfg.Issuer.SignInURL(r.Context(), sent.Request, c.site.Language(r))
	if err != nil {
		return page.Refuse(http.StatusServiceUnavailable, "error.provider_away", err)
	}
	if err := c.sessions.send(w, r, sent); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// refusalCode is what an error code of OAuth looks like; anything else is somebody's joke and does not get into the log.
var refusalCode = regexp.MustCompile(`^[a-z_]{1,40}$`)

// callback handles GET /callback: the browser comes back from the provider (OpenID Connect Core §3.1.2.5–6).
func (c *Cabinet) callback(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	sent, err := c.sessions.receive(w, r, query.Get("state"))
	if err != nil {
		return c.stale(w, r)
	}
	// The response must be this provider's own (RFC 9207 §2.4).
	if query.Get("iss") != c.cfg.IssuerURL {
		return page.Refuse(http.StatusBadRequest, "error.sign_in", errors.New("iss of another provider"))
	}
	switch code := query.Get("error"); {
	case code == "access_denied":
		return c.site.Show(w, r, page.View{Status: http.StatusForbidden, Name: "declined", Once: true})
	case refusalCode.MatchString(code):
		return page.Refuse(http.StatusBadGateway, "error.sign_in", errors.New(code))
	case code != "":
		return page.Refuse(http.StatusBadGateway, "error.sign_in", errors.New("an error code of no known form"))
	}
	begun, err := c.cfg.Issuer.Redeem(r.Context(), sent.Request, query.Get("code"))
	if errors.Is(err, issuer.ErrAway) {
		return page.Refuse(http.StatusServiceUnavailable, "error.provider_away", err)
	}
	if err != nil {
		return page.Refuse(http.StatusBadGateway, "error.sign_in", err)
	}
	token, err := c.tokens.Check(r.Context(), begun.AccessToken)
	if err == nil && (token.Subject != begun.Subject || token.AuthTime.IsZero()) {
		err = errors.New("of another person than the ID token")
	}
	if err != nil {
		return page.Refuse(http.StatusBadGateway, "error.sign_in", fmt.Errorf("check an access token: %w", err))
	}
	err = c.sessions.begin(r.Context(), w, r, session{Token: token, AccessToken: begun.AccessToken, Name: begun.Name})
	if err != nil {
		return err
	}
	c.site.Forget(w, r) // somebody else may have sent forms here before
	given, err := c.cfg.Contacts.Find(r.Context(), token.Subject)
	if err != nil {
		return err
	}
	c.site.SetLarge(w, r, given.Large)
	http.Redirect(w, r, inLanguage(sent.Return, given.Language), http.StatusSeeOther)
	return nil
}

// stale answers a response that we do not wait for: the page was loaded again or too late, or in another browser.
func (c *Cabinet) stale(w http.ResponseWriter, r *http.Request) error {
	if c.sessions.had(r) { // signed in already
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	return c.site.Show(w, r, page.View{Status: http.StatusBadRequest, Name: "stale", Once: true})
}
