package demo

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// known serves the workbench under its own name, this machine's and addresses alone. It shows passwords and secrets to whoever asks
// from here, and a page of any site can have its own name lead to this machine (DNS rebinding), and read them.
func known(address string, next http.Handler) (http.Handler, error) {
	own, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host // without a port
		}
		_, err = netip.ParseAddr(strings.Trim(host, "[]"))
		if isName := err != nil; isName && host != "localhost" && !strings.EqualFold(host, own.Hostname()) {
			http.Error(w, "not a name of the workbench", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	}), nil
}
