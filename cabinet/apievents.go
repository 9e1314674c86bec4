package cabinet

import (
	"errors"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/signal"
	"asoba.example/provider/api"
)

// usualEvents is how many events an answer has; how many it may have at most the document says.
const usualEvents = 100

// apiEvent is what an e-service is told, as it is in a Security Event Token.
type apiEvent struct {
	ID      string      `json:"jti"`
	At      time.Time   `json:"at"`
	Kind    signal.Kind `json:"kind"`
	Subject string      `json:"sub"`
	signal.Detail
}

// Waits is how long a request waits for news before it is answered.
func Waits(r *http.Request) time.Duration {
	if r.URL.Path != "/api/v1/events" {
		return 0
	}
	return api.Wait(r)
}

// apiEvents handles GET /api/v1/events: what the client is told after a place, or nothing once it has waited long enough. With each look it is
// let in anew.
func (c *Cabinet) apiEvents(w http.ResponseWriter, r *http.Request) error {
	asked, err := c.eventsOf(r)
	if err != nil {
		return err
	}
	over, cancel := api.Waiting(r)
	defer cancel()
	token, err := c.identify(w, r)
	if err != nil {
		return err
	}
	asked.ClientID = token.ClientID
	var answer signal.Answer
	for waits := true; waits; waits = len(answer.Signals) == 0 && c.cfg.Signals.Wait(over, answer) {
		if err := c.admit(w, r, token, "", func(b *pgx.Batch) { c.cfg.Signals.Queue(b, asked, &answer) }); err != nil {
			return err
		}
		if err := answer.Err(); err != nil {
			return api.Refuse(http.StatusGone, "gone", err)
		}
	}
	reply := struct {
		Events []apiEvent   `json:"events"`
		Cursor signal.Place `json:"cursor"`
	}{make([]apiEvent, len(answer.Signals)), answer.Place}
	for i, s := range answer.Signals {
		reply.Events[i] = apiEvent{s.ID.String(), s.At.UTC(), s.Kind, s.Subject, s.Detail}
	}
	return api.WriteTagged(w, r, reply)
}

// eventsOf reads from where on the client goes.
func (c *Cabinet) eventsOf(r *http.Request) (q signal.Question, err error) {
	query := r.URL.Query()
	q.Limit = api.Number(r, "limit", usualEvents)
	if s := query.Get("after"); s != "" {
		if q.After, err = signal.ParsePlace(s); err != nil {
			return q, api.RefuseParameter("after", err)
		}
	}
	if s := query.Get("since"); s != "" {
		if q.Since, err = time.Parse(time.RFC3339, s); err != nil {
			return q, api.RefuseParameter("since", errors.New("not a time"))
		}
	}
	return q, nil
}

// apiSubscriber is how it goes with telling a client.
type apiSubscriber struct {
	URL     string       `json:"url,omitempty"`
	Told    signal.Place `json:"told"`
	Waiting int          `json:"waiting"`
	Missed  int          `json:"missed"`
	Tries   int          `json:"tries"`
	TriedAt *time.Time   `json:"tried_at,omitempty"`
	Status  *int         `json:"status,omitempty"`
	NextAt  *time.Time   `json:"next_at,omitempty"`
}

func subscriberOf(s signal.Subscriber) apiSubscriber {
	told := apiSubscriber{URL: s.URL, Told: s.Told, Waiting: s.Waiting, Missed: s.Missed, Tries: s.Tries, Status: s.Status}
	if s.TriedAt != nil {
		told.TriedAt = new(s.TriedAt.UTC())
	}
	if s.Tries > 0 {
		told.NextAt = new(s.NextAt.UTC())
	}
	return told
}

// apiSubscription handles GET /api/v1/subscription.
func (c *Cabinet) apiSubscription(w http.ResponseWriter, r *http.Request) error {
	token, err := c.identify(w, r)
	if err != nil {
		return err
	}
	var found signal.Subscriber
	err = c.admit(w, r, token, "", func(b *pgx.Batch) { signal.QueueSubscriber(b, token.ClientID, &found) })
	if err != nil {
		return err
	}
	return api.WriteTagged(w, r, subscriberOf(found))
}

// apiSubscribe handles PUT /api/v1/subscription.
func (c *Cabinet) apiSubscribe(w http.ResponseWriter, r *http.Request) error {
	token, err := c.identify(w, r)
	if err != nil {
		return err
	}
	asked, err := api.DecodeDocumented[struct {
		URL   string  `json:"url"`
		After *string `json:"after"`
	}](w, r)
	if err != nil {
		return err
	}
	if asked.URL != "" && !c.cfg.Calls(asked.URL) {
		return api.Refuse(http.StatusBadRequest, "invalid_body", errors.New("no address that is called"), api.Field{Name: "/url", Code: "invalid"})
	}
	var after *signal.Place
	if asked.After != nil {
		place, err := signal.ParsePlace(*asked.After)
		if err != nil {
			return api.Refuse(http.StatusBadRequest, "invalid_body", err, api.Field{Name: "/after", Code: "invalid"})
		}
		after = &place
	}
	var before, found signal.Subscriber
	return c.act(w, r, token, deed{
		asked: asked,
		do: func(b *pgx.Batch) {
			signal.HoldSubscriber(b, token.ClientID, &before)
			signal.Subscribe(b, token.ClientID, asked.URL, after, c.cfg.Now())
			signal.QueueSubscriber(b, token.ClientID, &found)
		},
		tell: func() (any, error) {
			if after != nil {
				if err := before.Follows(*after); err != nil {
					return nil, api.Refuse(http.StatusGone, "gone", err)
				}
			}
			return subscriberOf(found), api.RequireUnchanged(r, subscriberOf(before))
		},
	})
}
