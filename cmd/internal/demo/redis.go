package demo

import (
	"fmt"

	"github.com/alicebob/miniredis/v2"
)

// startRedis starts an embedded Redis of one program's own. What it keeps ends with it, as what is kept in Redis may.
func startRedis() (*miniredis.Miniredis, error) {
	r := miniredis.NewMiniRedis()
	if err := r.Start(); err != nil {
		return nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	r.ClockTTL(true) // keys expire by the clock; otherwise they would only when told to
	return r, nil
}
