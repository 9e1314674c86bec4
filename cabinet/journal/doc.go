// Package journal is the citizen's journal (order 82, p. 4): what happened to the identifier, at the desk, in the
// cabinet and by e-services, newest first. It only grows; an entry that came by the provider's feed stands once,
// however often the feed is read, and under the id that the provider's audit has for its event.
//
// What a citizen does not recognise becomes a Report, once, with an entry of its own; operators read the reports, and
// Watch counts them.
package journal
