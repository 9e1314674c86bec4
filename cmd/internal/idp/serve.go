package idp

import (
	"context"
	"log/slog"
)

// Serve runs the provider until ctx ends. It returns before it listens when a setting or a store is wrong.
func Serve(ctx context.Context, cfg Config, log *slog.Logger) error { panic("unwritten") }
