// Package run keeps goroutines: it is the only place with the word go, and every one has a parent who waits.
package run

import "context"

// A Part is something that runs until ctx ends. It returns nil when it was asked to stop.
type Part func(ctx context.Context) error

// All runs every part; when one fails the rest are stopped; it returns when all have ended, with their errors joined.
func All(ctx context.Context, parts ...Part) error { panic("unwritten") }
