package eservice

import (
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
