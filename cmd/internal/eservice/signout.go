package eservice

import (
	"fmt"
	"net/http"
	"net/url"
)

// signOut ends the visit here, then the session at the provider (OpenID Connect RP-Initiated Logout §2).
//
// The ID token names the citizen, so it is better not in an address, where histories and logs keep it: the page's
// form carries it as the hint in a hidden field, and 307 has the browser post the same form to the provider.
// Whoever calls without the form is sent there by the usual redirect.
func (s *service) signOut(w http.ResponseWriter, r *http.Request) error {
	d, err := s.provider.discover(r.Context())
	if err != nil {
		return refuse(http.StatusServiceUnavailable, "provider_down", err)
	}
	v, signedIn := s.visit(r)
	s.forget(w, r)
	if r.PostFormValue("id_token_hint") != "" {
		http.Redirect(w, r, d.more.EndSession, http.StatusTemporaryRedirect)
		return nil
	}
	if !signedIn {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	http.Redirect(w, r, d.more.EndSession+"?"+url.Values{
		"id_token_hint":            {v.idToken},
		"post_logout_redirect_uri": {s.cfg.URL + "/"},
	}.Encode(), http.StatusSeeOther)
	return nil
}

// backChannel ends the visits of a session that is over at the provider: the citizen signed out at another e-service, or blocked the
// identifier. The provider itself calls, without a browser; the Logout Token is all that it shows (OpenID Connect Back-Channel Logout §2.5).
// To end an ended visit is a success too, for a call may be repeated.
func (s *service) backChannel(w http.ResponseWriter, r *http.Request) {
	if err := s.takeLogout(r); err != nil {
		s.log.WarnContext(r.Context(), "refused", "route", r.Pattern, "err", err)
		w.WriteHeader(http.StatusBadRequest) // the provider will try again (§2.8)
	}
}

func (s *service) takeLogout(r *http.Request) error {
	d, err := s.provider.discover(r.Context())
	if err != nil {
		return err
	}
	token, err := d.verifier.VerifyLogout(s.provider.client(r.Context()), r.PostFormValue("logout_token")) // all of §2.6
	if err != nil {
		return fmt.Errorf("verify the logout token: %w", err)
	}
	s.visits.endSession(token.SessionID, token.Subject)
	return nil
}
