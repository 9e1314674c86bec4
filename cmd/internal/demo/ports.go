package demo

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// A door is an address that a part of the demo will listen at, and the setting that names it.
type door struct{ setting, address string }

// free tells every door that cannot be opened, before anything is started.
func free(doors []door) error {
	var taken []error
	for _, d := range doors {
		l, err := net.Listen("tcp", d.address)
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			taken = append(taken, fmt.Errorf("%s is in use: end what listens there, or set %s", d.address, d.setting))
		case err != nil:
			taken = append(taken, fmt.Errorf("%s: %w", d.setting, err))
		default:
			defer l.Close() // held to the end, so that two doors with one address are noticed
		}
	}
	return errors.Join(taken...)
}
