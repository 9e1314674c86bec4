package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"asoba.example/provider/api"
)

func TestANetworkIsWhatOneCustomerHas(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"192.0.2.7:1234":              "192.0.2.7/32",
		"[::ffff:192.0.2.7]:1234":     "192.0.2.7/32",
		"[2001:db8:1:2:3:4:5:6]:1234": "2001:db8:1::/48",
		"[fe80::1%eth0]:1234":         "fe80::/48",
		"@":                           "@",
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.RemoteAddr = from
		if got := api.Network(r); got != want {
			t.Errorf("%s: got %s, want %s", from, got, want)
		}
	}
}
