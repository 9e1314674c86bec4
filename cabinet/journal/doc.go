// Package journal is the citizen's journal (order 82, p. 4): what happened to the identifier, at the desk, in the
// cabinet and by e-services, newest first. It only grows; an entry that came by the provider's feed stands once,
// however often the feed is read.
package journal
