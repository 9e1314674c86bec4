package hashing

import "github.com/alexedwards/argon2id"

// A Creation asks for a hash at a cost.
type Creation struct {
	Secret string
	Params argon2id.Params
}

// A Comparison asks whether a hash is of a secret.
type Comparison struct{ Secret, Hash string }

// Here hashes in this process: where no request waits beside.
type Here struct{}

// Create gives the PHC string of a hash with a salt of its own.
func (Here) Create(c Creation, hash *string) (err error) {
	*hash, err = argon2id.CreateHash(c.Secret, &c.Params)
	return err
}

// Compare tells whether a hash, a PHC string, is of the secret; what is no such string is an error.
func (Here) Compare(c Comparison, fits *bool) (err error) {
	*fits, err = argon2id.ComparePasswordAndHash(c.Secret, c.Hash)
	return err
}
