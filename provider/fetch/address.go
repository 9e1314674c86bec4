package fetch

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// judge stands between a name and its address: it is asked for every connection, when the address that the name leads to is known.
func (c *Caller) judge(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAddress, err)
	}
	if a := to.Addr().Unmap(); open(a) || c.loopback && a.IsLoopback() || c.private && a.IsPrivate() {
		return nil
	}
	return ErrAddress
}

// The addresses that look open and are not, by the special-purpose registries of IANA (RFC 6890). Of IPv6 only 2000::/3 is given out at
// all, so whatever carries an IPv4 address inside is outside of it (mapped, NAT64) or in this list (6to4, Teredo).
var (
	givenOut = netip.MustParsePrefix("2000::/3")
	closed   = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),        // this network
		netip.MustParsePrefix("100.64.0.0/10"),    // between carriers and their customers; metadata of one cloud
		netip.MustParsePrefix("168.63.129.16/32"), // the host, as machines of another cloud see it
		netip.MustParsePrefix("192.0.0.0/24"),     // protocol assignments; metadata of a third
		netip.MustParsePrefix("192.0.2.0/24"),     // documentation
		netip.MustParsePrefix("192.88.99.0/24"),   // relays of 6to4
		netip.MustParsePrefix("198.18.0.0/15"),    // benchmarks
		netip.MustParsePrefix("198.51.100.0/24"),  // documentation
		netip.MustParsePrefix("203.0.113.0/24"),   // documentation
		netip.MustParsePrefix("240.0.0.0/4"),      // nobody's; broadcast
		netip.MustParsePrefix("2001::/23"),        // protocol assignments, Teredo among them
		netip.MustParsePrefix("2001:db8::/32"),    // documentation
		netip.MustParsePrefix("2002::/16"),        // 6to4
		netip.MustParsePrefix("3fff::/20"),        // documentation
	}
)

// open tells whether an address is on the open Internet.
func open(a netip.Addr) bool {
	return a.IsGlobalUnicast() && !a.IsPrivate() && (a.Is4() || givenOut.Contains(a)) &&
		!slices.ContainsFunc(closed, func(p netip.Prefix) bool { return p.Contains(a) })
}

// isLoopback tells a host that is this machine by its very name.
func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}
