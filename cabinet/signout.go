package cabinet

import (
	"errors"
	"net/http"

	"asoba.example/provider/api"
	"asoba.example/provider/page"
)

// askSignOut handles GET /sign-out. Its form carries what the provider needs (OpenID Connect RP-Initiated Logout §2), which is no token: the session is
// named by its sid, which tells nothing of whose it is.
func (c *Cabinet) askSignOut(w http.ResponseWriter, r *http.Request) error {
	found, err := c.sessions.find(r.Context(), r)
	if errors.Is(err, errNoSession) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	if err != nil {
		return err
	}
	return c.site.Show(w, r, page.View{
		Name: "sign-out", SignedIn: true, FormAction: []string{c.cfg.IssuerURL},
		Data: signOutPage{ClientID: c.cfg.ClientID, Session: found.Token.SID, Back: c.cfg.URL + "/"},
	})
}

// signOut handles POST /sign-out: it ends the session here and has the browser post the same form to the provider.
func (c *Cabinet) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := c.sessions.end(r.Context(), w, r); err != nil {
		return err
	}
	c.site.Forget(w, r)
	to, err := c.cfg.Issuer.EndSession(r.Context())
	if err != nil || to == "" {
		return page.Refuse(http.StatusServiceUnavailable, "error.sign_out", err)
	}
	http.Redirect(w, r, to, http.StatusTemporaryRedirect)
	return nil
}

// backChannel handles POST /back-channel-logout: the provider itself calls, without a browser, and the Logout Token is all that it shows
// (OpenID Connect Back-Channel Logout §2.5–2.8).
func (c *Cabinet) backChannel(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	over, err := c.cfg.Issuer.CheckLogout(r.Context(), r.PostFormValue("logout_token"))
	if err == nil {
		err = c.sessions.logOut(r.Context(), over)
	}
	if err != nil { // it is the provider's to try again
		return api.Refuse(http.StatusBadRequest, "logout_failed", err)
	}
	w.Header().Set("Cache-Control", "no-store")
	return nil
}
