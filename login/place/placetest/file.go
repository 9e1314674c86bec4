// Package placetest gives tests a file of places.
package placetest

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

// File is a small file of places, in which this machine is in Minsk; it is written by MaxMind's own writer.
func File(t *testing.T) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "GeoLite2-City", IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	named := func(names mmdbtype.Map) mmdbtype.Map { return mmdbtype.Map{"names": names} }
	belarus := mmdbtype.Map{"iso_code": mmdbtype.String("BY")}
	minsk := mmdbtype.Map{
		"country": belarus, "city": named(mmdbtype.Map{"en": mmdbtype.String("Minsk"), "ru": mmdbtype.String("Минск")}),
		"subdivisions": mmdbtype.Slice{named(mmdbtype.Map{"en": mmdbtype.String("Minsk City")})},
	}
	for network, record := range map[string]mmdbtype.Map{
		"192.0.2.0/24":     minsk,
		"127.0.0.0/8":      minsk,
		"198.51.100.0/24":  {"country": belarus, "subdivisions": mmdbtype.Slice{named(mmdbtype.Map{"en": mmdbtype.String("Brest"), "be": mmdbtype.String("Брэст")})}},
		"203.0.113.0/25":   {"country": mmdbtype.Map{"iso_code": mmdbtype.String("PL")}},
		"2001:db8::/32":    {"city": named(mmdbtype.Map{"en": mmdbtype.String("Atlantis")})},
		"203.0.113.128/25": {"traits": mmdbtype.Map{}},
	} {
		_, of, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(of, record); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "places.mmdb")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.WriteTo(file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}
