// Package api holds the manners of the JSON doors: handlers that return their
// error, problems (RFC 9457), decoding, the document that doors are held to, the
// bearer check, and the one line that a request leaves in the log.
package api
