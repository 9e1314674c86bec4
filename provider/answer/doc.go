// Package answer gives again what was answered to requests that create or do something and carry an Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header). Whoever did not hear the answer sends the request again, and is told the
// same, a secret too: it would otherwise be lost, and what it opens with it.
//
// An answer is kept in the transaction of the act that it tells of, so there is none without the act and no act without
// it. Of two equal requests at once the second finds the answer of the first in its way, and all that it did is undone.
// It lies sealed for its caller and key, an hour long; of the key, and of what was asked, there are digests alone.
//
// It needs a table answer in the program's database.
package answer
