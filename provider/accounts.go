package provider

import (
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/provider/clients"
)

// A Standing is how a person stands at this moment.
type Standing struct {
	Person     uuid.UUID
	Identifier string    // the unique identifier: sub, but for pairwise clients
	Active     bool      // the identifier is Active; Temporary and Blocked are given nothing
	Incapable  bool      // a court has found so: they bind themselves to nothing
	Ended      time.Time // sign-ins not later than this are worth nothing
}

// Holds tells whether a sign-in at that time is worth anything.
func (s Standing) Holds(authTime time.Time) bool { return s.Active && authTime.After(s.Ended) }

// Accounts tells the provider about people. login/account implements it. They put their questions into a batch, so that
// several questions are one round trip; the answer is there once the batch has been read.
type Accounts interface {
	// Standing asks how a person stands; an unknown person has the zero Standing.
	Standing(b *pgx.Batch, person uuid.UUID, to *Standing)
	// Claims asks for the person's claims that the scopes give (profile, phone, citizenship, identification_number).
	Claims(b *pgx.Batch, person uuid.UUID, scopes []string, to *map[string]any)
	// Granted asks both about the person of a grant, in the same round trip.
	Granted(b *pgx.Batch, gid uuid.UUID, scopes []string, to *Standing, claims *map[string]any)
}

// Consents tells the provider what a person has agreed to. consent/agreement implements it.
type Consents interface {
	// Covers asks whether what the person agreed to, or was informed of where the client has an official basis, covers
	// the scopes at that time. The client's basis counts: who was informed of a release has not agreed to it.
	Covers(b *pgx.Batch, person uuid.UUID, client *clients.Client, scopes []string, at time.Time, to *bool)
}
