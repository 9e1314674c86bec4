package cabinet

import (
	"net/http"
	"net/url"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/contact"
	"asoba.example/provider/page"
)

// settings handles GET /settings.
func (c *Cabinet) settings(w http.ResponseWriter, r *http.Request) error {
	var given contact.Contact
	v, in, err := c.visit(w, r, func(b *pgx.Batch, subject string) { c.cfg.Contacts.Queue(b, subject, &given) })
	if err != nil || !in {
		return err
	}
	return c.showSettings(w, r, v, settingsPage{Email: given.Email, Phone: given.Phone, Language: given.Language, Large: given.Large}, nil)
}

// giveContact handles POST /settings. The profile that follows is in the language, and as large, as was chosen.
func (c *Cabinet) giveContact(w http.ResponseWriter, r *http.Request) error {
	v, in, err := c.visit(w, r, nil)
	if err != nil || !in {
		return err
	}
	// Of a form that did not arrive whole what is missing would be taken for what the citizen takes back.
	err = r.ParseForm()
	if err != nil || !r.PostForm.Has("email") || !r.PostForm.Has("phone") || !r.PostForm.Has("language") {
		return page.Refuse(http.StatusBadRequest, "error.contact", err)
	}
	form := settingsPage{
		Email: r.PostForm.Get("email"), Phone: r.PostForm.Get("phone"), Language: r.PostForm.Get("language"), Large: r.PostForm.Has("large"),
	}
	given, wrong := form.read()
	if wrong != nil {
		return c.showSettings(w, r, v, form, wrong)
	}
	if err := c.cfg.Contacts.Give(r.Context(), v.Token.Subject, given, v.Token.ACR, c.cfg.Now()); err != nil {
		return err
	}
	c.site.SetLarge(w, r, given.Large)
	http.Redirect(w, r, inLanguage("/profile", given.Language), http.StatusSeeOther)
	return nil
}

// read reads what was entered, or says what is wrong with it.
func (p settingsPage) read() (given contact.Contact, wrong []page.FieldError) {
	given.Large = p.Large
	for _, field := range []struct {
		name, value string
		parse       func(string) (string, error)
		to          *string
	}{
		{"email", p.Email, contact.ParseEmail, &given.Email},
		{"phone", p.Phone, contact.ParsePhone, &given.Phone},
		{"language", p.Language, contact.ParseLanguage, &given.Language},
	} {
		var err error
		if *field.to, err = field.parse(field.value); err != nil {
			wrong = append(wrong, page.FieldError{Field: field.name, Word: "wrong." + field.name})
		}
	}
	return given, wrong
}

func (c *Cabinet) showSettings(w http.ResponseWriter, r *http.Request, v visitor, form settingsPage, wrong []page.FieldError) error {
	form.Languages, form.Security = c.languages(c.site.Language(r)), c.securityPage()
	view := page.View{Name: "settings", Data: form, Errors: wrong}
	if wrong != nil {
		view.Status = http.StatusBadRequest
	}
	return c.showForm(w, r, v, view)
}

// languages are those that can be chosen, and none.
func (c *Cabinet) languages(language string) []page.Option {
	all := []page.Option{{Text: c.site.Say(language, "contact.language.any", nil)}}
	for _, l := range page.Languages {
		all = append(all, page.Option{Value: l, Text: c.site.Say(language, "service.language."+l, nil)})
	}
	return all
}

// inLanguage is the address of a page of ours by which the reader's language becomes this one, as by the switch; "" leaves it.
func inLanguage(path, language string) string {
	if language == "" {
		return path
	}
	return path + "?" + url.Values{"language": {language}}.Encode()
}
