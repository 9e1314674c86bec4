package fetch

import (
	"crypto/x509"
	"net/http"
)

// Open is what is tested of every address.
var Open = open

// Trust lets a test's own server be who it says it is.
func (c *Caller) Trust(roots *x509.CertPool) {
	c.http.Transport.(*http.Transport).TLSClientConfig.RootCAs = roots
}

// Held is how many documents are held.
func (d *Documents[T]) Held() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.held)
}
