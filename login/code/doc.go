// Package code is the one-time codes that go to a person's phone by SMS.
//
// A code has six digits, or more where that is settled, and is good for five minutes, once, for the person, the
// purpose and the one occasion (a sign-in, an issuance) for which it was asked.
// A person's newest for a purpose is the only one good. Five wrong tries void it. Between
// two of them stands a pause that grows until one comes back right, and five are sent in an
// hour and ten in a day at most: to a person, and to a phone that need not be theirs yet; of each
// purpose by itself. Of those that anybody may ask for who knows a number, fewer.
//
// Where a code is asked for by a number that may be anybody's, an alias of the number stands for the person, and
// a code that goes to nobody takes the same work and the same waits. The alias is another one in each network, and
// at a browser that is known to the person: so the newest is the only one good there, and a stranger's elsewhere
// takes nothing from the owner's, nor ends the one that the owner is about to type.
//
// It owns the codes' digests in Redis; a lost one asks the person to have another sent.
// The message goes through the outbox, in one transaction with the record that it was sent.
package code
