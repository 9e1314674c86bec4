package place

import (
	"cmp"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"

	"asoba.example/provider/page"
)

// A Place is kept with what happened there (audit.Event.Where): the code of its country (ISO 3166-1) under "where", and what its city is
// called, or else its region, under "where." and the language. The empty one is nowhere that is known.
type Place map[string]string

// In says the place in a language: "Minsk, Belarus"; "" for nowhere. Few files know Belarusian: then the name is the Russian one.
func (p Place) In(language string) string {
	var country string
	if code := p["where"]; code != "" {
		country = page.Country(code, language)
	}
	name := p["where."+language]
	if language == "be" {
		name = cmp.Or(name, p["where.ru"])
	}
	name = cmp.Or(name, p["where.en"])
	if name == "" || country == "" {
		return name + country
	}
	return name + ", " + country
}

// An Atlas knows the places of addresses, for as long as the program runs. The nil Atlas knows none.
type Atlas struct{ file *maxminddb.Reader }

// Open opens an atlas; with no name it is the nil one.
func Open(name string) (*Atlas, error) {
	if name == "" {
		return nil, nil
	}
	file, err := maxminddb.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the file of places: %w", err)
	}
	return &Atlas{file}, nil
}

// Of gives the place of a request. Nobody is refused for want of it: what cannot be read is nowhere.
func (a *Atlas) Of(r *http.Request) Place {
	if a == nil {
		return nil
	}
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return nil
	}
	type named struct {
		Names map[string]string `maxminddb:"names"`
	}
	var found struct {
		City    named   `maxminddb:"city"`
		Regions []named `maxminddb:"subdivisions"`
		Country struct {
			Code string `maxminddb:"iso_code"`
		} `maxminddb:"country"`
	}
	if a.file.Lookup(at.Addr().Unmap()).Decode(&found) != nil {
		return nil
	}
	names := found.City.Names
	if len(names) == 0 && len(found.Regions) > 0 {
		names = found.Regions[0].Names
	}
	p := Place{}
	if found.Country.Code != "" {
		p["where"] = found.Country.Code
	}
	for _, language := range page.Languages {
		if name := names[language]; name != "" {
			p["where."+language] = name
		}
	}
	return p
}
