package clients

import (
	"slices"
	"strings"

	"github.com/google/uuid"
)

// The scopes there are. A client can register no others, and they are told apart by case.
var (
	// IdentityScopes are about the person, and are answered by UserInfo.
	IdentityScopes = []string{"openid", "profile", "phone", "citizenship", "identification_number", "offline_access"}

	// CabinetScopes are the cabinet's API: each as a whole, to read, to write.
	CabinetScopes = []string{
		"cabinet.profile", "cabinet.profile.read", "cabinet.profile.write",
		"cabinet.services", "cabinet.services.read", "cabinet.services.write",
		"cabinet.cases", "cabinet.cases.read", "cabinet.cases.write",
		"cabinet.inbox", "cabinet.inbox.read", "cabinet.inbox.write",
		"cabinet.journal", "cabinet.journal.read", "cabinet.journal.write",
	}

	// ManagementScopes are the management API.
	ManagementScopes = []string{
		"clients:manage", "clients:own", "keys:manage", "desk:act", "register:manage", "policy:manage", "audit:read", "changes:read",
	}
)

func known(scope string) bool {
	return slices.Contains(IdentityScopes, scope) || slices.Contains(CabinetScopes, scope) || slices.Contains(ManagementScopes, scope)
}

// gives refuses what whoever makes the change may not give. A management client gives no scope of its API that it has not itself:
// registering a client would else be a way to any of them. Who acts for a body claims no more than a client that registers itself may.
// What the client has already it keeps. An operator's command gives all.
func (by By) gives(c *Client, has Metadata) error {
	switch {
	case by.Person != uuid.Nil:
		if c.IsDraft() {
			has.SubjectType = "" // nobody but specimens has agreed to be known by it
		}
		return c.claims(has, slices.Concat(IdentityScopes, CabinetScopes))
	case by.ClientID != "":
		may := append(strings.Fields(has.Scope), by.Scopes...)
		for _, s := range strings.Fields(c.Metadata.Scope) {
			if slices.Contains(ManagementScopes, s) && !slices.Contains(may, s) {
				return wrong("scope", "has "+s+", which whoever gives it must have")
			}
		}
	}
	return nil
}
