// Package tokens makes what the provider hands out: access tokens, ID tokens, codes and refresh tokens.
package tokens

import _ "github.com/ory/fosite" // its errors
