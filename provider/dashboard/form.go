package dashboard

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"asoba.example/provider/clients"
	"asoba.example/provider/page"
)

// formPage is what a representative says of an e-service.
type formPage struct {
	Body         uuid.UUID // of a new one
	Version      clients.Version
	New          bool
	Live         bool // what is said is proposed
	Name         string
	Purpose      string
	RedirectURIs string // one a line
	JWKSURI      string
	Method       string
	Methods      []page.Option
	Scopes       []scopeBox
}

type scopeBox struct {
	Scope   string
	Checked bool
}

// What the form offers; all else is left as it is, and is the management API's to change.
var (
	offered = []string{"profile", "phone", "citizenship", "identification_number", "offline_access"}
	methods = []string{"client_secret_basic", "private_key_jwt", "none"}
)

// secretPage tells a secret, this once.
type secretPage struct {
	ID, Secret string
}

// newForm handles GET /e-services/new?body=.
func (d *Dashboard) newForm(w http.ResponseWriter, r *http.Request, person uuid.UUID) error {
	owner, err := d.body(r, person, r.URL.Query().Get("body"))
	if err != nil {
		return err
	}
	return d.showForm(w, r, formPage{Body: owner, New: true, Method: methods[0]}, clients.Metadata{}, nil)
}

// body gives the body that a request names, if the person represents it.
func (d *Dashboard) body(r *http.Request, person uuid.UUID, named string) (uuid.UUID, error) {
	id, err := uuid.Parse(named)
	if err != nil {
		return id, page.Refuse(http.StatusNotFound, "error.not_found", err)
	}
	return id, d.cfg.Bodies.Represents(r.Context(), id, person)
}

// register handles POST /e-services/new.
func (d *Dashboard) register(w http.ResponseWriter, r *http.Request, person uuid.UUID) error {
	owner, err := d.body(r, person, r.PostFormValue("body"))
	if err != nil {
		return err
	}
	metadata := readForm(r, clients.Metadata{})
	err = d.named(r, metadata)
	var (
		c      *clients.Client
		secret string
	)
	if err == nil {
		c, secret, err = d.cfg.Clients.RegisterDraft(r.Context(), "", owner, metadata, d.by(person))
	}
	if wrong := clients.Wrong(err); wrong != nil {
		return d.showForm(w, r, formPage{Body: owner, New: true}, metadata, wrong)
	}
	if err != nil {
		return err
	}
	return d.tellSecret(w, r, c, secret, "changed")
}

// changeForm handles GET /e-services/{client_id}/change.
func (d *Dashboard) changeForm(w http.ResponseWriter, r *http.Request, person uuid.UUID) error {
	c, err := d.cfg.Bodies.Client(r.Context(), r.PathValue("client_id"), person)
	if err != nil {
		return err
	}
	return d.showForm(w, r, formPage{Live: !c.IsDraft(), Version: c.Version}, c.Metadata, nil)
}

// change handles POST /e-services/{client_id}/change: of a draft at once, of a live one as a proposal.
func (d *Dashboard) change(w http.ResponseWriter, r *http.Request, person uuid.UUID) error {
	ctx := r.Context()
	c, err := d.cfg.Bodies.Client(ctx, r.PathValue("client_id"), person)
	if err != nil {
		return err
	}
	metadata := readForm(r, c.Metadata)
	err = d.named(r, metadata)
	secret, word := "", "changed"
	switch {
	case err != nil:
	case c.IsDraft():
		_, secret, err = d.cfg.Clients.Replace(ctx, c.ID, seen(r), metadata, d.by(person))
	default:
		word = "proposed"
		_, err = d.cfg.Bodies.Propose(ctx, c.ID, seen(r), &metadata, d.by(person))
	}
	if wrong := clients.Wrong(err); wrong != nil {
		return d.showForm(w, r, formPage{Live: !c.IsDraft(), Version: seen(r)}, metadata, wrong)
	}
	if err != nil {
		return err
	}
	return d.tellSecret(w, r, c, secret, word)
}

// readForm makes metadata of what was sent, over what was registered.
func readForm(r *http.Request, m clients.Metadata) clients.Metadata {
	m.ClientName = with(m.ClientName, strings.TrimSpace(r.PostFormValue("name")))
	m.Purpose = with(m.Purpose, strings.TrimSpace(r.PostFormValue("purpose")))
	m.RedirectURIs = strings.Fields(r.PostFormValue("redirect_uris"))
	m.TokenEndpointAuthMethod = r.PostFormValue("method")
	m.JWKSURI = strings.TrimSpace(r.PostFormValue("jwks_uri"))
	if m.JWKSURI != "" {
		m.JWKS = nil
	}
	scopes := []string{"openid"}
	for _, scope := range offered {
		if slices.Contains(r.PostForm["scope"], scope) {
			scopes = append(scopes, scope)
		}
	}
	for _, scope := range strings.Fields(m.Scope) {
		if !slices.Contains(offered, scope) && scope != "openid" {
			scopes = append(scopes, scope)
		}
	}
	m.Scope = strings.Join(scopes, " ")
	m.GrantTypes = slices.DeleteFunc(slices.Clone(m.GrantTypes), func(g string) bool { return g == "refresh_token" })
	if len(m.GrantTypes) == 0 {
		m.GrantTypes = []string{"authorization_code"}
	}
	if slices.Contains(scopes, "offline_access") {
		m.GrantTypes = append(m.GrantTypes, "refresh_token")
	}
	return m
}

// named holds that there is a name, which people are shown; where there is none, it tells of all else that is wrong too.
func (d *Dashboard) named(r *http.Request, m clients.Metadata) error {
	if m.ClientName[""] != "" {
		return nil
	}
	_, err := d.cfg.Clients.Checked(r.Context(), m)
	return errors.Join(&clients.MetadataError{Code: clients.InvalidClientMetadata, Member: "client_name", Reason: "is missing"}, err)
}

// with sets the text for all languages.
func with(t clients.Texts, text string) clients.Texts {
	all := clients.Texts{}
	for language, other := range t {
		all[language] = other
	}
	if all[""] = text; text == "" {
		delete(all, "")
	}
	return all
}

// showForm shows the form as it was filled in, with what is wrong beside it.
func (d *Dashboard) showForm(w http.ResponseWriter, r *http.Request, data formPage, m clients.Metadata, wrong []*clients.MetadataError) error {
	language := d.cfg.Site.Language(r)
	if m.TokenEndpointAuthMethod != "" {
		data.Method = m.TokenEndpointAuthMethod
	}
	data.Name, data.Purpose, data.JWKSURI = m.ClientName[""], m.Purpose[""], m.JWKSURI
	data.RedirectURIs = strings.Join(m.RedirectURIs, "\n")
	all := methods
	if !slices.Contains(all, data.Method) {
		all = append(slices.Clone(all), data.Method)
	}
	for _, method := range all {
		option := page.Option{Value: method, Text: method}
		if slices.Contains(methods, method) {
			option.Text = d.cfg.Site.Say(language, "e-service-form.method."+method, nil)
		}
		data.Methods = append(data.Methods, option)
	}
	for _, scope := range offered {
		data.Scopes = append(data.Scopes, scopeBox{scope, slices.Contains(strings.Fields(m.Scope), scope)})
	}
	view := page.View{Name: "e-service-form", Data: &data, SignedIn: true, Back: "/e-services"}
	if data.New {
		view.At = "/e-services/new?body=" + data.Body.String()
	} else {
		view.Back = strings.TrimSuffix(r.URL.Path, "/change")
	}
	if data.Live {
		view.Title = "e-service-form.live"
	} else if !data.New {
		view.Title = "e-service-form.draft"
	}
	if view.Errors = beside(wrong); view.Errors != nil {
		view.Status = http.StatusUnprocessableEntity
	}
	return d.cfg.Site.Show(w, r, view)
}

// beside tells what is wrong beside each field, in the order of the form, and in general of what has none.
func beside(wrong []*clients.MetadataError) (all []page.FieldError) {
	rest := slices.Clone(wrong)
	for _, field := range []struct {
		name, word string
		members    []string
	}{
		{"name", "e-service-form.wrong_text", []string{"client_name"}},
		{"purpose", "e-service-form.wrong_text", []string{"purpose"}},
		{"redirect_uris", "e-service-form.wrong_uri", []string{"redirect_uris"}},
		{"jwks_uri", "e-service-form.wrong_keys", []string{"jwks", "jwks_uri"}},
	} {
		before := len(rest)
		rest = slices.DeleteFunc(rest, func(w *clients.MetadataError) bool { return slices.Contains(field.members, w.Member) })
		if len(rest) < before {
			all = append(all, page.FieldError{Field: field.name, Word: field.word})
		}
	}
	if len(rest) > 0 {
		all = append(all, page.FieldError{Word: "e-service-form.wrong"})
	}
	return all
}

// tellSecret shows a new secret, or else goes on to the e-service.
func (d *Dashboard) tellSecret(w http.ResponseWriter, r *http.Request, c *clients.Client, secret, word string) error {
	at := "/e-services/" + c.ID + "?" + word
	if secret == "" {
		http.Redirect(w, r, at, http.StatusSeeOther)
		return nil
	}
	return d.cfg.Site.Show(w, r, page.View{Name: "e-service-secret", Data: secretPage{c.ID, secret}, SignedIn: true, At: at})
}
