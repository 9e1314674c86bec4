package factortest

import (
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

// Shows gives the digits that an app with this key shows at a time (RFC 6238).
func Shows(t testing.TB, key string, at time.Time) string {
	t.Helper()
	digits, err := totp.GenerateCode(key, at)
	if err != nil {
		t.Fatal(err)
	}
	return digits
}
