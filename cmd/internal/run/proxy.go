package run

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Behind believes proxies of the networks about whom a request is from: it sets
// RemoteAddr to the last address in X-Forwarded-For that is not a proxy's own.
// From anybody else the header is a stranger's word and is not read.
func Behind(networks []string, next http.Handler) (http.Handler, error) {
	trusted := make([]netip.Prefix, len(networks))
	for i, network := range networks {
		var err error
		if trusted[i], err = netip.ParsePrefix(strings.TrimSpace(network)); err != nil {
			return nil, fmt.Errorf("trusted proxies: %w", err)
		}
	}
	if len(trusted) == 0 {
		return next, nil
	}
	isProxy := func(address netip.Addr) bool {
		for _, network := range trusted {
			if network.Contains(address.Unmap()) {
				return true
			}
		}
		return false
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil && isProxy(peer.Addr()) {
			hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
			for i := len(hops) - 1; i >= 0; i-- {
				hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
				if err != nil {
					break // what stands before it cannot be believed either
				}
				r.RemoteAddr = net.JoinHostPort(hop.String(), "0")
				if !isProxy(hop) {
					break
				}
			}
		}
		next.ServeHTTP(w, r)
	}), nil
}
