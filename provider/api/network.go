package api

import (
	"net/http"
	"net/netip"
)

// Network is where a request comes from: the address, or for IPv6 the /64 that one household has.
func Network(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	bits := 32
	addr := at.Addr().Unmap()
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return r.RemoteAddr
	}
	return prefix.String()
}
