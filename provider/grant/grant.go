package grant

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"asoba.example/provider/api"
)

// A Grant is what one sign-in gave one client. Its ID is the claim gid of every access token made from it.
type Grant struct {
	ID       uuid.UUID
	Person   uuid.UUID
	ClientID string
	SID      string
	Scopes   []string
	Claims   Claims // beyond those of the scopes
	Audience []string
	AuthTime time.Time
	ACR      string
	AMR      []string
	Agent    string           // for the record: "Firefox, Linux"; not kept with the grant
	Bound    api.Confirmation // what it was redeemed with; zero for nothing but the client's credentials
	At       time.Time        // given at
	Till     time.Time        // nothing made from the grant lives longer: neither a refresh nor an access token
}

// Claims are claims that were asked for by name (OpenID Connect Core §5.5), by where they are told.
type Claims struct {
	UserInfo []string `json:"userinfo,omitempty"`
	IDToken  []string `json:"id_token,omitempty"`
}

// names are those of the claims, each once, with spaces between.
func (c Claims) names() string {
	all := slices.Concat(c.UserInfo, c.IDToken)
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}
