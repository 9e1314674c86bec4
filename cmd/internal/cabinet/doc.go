// Package cabinet is the cabinet as a program: its settings, its wiring, and the errands of its operators.
// It holds no key of the provider and none of its data: it knows the provider by its issuer URL and by the
// management API, as any ministry's system would, and has a database and a Redis of its own.
package cabinet
