// Package register is the population register as we hold it: everyone it tells
// of, by monthly editions (order 82, p. 5).
//
// The register is the truth about sex, birth, citizenship and the five facts;
// nobody here corrects it. It gives no names, addresses, phones or documents.
// It needs PostgreSQL alone. What an edition means for identifiers is the
// business of login/identity, which the import calls in its own transaction.
package register
