// Package account tells the provider about people: how they stand at this moment, and what the scopes that they
// granted give of them. It is the provider's Accounts.
//
// It writes nothing. A question is one statement over what the register says of a person (person), the identifier
// (identity) and the end of sign-ins (ended), so that a request learns all of it in one round trip. Who shows a token is
// looked up by its grant (client_grant): a sub need not be the identifier.
package account
