package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"asoba.example/provider/audit"
	"asoba.example/provider/body"
	"asoba.example/provider/clients"
	"asoba.example/provider/page"
)

// servicePage tells all of an e-service.
type servicePage struct {
	ID, Standing string
	Draft        bool
	Issuer       string
	Redirects    []string
	Scope        string
	Method       string
	HasSecret    bool
	Owns         bool // the reader represents its body, and does not only judge
	Warnings     []warning
	Proposal     *proposal
	Done         string // what was done just now: a word, or ""
	History      []line
}

type warning struct {
	What  string
	KeyID string
	Till  time.Time
}

// A proposal that waits, with what it would change.
type proposal struct {
	ID      uuid.UUID
	Mine    bool
	At      time.Time
	Stale   bool // the client has changed since
	Changes []difference
}

type difference struct{ Member, Before, After string }

type line struct {
	Kind string
	At   time.Time
	Mine bool
}

// historyLines is how much of its history a page tells; the management API tells all.
const historyLines = 50

// done are the words of what was done just now, by the query that leads back here.
var done = []string{"changed", "proposed", "approved", "refused", "withdrawn"}

// show handles GET /e-services/{client_id}.
func (d *Dashboard) show(w http.ResponseWriter, r *http.Request, person uuid.UUID) error {
	ctx := r.Context()
	c, err := d.cfg.Bodies.Client(ctx, r.PathValue("client_id"), person)
	if err != nil {
		return err
	}
	open, err := d.open(ctx, c.ID)
	if err != nil {
		return err
	}
	history, err := d.history(ctx, c.ID, person)
	if err != nil {
		return err
	}
	data := servicePage{
		ID: c.ID, Standing: standing(c), Draft: c.IsDraft(), Issuer: d.cfg.Issuer, Redirects: c.Metadata.RedirectURIs,
		Scope: c.Metadata.Scope, Method: c.Metadata.TokenEndpointAuthMethod,
		HasSecret: strings.HasPrefix(c.Metadata.TokenEndpointAuthMethod, "client_secret_"),
		History:   history,
	}
	switch err := d.cfg.Bodies.Represents(ctx, *c.Owner, person); {
	case err == nil:
		data.Owns = true
	case !errors.Is(err, body.ErrUnknown): // whoever is not one of them judges
		return err
	}
	for _, word := range done {
		if r.URL.Query().Has(word) {
			data.Done = word
		}
	}
	for _, w := range c.Warnings(d.cfg.Now()) {
		data.Warnings = append(data.Warnings, warning{w.What, w.KeyID, time.Unix(w.Till, 0)})
	}
	if open != nil {
		data.Proposal = &proposal{ID: open.ID, Mine: open.ProposedBy == person, At: open.ProposedAt, Stale: open.Version != c.Version}
		is := c.Metadata
		if c.IsDraft() {
			is = clients.Metadata{} // nobody has approved anything of it yet
		}
		if data.Proposal.Changes, err = differences(is, open.Metadata); err != nil {
			return err
		}
	}
	name := c.Name(d.cfg.Site.Language(r))
	return d.cfg.Site.Show(w, r, page.View{
		Name: "e-service", TitleArgs: map[string]any{"Name": name}, Data: data, SignedIn: true, Wide: true, Back: "/e-services",
	})
}

// standing is how a client stands, in one word.
func standing(c *clients.Client) string {
	if c.DisabledAt != nil {
		return "disabled"
	}
	return string(c.Stage)
}

// open gives the proposal that waits, or nil.
func (d *Dashboard) open(ctx context.Context, clientID string) (*body.Proposal, error) {
	all, err := d.cfg.Bodies.Proposals(ctx, clientID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(p body.Proposal) bool { return p.State == body.Open })
	if i < 0 {
		return nil, nil
	}
	return &all[i], nil
}

// history tells what was done, the newest first. Others are not named: an internal id says nothing to a reader.
func (d *Dashboard) history(ctx context.Context, clientID string, person uuid.UUID) (all []line, err error) {
	for after := audit.Cursor(0); ; {
		entries, cursor, err := d.cfg.Feed.OfClient(ctx, clientID, after, historyLines)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			all = append(all, line{string(e.Kind), e.At, e.Detail["person"] == person.String()})
		}
		if len(entries) < historyLines {
			break
		}
		after = cursor
	}
	slices.Reverse(all)
	return all[:min(len(all), historyLines)], nil
}

// differences tells what a proposal would change, member by member, as integrators know them.
func differences(is, next clients.Metadata) (all []difference, err error) {
	var before, after map[string]json.RawMessage
	for _, m := range []struct {
		metadata clients.Metadata
		members  *map[string]json.RawMessage
	}{{is, &before}, {next, &after}} {
		text, err := json.Marshal(m.metadata)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, m.members); err != nil {
			return nil, err
		}
	}
	members := maps.Clone(before)
	maps.Copy(members, after)
	for _, member := range slices.Sorted(maps.Keys(members)) {
		if !bytes.Equal(before[member], after[member]) {
			all = append(all, difference{member, string(before[member]), string(after[member])})
		}
	}
	return all, nil
}
