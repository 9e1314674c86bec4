package sms_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/sms"
)

func (w *world) receipts() *sms.Receipts {
	return &sms.Receipts{Pool: w.Pool, Box: w.Box, URL: "https://idp.example", Now: func() time.Time { return w.now }}
}

// address has a Kannel of a name asked for a message, and gives where it was told to bring its receipts.
func (w *world) address(t *testing.T, id uuid.UUID, gateway string) string {
	t.Helper()
	var at string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { at = r.Header.Get("X-Kannel-Dlr-Url") }))
	defer server.Close()
	g, err := sms.NewGateway(strings.Replace(server.URL, "http://", "kannel+http://idp:hush@", 1), w.receipts())
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Send(t.Context(), sms.Message{ID: id, Via: gateway}); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(at, "%d")
}

// receive brings a receipt to the door and gives its answer.
func (w *world) receive(t *testing.T, address string) int {
	t.Helper()
	mux := http.NewServeMux()
	w.receipts().Mount(mux)
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil))
	return answer.Code
}

// A receipt settles a message once, in whatever order receipts come and however often; the desk hears of no middle state.
func TestReceiptsSettleAMessageOnce(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		types string
		want  sms.State
	}{
		"none yet":                           {"", sms.Queued},
		"taken by the network":               {"8", sms.Queued},
		"waits in the network":               {"8 4 8", sms.Queued},
		"on the phone":                       {"8 1", sms.Delivered},
		"on the phone, told first and twice": {"1 8 1 4", sms.Delivered},
		"never on the phone":                 {"8 2", sms.Failed},
		"refused by the network":             {"16", sms.Failed},
		"on the phone, and then not":         {"8 1 2 16", sms.Delivered},
		"not on the phone, and then it is":   {"8 2 1", sms.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.gateway.receipts = true
			id := w.put(t)
			address := w.address(t, id, "first")
			w.snoozed(t, id, 5*time.Minute)
			for _, kind := range strings.Fields(story.types) {
				if got := w.receive(t, address+kind); got != http.StatusNoContent {
					t.Errorf("type %s: %d", kind, got)
				}
			}
			w.stands(t, story.want, true)
		})
	}
}

// A receipt may be quicker than the gateway's answer, and stand in for one that never came: nothing is sent again.
func TestAReceiptResolvesADoubt(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]sms.State{"8": sms.Queued, "1": sms.Delivered, "2": sms.Failed} {
		w := newWorld(t)
		w.gateway.receipts, w.gateway.err = true, errDoubt
		id := w.put(t)
		w.snoozed(t, id, 30*time.Second)
		w.gateway.err = nil
		if got := w.receive(t, w.address(t, id, "first")+kind); got != http.StatusNoContent {
			t.Errorf("type %s: %d", kind, got)
		}
		w.now = w.now.Add(30 * time.Second)
		_ = w.work(t, id, 1)
		w.asked(t, 1, 0)
		w.stands(t, want, true)
	}
}

// Once both gateways have it, it is delivered by whichever says so, and failed by the word of the one that was asked last alone.
func TestAReceiptCountsAfterTheOtherGatewayWasAsked(t *testing.T) {
	t.Parallel()
	for name, story := range map[string]struct {
		receipts []string // gateway and type
		want     sms.State
	}{
		"the first delivers late":                   {[]string{"first 8", "first 1"}, sms.Delivered},
		"the first delivers what the second cannot": {[]string{"first 1", "second 2"}, sms.Delivered},
		"the first fails late":                      {[]string{"first 16", "first 2"}, sms.Queued},
		"the first fails, the second delivers":      {[]string{"first 2", "second 1"}, sms.Delivered},
		"the second fails":                          {[]string{"second 2"}, sms.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.gateway.receipts, w.second.receipts, w.gateway.err = true, true, errDoubt
			id := w.put(t)
			w.snoozed(t, id, 30*time.Second)
			w.now = w.now.Add(30 * time.Second)
			w.snoozed(t, id, 270*time.Second)
			w.asked(t, 1, 1)
			for _, receipt := range story.receipts {
				gateway, kind, _ := strings.Cut(receipt, " ")
				if got := w.receive(t, w.address(t, id, gateway)+kind); got != http.StatusNoContent {
					t.Errorf("%s: %d", receipt, got)
				}
			}
			w.stands(t, story.want, true)
		})
	}
}

// Only who was asked to send a message can bring a receipt of it, and one that comes after its term changes nothing.
func TestForgedAndLateReceiptsChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.gateway.receipts = true
	id := w.put(t)
	address, other := w.address(t, id, "first"), w.address(t, uuid.New(), "first")
	w.snoozed(t, id, 5*time.Minute)
	token := other[strings.LastIndex(other, "/")+1:]
	for forged, want := range map[string]int{
		"https://idp.example/sms/receipts/first/" + id.String() + "/" + token + "1": http.StatusNotFound, // of another message
		"https://idp.example/sms/receipts/first/" + id.String() + "/x?type=1":       http.StatusNotFound,
		"https://idp.example/sms/receipts/first/1/x?type=1":                         http.StatusNotFound,
		strings.Replace(address, "/first/", "/second/", 1) + "1":                    http.StatusNotFound, // of another gateway
		address:               http.StatusBadRequest,
		address + "3":         http.StatusBadRequest,
		address + "delivered": http.StatusBadRequest,
		other + "1":           http.StatusNoContent, // of a message that there is not: told no more than a late one
	} {
		if got := w.receive(t, forged); got != want {
			t.Errorf("%s: %d, want %d", forged, got, want)
		}
	}
	w.stands(t, sms.Queued, true)
	w.now = w.now.Add(5 * time.Minute)
	if err := w.work(t, id, 1); err != nil {
		t.Fatal(err)
	}
	w.receive(t, address+"1")
	w.stands(t, sms.Failed, true)
}
