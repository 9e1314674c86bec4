package clients

import (
	"context"
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
		"clients:manage", "clients:own", "keys:manage", "desk:act", "operator:act", "register:manage", "policy:manage", "audit:read", "changes:read",
	}
)

func known(scope string) bool {
	return slices.Contains(IdentityScopes, scope) || slices.Contains(CabinetScopes, scope) || slices.Contains(ManagementScopes, scope)
}

// managing gives those of the scopes that are of the management API.
func managing(scope string) []string {
	return slices.DeleteFunc(strings.Fields(scope), func(s string) bool { return !slices.Contains(ManagementScopes, s) })
}

// reaches refuses a management client another one that can do more than it can: a new secret, or keys of its own choice, would make it that
// other one.
func (by By) reaches(c *Client) error {
	if by.ClientID == "" || by.Self || by.Person != uuid.Nil {
		return nil
	}
	for _, s := range managing(c.Metadata.Scope) {
		if !slices.Contains(by.Scopes, s) {
			return ErrBeyond
		}
	}
	return nil
}

// keyed refuses whoever has but a secret what concerns a client that speaks for clerks, as it was or as it is to be: whoever copied the secret
// would give such a client a key of their own, and speak for every clerk there is. A registration access token is a secret too.
func (r *Registry) keyed(ctx context.Context, by By, before, after *Client) error {
	if by.ClientID == "" || by.Person != uuid.Nil || !before.Allows("desk:act") && !after.Allows("desk:act") {
		return nil
	}
	caller, err := r.Find(ctx, by.ClientID)
	if err != nil {
		return err
	}
	if by.Self || !caller.ByKey() {
		return ErrKeyless
	}
	return nil
}

// gives refuses what whoever makes the change may not give. A management client gives no scope of its API that it has not itself:
// registering a client would else be a way to any of them. Nobody gives one to a body's client, and who acts for a body claims no more than
// a client that registers itself may. An operator's command gives all else.
func (by By) gives(c *Client, has Metadata) error {
	for _, s := range managing(c.Metadata.Scope) {
		switch {
		case c.Owner != nil:
			return wrong("scope", "has "+s+", which no body's client has")
		case by.ClientID != "" && !slices.Contains(by.Scopes, s):
			return wrong("scope", "has "+s+", which whoever gives it must have")
		}
	}
	if by.Person == uuid.Nil {
		return nil
	}
	if c.IsDraft() {
		has.SubjectType = "" // nobody but specimens has agreed to be known by it
	}
	return c.claims(has, slices.Concat(IdentityScopes, CabinetScopes))
}
