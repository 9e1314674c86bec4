package clients

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// unkept are members that are registered with IANA (RFC 7591 §4.1) or that we tell ourselves, and that we do not keep when they are sent.
var unkept = []string{
	"contacts", "software_id", "software_version", "require_auth_time", "claims_redirect_uris", "response_modes",
	"authorization_details_types", "description",
	"client_id", "client_secret", "client_id_issued_at", "client_secret_expires_at", "registration_access_token", "registration_client_uri",
	"previous_client_secret_expires_at", "disabled_at", "stage", "owner", "warnings",
}

// Strange gives the members of metadata that nobody registers with anybody. RFC 7591 §2 has them left out, which a stranger's library relies
// on; but an operator who misspells dpop_bound_access_tokens must not believe that it holds.
func Strange(metadata []byte) []string {
	var members map[string]json.RawMessage
	if json.Unmarshal(metadata, &members) != nil {
		return nil // whoever reads it tells
	}
	known := map[string]bool{}
	for _, name := range append(slices.Collect(maps.Keys(notOffered)), unkept...) {
		known[name] = true
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[plain]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		known[name] = true
	}
	for name := range new(Metadata).texts() {
		known[name] = true
	}
	var strange []string
	for member := range members {
		if name, _, _ := strings.Cut(member, "#"); !known[name] { // client_name#be
			strange = append(strange, member)
		}
	}
	slices.Sort(strange)
	return strange
}
