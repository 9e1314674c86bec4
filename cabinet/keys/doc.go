// Package keys holds what the cabinet signs with: its own word for what it hands out, apart from the provider's keys, of
// which it has none. A private key lies in the database, sealed under the cabinet's master key; the newest signs, and
// the public halves of all are published, so that what an older one signed can still be proved.
package keys
