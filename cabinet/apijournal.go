package cabinet

import (
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/journal"
	"asoba.example/provider/api"
)

// usualEntries is how many entries an answer has; how many it may have at most the document says.
const usualEntries = 50

// apiEntry is a journal entry as e-services read it.
type apiEntry struct {
	ID       uuid.UUID         `json:"id"`
	At       time.Time         `json:"at"`
	Kind     journal.Kind      `json:"kind"`
	Actor    journal.Actor     `json:"actor"`
	ClientID string            `json:"client_id,omitempty"`
	Office   string            `json:"office,omitempty"`
	ACR      string            `json:"acr,omitempty"`
	Agent    string            `json:"agent,omitempty"`
	Detail   map[string]string `json:"detail,omitempty"`
	Reported bool              `json:"reported,omitempty"`
}

func apiEntryOf(e journal.Entry) apiEntry {
	return apiEntry{
		ID: e.ID, At: e.At.UTC(), Kind: e.Kind, Actor: e.Actor, ClientID: e.ClientID, Office: e.Office, ACR: e.ACR, Agent: e.Agent,
		Detail: e.Detail, Reported: e.ReportedAt != nil,
	}
}

// apiJournal handles GET /api/v1/journal.
func (c *Cabinet) apiJournal(w http.ResponseWriter, r *http.Request) error {
	from, limit, err := pageOf(r)
	if err != nil {
		return err
	}
	filter, wrong := c.filterOf(r.URL.Query())
	for _, name := range wrong {
		return api.RefuseParameter(name, errors.New("cannot be looked for"))
	}
	var found journal.Page
	err = c.enter(w, r, journal.JournalRead, func(b *pgx.Batch, subject string) {
		journal.Queue(b, subject, filter, from, limit, &found)
	})
	if err != nil {
		return err
	}
	reply := struct {
		Entries []apiEntry `json:"entries"`
		Next    string     `json:"next,omitempty"`
	}{Entries: make([]apiEntry, len(found.Entries))}
	for i, e := range found.Entries {
		reply.Entries[i] = apiEntryOf(e)
	}
	if !found.Next.IsZero() {
		reply.Next = found.Next.String()
	}
	return api.WriteTagged(w, r, reply)
}

// pageOf reads from and limit of the query.
func pageOf(r *http.Request) (from journal.Place, limit int, err error) {
	query := r.URL.Query()
	if s := query.Get("from"); s != "" {
		if from, err = journal.ParsePlace(s); err != nil {
			return from, 0, api.RefuseParameter("from", err)
		}
	}
	return from, api.Number(r, "limit", usualEntries), nil
}
