package deskpage

import (
	"embed"
	"net/http"
	"sync"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/clients"
	"asoba.example/provider/page"
)

//go:embed pages parts static words
var files embed.FS

// Room is what the page brings to the site.
func Room() page.Room { return page.Room{FS: files} }

// Config is what a Page needs.
type Config struct {
	Site      *page.Site
	Client    func() clients.Credentials // zero until the page is registered
	Addresses clients.Addresses
	Password  func(cast.Person) string // what is known of somebody's password, for the hint whom to sign in as
	Secure    bool                     // https
	HTTP      *http.Client
}

// A Page is the desk's.
type Page struct {
	Config

	mu       sync.Mutex // keeps what follows
	provider *provider
	visits   map[string]*visit // by the cookie
}

// New makes a Page.
func New(cfg Config) *Page { return &Page{Config: cfg, visits: map[string]*visit{}} }

// Mount opens the doors.
func (d *Page) Mount(mux *http.ServeMux) {
	door := func(pattern string, h func(http.ResponseWriter, *http.Request) error) {
		mux.Handle(pattern, d.Site.Handle(h))
	}
	door("GET /desk", d.desk)
	door("GET /desk/sign-in", d.signIn)
	door("GET /desk/callback", d.callback)
	door("POST /desk/sign-out", d.signOut)
	door("GET /desk/visitors/{key}", d.clerks(d.visitor))
	door("POST /desk/visitors/{key}", d.clerks(d.lookUp))
	door("GET /desk/visitors/{key}/{operation}", d.clerks(d.at(d.work)))
	door("POST /desk/visitors/{key}/{operation}", d.clerks(d.at(d.act)))
	door("POST /desk/visitors/{key}/{operation}/application", d.clerks(d.at(d.application)))
	mux.Handle("POST /desk/visitors/{key}/{operation}/paper", uploading(d.Site.Handle(d.clerks(d.at(d.keep)))))
	door("GET /desk/pending", d.clerks(d.pending))
	door("GET /desk/pending/{id}", d.clerks(d.resumed(d.work)))
	door("POST /desk/pending/{id}", d.clerks(d.resumed(d.act)))
	mux.Handle("POST /desk/pending/{id}/paper", uploading(d.Site.Handle(d.clerks(d.resumed(d.keep)))))
	door("GET /desk/report", d.clerks(d.report))
	door("GET /desk/papers", d.clerks(d.papers))
	mux.Handle("POST /desk/papers", uploading(d.Site.Handle(d.clerks(d.paper))))
	for _, m := range []matter{blocks, restorations} {
		door("GET "+m.page(), d.clerks(d.proposals(m)))
		door("POST "+m.page(), d.clerks(d.propose(m)))
		door("GET "+m.page()+"/{id}", d.clerks(d.proposal(m)))
		door("POST "+m.page()+"/{id}", d.clerks(d.decide(m)))
	}
	door("GET /desk/refusals/{id}/slip/{language}", d.clerks(d.slip))
}

// desk handles GET /desk: who stands in the queue, what there is for the operator's staff, or whom somebody may sign in as.
func (d *Page) desk(w http.ResponseWriter, r *http.Request) error {
	type clerk struct {
		Name, Identifier, Password string
		Role                       cast.Role
	}
	data := struct {
		Clerks     []clerk
		Oversees   bool
		Supervises bool
		Operates   bool
		Visitors   []cast.Person
		Hint       string // the ID token, for the sign-out
		Home       string
		Lookup     lookup // of whoever is not of the queue
		Purposes   []page.Option
	}{Home: d.Addresses.Workbench + "/desk", Lookup: lookup{Purpose: purposes[0]}, Purposes: d.purposes(r)}
	v := d.visit(r)
	if v == nil {
		for _, p := range cast.Staff() {
			data.Clerks = append(data.Clerks, clerk{p.Name(), p.IdentificationNumber, d.Password(p), p.Role})
		}
	} else {
		data.Visitors, data.Hint, data.Oversees, data.Supervises, data.Operates = cast.All(), v.idToken, v.oversees, v.supervises, v.operates
	}
	return d.show(w, r, page.View{Name: "desk", Data: data, SignedIn: v != nil, Back: "/", Script: "desk.js"})
}

// show shows a page. Its forms lead to the provider too: where a sign-in ends, and where it is renewed.
func (d *Page) show(w http.ResponseWriter, r *http.Request, v page.View) error {
	v.FormAction = []string{d.Addresses.Issuer}
	return d.Site.Show(w, r, v)
}
