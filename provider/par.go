package provider

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// A pushed request was checked before its person came (RFC 9126). It is good for a while and leads to one code: what counts as its use is the
// answer, not the opening of the page, which browsers do as often as they like (FAPI 2.0 Security Profile §5.3.2.2, note 3).

const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

// pushedRecord is a pushed request, in Redis under the digest of its request_uri.
type pushedRecord struct {
	Interaction
	Till time.Time
}

func pushedKey(digest string) string { return "pushed:{" + digest + "}" }
func spentKey(digest string) string  { return "spent:{" + digest + "}" }

// par handles POST /par (RFC 9126 §2). Whatever can be known to be wrong with a request is said here.
func (p *Provider) par(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if r.URL.RawQuery != "" {
		return refuse("invalid_request", "A pushed request stands in the body alone.")
	}
	values, err := form(w, r)
	if err != nil {
		return err
	}
	if err := once(values); err != nil {
		return err
	}
	client, bound, err := p.caller(w, r, values)
	if err != nil {
		return err
	}
	if values.Has("request_uri") {
		return refuse("invalid_request", "request_uri is what this endpoint gives.") // RFC 9126 §2.1
	}
	values.Set("client_id", client.ID)
	q := &request{values: values, pushing: true}
	if err := p.read(ctx, q); err != nil {
		return err
	}
	if err := q.bind(bound); err != nil {
		return err
	}
	uri, good := pushedPrefix+rand.Text(), p.cfg.PushedFor()
	if err := p.keepPushed(ctx, digest(uri), q.interaction(p.cfg.Now()), good); err != nil {
		return err
	}
	answerJSON(w, http.StatusCreated, struct {
		RequestURI string `json:"request_uri"`
		ExpiresIn  int64  `json:"expires_in"`
	}{uri, int64(good / time.Second)})
	return nil
}

// keepPushed keeps what an interaction would: nothing of the client's credentials, and nothing about the person.
func (p *Provider) keepPushed(ctx context.Context, digest string, i Interaction, good time.Duration) error {
	record, err := json.Marshal(pushedRecord{i, i.Asked.Add(good)})
	if err != nil {
		return err
	}
	if err := p.cfg.Redis.Set(ctx, pushedKey(digest), record, good).Err(); err != nil {
		return fmt.Errorf("keep pushed request: %w", err)
	}
	return nil
}

// checkReference takes up the request that request_uri names, if there is one, and from then on the request is what was pushed: what stands
// beside the reference is ignored (RFC 9126 §4). Only pushed requests have a name here: nothing is fetched.
func (p *Provider) checkReference(ctx context.Context, q *request) error {
	sent := q.values["request_uri"]
	if len(sent) == 0 {
		return nil
	}
	refused := refuse("request_uri_not_supported", "request_uri must be one that the client was given for a pushed request.")
	if len(sent) == 1 && strings.HasPrefix(sent[0], pushedPrefix) {
		switch pushed, err := p.findPushed(ctx, digest(sent[0])); {
		case err != nil:
			return err
		case pushed.ClientID == q.client.ID && p.cfg.Now().Before(pushed.Till):
			pushed.Pushed = digest(sent[0])
			q.resume(pushed.Interaction)
			return nil
		}
		refused = refuse("invalid_request_uri", "The pushed request is unknown, used, over, or another client's.")
	}
	if p.checkRedirectURI(ctx, q) == nil { // where the refusal goes, and how
		_ = p.checkResponseMode(ctx, q)
	}
	return refused
}

// findPushed gives a pushed request, or nobody's where there is none.
func (p *Provider) findPushed(ctx context.Context, digest string) (pushed pushedRecord, err error) {
	record, err := p.cfg.Redis.Get(ctx, pushedKey(digest)).Bytes()
	if errors.Is(err, redis.Nil) {
		return pushedRecord{}, nil
	}
	if err == nil {
		err = json.Unmarshal(record, &pushed)
	}
	if err != nil {
		return pushedRecord{}, fmt.Errorf("find pushed request: %w", err)
	}
	return pushed, nil
}

// spend uses a pushed request up. Who opened it before and comes to an end later finds it spent: the mark outlives whoever still waits.
func (p *Provider) spend(ctx context.Context, pipe redis.Pipeliner, digest string) {
	pipe.Del(ctx, pushedKey(digest))
	pipe.SetArgs(ctx, spentKey(digest), "", redis.SetArgs{Mode: "NX", TTL: p.cfg.Interactions.cfg.For})
}

// spendRefused uses a pushed request up that the person has refused: to ask again, the client pushes another.
func (p *Provider) spendRefused(ctx context.Context, q *request) error {
	if q.pushed == "" {
		return nil
	}
	_, err := p.cfg.Redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		p.spend(ctx, pipe, q.pushed)
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) { // it was spent before
		return fmt.Errorf("spend pushed request: %w", err)
	}
	return nil
}
