package api

import (
	"net/http"
	"net/netip"
)

// Network is where a request comes from, for all that is counted by it: the address, or for IPv6 the /48, which is the most that one customer has
// (RFC 6177 §2). By anything smaller who has one line would have 65,536 budgets, and by them alone reach what all have together; that a whole street
// may share it is so of an address as well.
func Network(r *http.Request) string {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	bits := 32
	addr := at.Addr().Unmap()
	if addr.Is6() {
		bits = 48
	}
	prefix, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return r.RemoteAddr
	}
	return prefix.String()
}
