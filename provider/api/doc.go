// Package api holds the manners of the JSON doors: handlers that return their
// error, problems (RFC 9457), decoding, lists, and the bearer check.
package api
