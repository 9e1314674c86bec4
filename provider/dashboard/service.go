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

	"asoba.example/provider/body"
	"asoba.example/provider/clients"
	"asoba.example/provider/page"
	"asoba.example/provider/pair"
)

// servicePage tells all of an e-service.
type servicePage struct {
	ID, Standing string
	Draft        bool
	Issuer       string
	Version      clients.Version
	Registered   []member // all of it: whoever proposes it is to have seen it
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
	Changes []member
}

// A member of the metadata: as it is, and as it would be. Lists are told line by line.
type member struct {
	Member        string
	Label         string // the word for it, where the form has one
	Before, After []string
	Same          bool
}

// labels are the words by which the form asks for a member.
var labels = map[string]string{
	"client_name": "field.name", "purpose": "field.purpose", "redirect_uris": "field.redirect_uris", "scope": "e-service-form.scopes",
	"token_endpoint_auth_method": "field.method", "jwks_uri": "field.jwks_uri",
}

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
	open, err := d.open(ctx, c)
	if err != nil {
		return err
	}
	history, err := d.history(ctx, c, person)
	if err != nil {
		return err
	}
	data := servicePage{
		ID: c.ID, Standing: standing(c), Draft: c.IsDraft(), Issuer: d.cfg.Issuer, Version: c.Version,
		HasSecret: strings.HasPrefix(c.Metadata.TokenEndpointAuthMethod, "client_secret_"),
		History:   history,
	}
	switch err := d.cfg.Bodies.Represents(ctx, *c.Owner, person); {
	case err == nil:
		data.Owns = true
	case !errors.Is(err, body.ErrUnknown): // whoever is not one of them judges
		return err
	}
	if data.Registered, err = members(c.Metadata, c.Metadata); err != nil {
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
		data.Proposal = &proposal{ID: open.ID, Mine: open.ProposedBy == person, At: open.ProposedAt}
		stale, err := members(open.Base, c.Metadata)
		if err != nil {
			return err
		}
		data.Proposal.Stale = slices.ContainsFunc(stale, func(m member) bool { return !m.Same })
		if data.Proposal.Changes, err = members(c.Metadata, open.Metadata); err != nil {
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
func (d *Dashboard) open(ctx context.Context, c *clients.Client) (*body.Proposal, error) {
	all, err := d.cfg.Bodies.Proposals(ctx, c.ID, *c.OwnedAt)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(p body.Proposal) bool { return p.State == pair.Open })
	if i < 0 {
		return nil, nil
	}
	return &all[i], nil
}

// history tells what was done since the body has the client, the newest first. Others are not named: an internal id says nothing to a reader.
func (d *Dashboard) history(ctx context.Context, c *clients.Client, person uuid.UUID) ([]line, error) {
	entries, err := d.cfg.Feed.LastOfClient(ctx, c.ID, *c.OwnedAt, historyLines)
	if err != nil {
		return nil, err
	}
	all := make([]line, len(entries))
	for i, e := range entries {
		all[i] = line{string(e.Kind), e.At, e.Detail["person"] == person.String()}
	}
	return all, nil
}

// members tells all of two metadata, member by member, as integrators know them.
func members(is, next clients.Metadata) (all []member, err error) {
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
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		all = append(all, member{name, labels[name], lines(before[name]), lines(after[name]), bytes.Equal(before[name], after[name])})
	}
	return all, nil
}

// lines says a member's value as a person reads it: a text as it is, texts one by one, and all else as it stands.
func lines(value json.RawMessage) []string {
	var (
		text  string
		texts []string
	)
	switch {
	case value == nil:
		return nil
	case json.Unmarshal(value, &text) == nil:
		return []string{text}
	case json.Unmarshal(value, &texts) == nil:
		return texts
	}
	return []string{string(value)}
}
