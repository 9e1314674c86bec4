package workbench

import (
	"net/http"
	"strings"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/clients"
	"asoba.example/provider/api"
)

// inJSON is the language of what testers' tools read.
const inJSON = "en"

// citizens handles GET /api/citizens.
func (b *Workbench) citizens(w http.ResponseWriter, _ *http.Request) { b.people(w, false) }

// specimens handles GET /api/specimens: who can sign in where a draft is tried out, and nowhere else.
func (b *Workbench) specimens(w http.ResponseWriter, _ *http.Request) { b.people(w, true) }

func (b *Workbench) people(w http.ResponseWriter, specimens bool) {
	all := []citizen{}
	for _, p := range cast.All() {
		if p.Specimen() == specimens {
			all = append(all, b.citizen(p, inJSON))
		}
	}
	_ = api.Write(w, http.StatusOK, all)
}

// sms handles GET /api/sms?phone=+375…, where a raw + has become a space on the way.
func (b *Workbench) sms(w http.ResponseWriter, r *http.Request) {
	to := strings.Replace(r.URL.Query().Get("phone"), " ", "+", 1)
	_ = api.Write(w, http.StatusOK, b.Phones.On(to))
}

// clients handles GET /api/clients.
func (b *Workbench) credentials(w http.ResponseWriter, _ *http.Request) {
	all := []clients.Credentials{}
	for _, c := range b.Clients() {
		c.About = b.Site.Say(inJSON, "client."+c.Key, nil)
		all = append(all, c)
	}
	_ = api.Write(w, http.StatusOK, all)
}
