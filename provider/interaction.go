package provider

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// An Interaction is somebody who waits: an authorization request, or one of our own pages, that needs the person first.
// Its ID stands in the address of our pages (?interaction=…) and is bound to the browser by a cookie.
type Interaction struct {
	ID       string
	Request  url.Values // the authorization request, checked and cleaned; nil when a page of ours waits
	ClientID string     // "" when a page of ours waits
	Page     string     // the page of ours that waits: "/security"
	ACR      string     // the level asked: "" for any
	Prompt   string
	Locales  string    // ui_locales
	Asked    time.Time // a sign-in must be later than this where a fresh one is asked
	Agreed   []string  // scopes agreed to on the consent page, for this request
	Refused  bool      // the person said no
}

// Interactions keeps those who wait, in Redis.
type Interactions struct{}

// Begin keeps an interaction for a page of ours and binds it to the browser.
func (s *Interactions) Begin(ctx context.Context, w http.ResponseWriter, r *http.Request, i Interaction) (Interaction, error) {
	panic("unwritten")
}

// Find gives the interaction named by the request's ?interaction= or form field; ErrNoInteraction if it is over, unknown or another browser's.
func (s *Interactions) Find(ctx context.Context, r *http.Request) (Interaction, error) {
	panic("unwritten")
}

// Save keeps what a page has learnt: Agreed, Refused.
func (s *Interactions) Save(ctx context.Context, i Interaction) error { panic("unwritten") }

// Continue is where the browser goes when a page is done: back to the authorization endpoint, or to the page of ours that waited.
func (i Interaction) Continue() string { panic("unwritten") }

// At gives the address of one of our pages for this interaction: At("/sign-in") is /sign-in?interaction=ID.
func (i Interaction) At(path string) string { panic("unwritten") }

// A Standing is how a person stands at this moment.
type Standing struct {
	Person     uuid.UUID
	Identifier string    // the unique identifier: sub
	Active     bool      // the identifier is Active; Temporary and Blocked are given nothing
	Ended      time.Time // sign-ins not later than this are worth nothing
}

// Accounts tells the provider about people. login implements it. Both put their question into a batch, so that
// several questions are one round trip; the answer is there once the batch has been read.
type Accounts interface {
	// Standing asks how a person stands; an unknown person has the zero Standing.
	Standing(b *pgx.Batch, person uuid.UUID, to *Standing)
	// Claims asks for the person's claims that the scopes give (contract: profile, phone, citizenship, identification_number).
	Claims(b *pgx.Batch, person uuid.UUID, scopes []string, to *map[string]any)
}

// Consents tells the provider what a person has agreed to. consent/agreement implements it.
type Consents interface {
	// Covers asks whether the person's standing agreement with the client covers the scopes.
	Covers(b *pgx.Batch, person uuid.UUID, clientID string, scopes []string, to *bool)
}
