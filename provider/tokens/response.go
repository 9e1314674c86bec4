package tokens

import (
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// responseFor is how long a signed answer is on its way through a browser: far below the ten minutes of JARM §2.1.
const responseFor = time.Minute

// Response signs the answer to an authorization request for the client that it goes to (JARM §2.1). The answer has its iss already.
// Its typ is the one that client libraries take.
func (m *Maker) Response(alg jose.SignatureAlgorithm, clientID string, answer url.Values, now time.Time) (string, error) {
	claims := map[string]any{"aud": clientID, "exp": now.Add(responseFor).Unix()}
	for name := range answer {
		claims[name] = answer.Get(name)
	}
	return m.Ring.Sign(alg, typeID, claims)
}
