package workbench

import (
	"embed"
	"net/http"
	"time"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/clients"
	"asoba.example/cmd/internal/demo/phone"
	"asoba.example/cmd/internal/demo/standing"
	"asoba.example/provider/page"
)

//go:embed pages words static
var files embed.FS

// Room is what the workbench brings to the site.
func Room() page.Room { return page.Room{FS: files} }

// Config is what a Workbench needs.
type Config struct {
	Site      *page.Site
	Phones    *phone.Network
	Standings *standing.Follower
	Clients   func() []clients.Credentials // those registered so far
	Prepared  func() bool                  // everybody stands as their line says
	Addresses clients.Addresses
	Relaxed   bool
	Done      <-chan struct{} // closed when the program ends: open streams end with it
}

// A Workbench shows it all.
type Workbench struct{ Config }

// New makes a Workbench.
func New(cfg Config) *Workbench { return &Workbench{cfg} }

// Mount opens the doors.
func (b *Workbench) Mount(mux *http.ServeMux) {
	mux.Handle("GET /{$}", b.Site.Handle(b.show))
	mux.HandleFunc("GET /live", b.live)
	mux.HandleFunc("GET /api/citizens", b.citizens)
	mux.HandleFunc("GET /api/specimens", b.specimens)
	mux.HandleFunc("GET /api/sms", b.sms)
	mux.HandleFunc("GET /api/clients", b.credentials)
	mux.Handle("POST /sms", b.Phones) // the operator's gateway, towards idp
}

// A citizen is what a tester may know of a made-up person.
type citizen struct {
	Identifier  string   `json:"identifier"`
	State       string   `json:"state"` // none, temporary, active, blocked
	BlockReason string   `json:"block_reason,omitempty"`
	Phone       string   `json:"phone"`
	Password    string   `json:"password,omitempty"`
	Document    document `json:"document"`
	About       string   `json:"about"`
}

type document struct {
	Kind   string `json:"kind"`
	Number string `json:"number"`
}

func (b *Workbench) citizen(p cast.Person, language string) citizen {
	s := b.Standings.Of(p.IdentificationNumber)
	return citizen{
		Identifier: p.IdentificationNumber, State: s.State, BlockReason: s.BlockReason, Phone: p.Phone,
		Password: b.password(p, s), Document: document{p.Document.Kind, p.Document.Number},
		About: b.Site.Say(language, "about."+p.Key, nil),
	}
}

// Password is the person's password as far as it is known.
func (b *Workbench) Password(p cast.Person) string {
	return b.password(p, b.Standings.Of(p.IdentificationNumber))
}

// password is the one that is good now, as far as it can be known: a temporary one stands on the phone; a static one
// is known while it is the first, which the demo formed.
func (b *Workbench) password(p cast.Person, s standing.Standing) string {
	switch s.State {
	case "temporary":
		for _, m := range b.Phones.On(p.Phone) {
			if m.Kind == "temporary_password" {
				return m.TemporaryPassword()
			}
		}
	case "active", "blocked":
		if p.Goal.Static() && s.Formed == 1 {
			return cast.Password
		}
	}
	return ""
}

// A card is a citizen with what only the page shows.
type card struct {
	citizen
	Key, Name string
	Messages  []phone.Message
}

// news is a message and whose it is.
type news struct {
	phone.Message
	Name string
}

// newest is how many messages stand at the head of the page.
const newest = 4

// show handles GET /.
func (b *Workbench) show(w http.ResponseWriter, r *http.Request) error {
	language := b.Site.Language(r)
	data := struct {
		Relaxed, Prepared bool
		At                clients.Addresses
		Password          string
		Latest            []news
		People            []card
		Clients           []clients.Credentials
		SMS               string // a phone for the link of an example
	}{
		Relaxed: b.Relaxed, Prepared: b.Prepared(), At: b.Addresses, Password: cast.Password,
		Clients: b.Clients(),
	}
	names := map[string]string{}
	for _, p := range cast.All() {
		names[p.Phone] = p.Name()
		data.People = append(data.People, card{
			citizen: b.citizen(p, language), Key: p.Key, Name: p.Name(), Messages: b.Phones.On(p.Phone),
		})
	}
	data.SMS = data.People[0].Phone
	for _, m := range b.Phones.Newest(newest) {
		data.Latest = append(data.Latest, news{m, names[m.To]})
	}
	return b.Site.Show(w, r, page.View{Name: "workbench", Data: data, Wide: true, Script: "live.js"})
}

// heartbeat keeps an idle stream open through proxies; a stream is checked for life at least so often.
const heartbeat = 15 * time.Second

// Streams tells the requests that last.
func Streams(r *http.Request) bool { return r.URL.Path == "/live" }

// live handles GET /live: an event whenever the page has something new to show (HTML §9.2, server-sent events).
func (b *Workbench) live(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	stream := http.NewResponseController(w)
	for {
		phones, standings := b.Phones.Changed(), b.Standings.Changed()
		// The first event tells a page that was away what it missed.
		if err := stream.SetWriteDeadline(time.Now().Add(2 * heartbeat)); err != nil {
			return
		}
		if _, err := w.Write([]byte("data: news\n\n")); err != nil || stream.Flush() != nil {
			return
		}
		select {
		case <-phones:
		case <-standings:
		case <-time.After(heartbeat):
		case <-r.Context().Done():
			return
		case <-b.Done:
			return
		}
	}
}
