// Package code is the one-time codes that go to a person's phone by SMS.
//
// A code has six digits and is good for five minutes, once, for the person, the
// purpose and the one occasion (a sign-in, an issuance) for which it was asked.
// The newest is the only one good. Five wrong tries void it. Between two of them
// stands a pause that grows, and a person is sent five in an hour and ten in a day at most.
//
// It owns the codes' digests in Redis; a lost one asks the person to have another sent.
// The message goes through the outbox, in one transaction with the record that it was sent.
package code
