package grant

import (
	"time"

	"github.com/google/uuid"
)

// A Grant is what one sign-in gave one client. Its ID is the claim gid of every access token made from it.
type Grant struct {
	ID       uuid.UUID
	Person   uuid.UUID
	ClientID string
	SID      string
	Scopes   []string
	Audience []string
	AuthTime time.Time
	ACR      string
	AMR      []string
	Agent    string    // for the record: "Firefox, Linux"; not kept with the grant
	At       time.Time // given at
	Till     time.Time // nothing made from the grant lives longer: neither a refresh nor an access token
}
