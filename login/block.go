package login

import (
	"errors"
	"net/http"

	"asoba.example/login/identity"
	"asoba.example/provider/page"
)

// blockPage handles GET /block: what blocking does and what it does not.
func (l *Login) blockPage(w http.ResponseWriter, r *http.Request, v visitor) error {
	return l.site.Show(w, r, page.View{
		Name: "block", SignedIn: true, Back: "/security",
		Data: blockPage{Identifier: v.Identifier.String(), Phone: v.Phone.Hint()},
	})
}

// block handles POST /block: the person refuses to use the identifier (resolution 792 ¶6).
func (l *Login) block(w http.ResponseWriter, r *http.Request, v visitor) error {
	if r.PostFormValue("decision") != "block" {
		http.Redirect(w, r, "/security", http.StatusSeeOther)
		return nil
	}
	err := l.registry.Block(r.Context(), v.Session.Person, identity.Self, l.act(r))
	if err != nil && !errors.Is(err, identity.ErrState) { // blocked meanwhile from another window: that is what was asked
		return err
	}
	if err := l.sessions.End(r.Context(), w, r); err != nil {
		return err
	}
	http.Redirect(w, r, "/block/done", http.StatusSeeOther)
	return nil
}

// blockedPage handles GET /block/done. It knows nobody: it only tells how to restore access.
func (l *Login) blockedPage(w http.ResponseWriter, r *http.Request) error {
	return l.site.Show(w, r, page.View{Name: "block-done"})
}
