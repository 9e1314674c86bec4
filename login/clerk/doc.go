// Package clerk keeps the desk's staff: people with an identifier like any
// other, who have an office and a role as well. Two realms of staff, and neither
// can read a citizen's password: the issuing service acts at the desk (clerk,
// supervisor), the operator keeps the system (operator, auditor).
package clerk
