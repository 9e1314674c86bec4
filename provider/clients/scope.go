package clients

import (
	"slices"
	"strings"
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
		"clients:manage", "keys:manage", "desk:act", "register:manage", "policy:manage", "audit:read", "changes:read",
	}
)

func known(scope string) bool {
	return slices.Contains(IdentityScopes, scope) || slices.Contains(CabinetScopes, scope) || slices.Contains(ManagementScopes, scope)
}

// gives refuses a scope of the management API that a management client would give away without having it: registering a client would
// else be a way to any of them. What the client has already it keeps. An operator's command may give all.
func (by By) gives(m, has Metadata) error {
	if by.ClientID == "" {
		return nil
	}
	may := append(strings.Fields(has.Scope), by.Scopes...)
	for _, s := range strings.Fields(m.Scope) {
		if slices.Contains(ManagementScopes, s) && !slices.Contains(may, s) {
			return wrong("scope", "has "+s+", which whoever gives it must have")
		}
	}
	return nil
}
