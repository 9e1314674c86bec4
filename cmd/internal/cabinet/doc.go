// Package cabinet is the cabinet as a program: its settings, its wiring, and the errands of its operators.
// It holds no key of the provider and none of its data: it knows the provider by its issuer URL and by the
// management API, as any ministry's system would, and has a database and a Redis of its own.
//
// How long a web session lasts, and for how long a journal is shown and kept, are settings of this program, and not the provider's policy:
// they are about the operator's own deployment of the cabinet, which must start while the provider is away, and whose journals the law
// binds by a least term that no setting goes below.
package cabinet
