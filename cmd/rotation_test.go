package cmd_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// When another key of the provider signs, the cabinet takes what it signs, and what was signed before as long as that is good. What a key has
// signed that others may have, and what was signed before it, the cabinet takes no more; and what comes after that it takes.
func TestTheCabinetFollowsTheProvidersKeys(t *testing.T) {
	t.Parallel()
	c := newCountry(t)
	c.set("IDP_RELAXED", "true") // a key signs as soon as it is asked to
	c.errand("idp", "migrate")
	c.errand("cabinet", "migrate")
	c.registerCabinet()
	metadata := c.eserviceMetadata()
	metadata["grant_types"], metadata["scope"] = []string{"client_credentials"}, "cabinet.profile.read"
	delete(metadata, "redirect_uris")
	metadata["response_types"] = []string{}
	service := c.register(metadata)
	c.serve("idp", c.issuer)
	c.serve("cabinet", c.cabinet)
	signed := map[string]bool{}
	fresh := func() string {
		t.Helper()
		token := c.ownToken(service, "cabinet.profile.read")
		jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			t.Fatal(err)
		}
		signed[jws.Signatures[0].Header.KeyID] = true
		return token
	}
	taken := func(token string, want int) error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.cabinet+"/api/v1/subscription", nil)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
		var answer map[string]any
		if status := exchange(t, r, &answer); status != want {
			return fmt.Errorf("it is answered %d %v, want %d", status, answer, want)
		}
		return nil
	}
	first := fresh()
	eventually(t, "the cabinet has heard of the feed", func() error { return taken(first, http.StatusOK) })
	c.errand("idp", "key", "rotate", "ES256")
	eventually(t, "another key signs", func() error {
		if fresh(); len(signed) < 2 {
			return fmt.Errorf("%v do", signed)
		}
		return nil
	})
	second := fresh()
	eventually(t, "what the key that signs now has signed is taken", func() error { return taken(second, http.StatusOK) }) // relaxed, no key waits until all have seen it
	if err := taken(first, http.StatusOK); err != nil {
		t.Errorf("a token of the key before: %v", err)
	}
	c.errand("idp", "key", "rotate", "ES256", "--compromised")
	for _, token := range []string{first, second} {
		patiently(t, 5*time.Second, "what a compromised key has signed is refused", func() error { return taken(token, http.StatusUnauthorized) })
	}
	eventually(t, "what the next key signs is taken", func() error { return taken(fresh(), http.StatusOK) })
}
