package provider

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"asoba.example/provider/clients"
)

// A client has its own limit wherever it calls from; a public one has one at each network, for whoever is there may say that they are it.
// The refusals are counted by route and limit, and nothing is refused where limits are lifted.
func TestEachClientHasALimitOfItsOwn(t *testing.T) {
	t.Parallel()
	from := func(address string) *http.Request {
		r := httptest.NewRequest(http.MethodPost, "/token", nil)
		r.RemoteAddr, r.Pattern = address+":1234", "POST /token"
		return r
	}
	ministry := &clients.Client{ID: "ministry", Metadata: clients.Metadata{TokenEndpointAuthMethod: "private_key_jwt"}}
	app := &clients.Client{ID: "app", Metadata: clients.Metadata{TokenEndpointAuthMethod: "none"}}
	for _, relaxed := range []bool{false, true} {
		metrics, now := prometheus.NewRegistry(), time.Unix(1_800_000_000, 0)
		l, err := newLimits(Config{Metrics: metrics, Relaxed: relaxed, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		for client, burst := range map[*clients.Client]int{ministry: ofClient.Burst, app: ofPublicClient.Burst} {
			for i := range burst {
				if err := l.take(from("192.0.2.1"), client); err != nil {
					t.Fatalf("%s: request %d: %v", client.ID, i, err)
				}
			}
			e, refused := errors.AsType[*refusal](l.take(from("192.0.2.1"), client))
			if refused == relaxed || refused && e.status() != http.StatusTooManyRequests {
				t.Errorf("%s, relaxed %v: got %v", client.ID, relaxed, e)
			}
			if err := l.take(from("192.0.2.2"), client); (err != nil) != (client == ministry && !relaxed) {
				t.Errorf("%s elsewhere, relaxed %v: got %v", client.ID, relaxed, err)
			}
		}
		if err := l.take(from("192.0.2.1"), &clients.Client{ID: "other", Metadata: ministry.Metadata}); err != nil {
			t.Errorf("another client: %v", err)
		}
		want := map[string]float64{"POST /token client": 2, "POST /token public_client": 1}
		if relaxed {
			want = nil
		}
		families, err := metrics.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, family := range families {
			for _, m := range family.GetMetric() { // labels come sorted: limit, route
				name := m.GetLabel()[1].GetValue() + " " + m.GetLabel()[0].GetValue()
				if got := m.GetCounter().GetValue(); got != want[name] {
					t.Errorf("%s: counted %v, want %v", name, got, want[name])
				}
				delete(want, name)
			}
		}
		if len(want) > 0 {
			t.Errorf("not counted: %v", want)
		}
	}
}
