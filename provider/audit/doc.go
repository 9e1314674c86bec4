// Package audit records what happened, in the transaction in which it happened.
package audit
