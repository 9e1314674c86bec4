// Package code is the one-time codes that go to a person's phone by SMS.
//
// A code has six digits and is good for five minutes, once, for the person, the
// purpose and the one occasion (a sign-in, an issuance) for which it was asked.
// A person's newest for a purpose is the only one good. Five wrong tries void it. Between
// two of them stands a pause that grows until one comes back right, and five are sent in an
// hour and ten in a day at most: to a person, and to a phone, whoever they are for; of each
// purpose by itself.
//
// It owns the codes' digests in Redis; a lost one asks the person to have another sent.
// The message goes through the outbox, in one transaction with the record that it was sent.
package code
