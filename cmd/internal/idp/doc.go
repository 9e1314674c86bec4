// Package idp is the identity provider as a program: its settings, its wiring, and the errands of its operators.
// It holds the provider's signing keys and the identity database; two listeners face the world:
// the public one, for citizens and e-services, and the management one, for desks and operators.
package idp
