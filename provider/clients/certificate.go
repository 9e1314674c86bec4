package clients

import (
	"cmp"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// IsNamedBy tells whether a certificate has the subject that the client registered for tls_client_auth (RFC 8705 §2.1.2). That a trusted
// authority issued it the caller has made sure of.
func (c *Client) IsNamedBy(cert *x509.Certificate) bool {
	m := c.Metadata
	switch {
	case m.TLSClientAuthSubjectDN != "":
		registered, err := parseDN(m.TLSClientAuthSubjectDN)
		if err != nil {
			return false
		}
		subject, err := dnOf(cert.RawSubject)
		return err == nil && slices.EqualFunc(registered, subject, slices.Equal)
	case m.TLSClientAuthSANDNS != "":
		return slices.ContainsFunc(cert.DNSNames, func(name string) bool { return strings.EqualFold(name, m.TLSClientAuthSANDNS) })
	case m.TLSClientAuthSANURI != "":
		return slices.ContainsFunc(cert.URIs, func(u *url.URL) bool { return u.String() == m.TLSClientAuthSANURI })
	case m.TLSClientAuthSANIP != "":
		registered := net.ParseIP(m.TLSClientAuthSANIP)
		return slices.ContainsFunc(cert.IPAddresses, registered.Equal)
	case m.TLSClientAuthSANEmail != "":
		return slices.Contains(cert.EmailAddresses, m.TLSClientAuthSANEmail)
	}
	return false
}

// checkCertificate holds that exactly one subject is registered where one is looked at (RFC 8705 §2.1.2), and that it can be found.
func (m *Metadata) checkCertificate() error {
	var named string
	for member, value := range map[string]string{
		"tls_client_auth_subject_dn": m.TLSClientAuthSubjectDN, "tls_client_auth_san_dns": m.TLSClientAuthSANDNS,
		"tls_client_auth_san_uri": m.TLSClientAuthSANURI, "tls_client_auth_san_ip": m.TLSClientAuthSANIP,
		"tls_client_auth_san_email": m.TLSClientAuthSANEmail,
	} {
		switch {
		case value == "":
			continue
		case len(value) > maxText:
			return wrong(member, "is too long")
		case strings.ContainsFunc(value, unprinted):
			return wrong(member, "has characters that are not printed")
		case named != "":
			return wrong(max(member, named), "stands beside another subject of certificates")
		}
		named = member
	}
	if (m.TokenEndpointAuthMethod == "tls_client_auth") != (named != "") {
		return wrong(cmp.Or(named, "tls_client_auth_subject_dn"), "and the method tls_client_auth go together")
	}
	if _, err := parseDN(m.TLSClientAuthSubjectDN); named == "tls_client_auth_subject_dn" && err != nil {
		return wrong(named, "is not a distinguished name (RFC 4514): "+err.Error())
	}
	if named == "tls_client_auth_san_ip" && net.ParseIP(m.TLSClientAuthSANIP) == nil {
		return wrong(named, "is not an IP address")
	}
	return nil
}

// A name is a distinguished name: relative names in the order of the certificate, each a sorted set of attributes. Values are compared to
// the letter, whatever string type of ASN.1 holds them.
type name [][]attribute

type attribute struct{ oid, value string }

func sorted(set []attribute) []attribute {
	slices.SortFunc(set, func(a, b attribute) int {
		return cmp.Or(strings.Compare(a.oid, b.oid), strings.Compare(a.value, b.value))
	})
	return set
}

// dnOf reads the name of a certificate.
func dnOf(raw []byte) (name, error) {
	var sequence pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &sequence); err != nil || len(rest) > 0 {
		return nil, errors.New("not a name")
	}
	var n name
	for _, set := range sequence {
		var relative []attribute
		for _, a := range set {
			relative = append(relative, attribute{a.Type.String(), fmt.Sprint(a.Value)})
		}
		n = append(n, sorted(relative))
	}
	return n, nil
}

// attributes are the short names of RFC 4514 §3, and those that seals of organizations carry (ETSI EN 319 412).
var attributes = map[string]string{
	"CN": "2.5.4.3", "L": "2.5.4.7", "ST": "2.5.4.8", "O": "2.5.4.10", "OU": "2.5.4.11", "C": "2.5.4.6", "STREET": "2.5.4.9",
	"DC": "0.9.2342.19200300.100.1.25", "UID": "0.9.2342.19200300.100.1.1",
	"SERIALNUMBER": "2.5.4.5", "ORGANIZATIONIDENTIFIER": "2.5.4.97",
}

// parseDN reads a name as a text (RFC 4514), which tells the last relative name first.
func parseDN(text string) (name, error) {
	var (
		n        name
		relative []attribute
	)
	for rest := text; ; {
		kind, after, ok := strings.Cut(rest, "=")
		if !ok {
			return nil, errors.New("an attribute has no value")
		}
		oid, err := attributeType(strings.TrimSpace(kind))
		if err != nil {
			return nil, err
		}
		value, end, after, err := attributeValue(after)
		if err != nil {
			return nil, err
		}
		relative = append(relative, attribute{oid, value})
		if end != '+' {
			n, relative = append(n, sorted(relative)), nil
		}
		if end == 0 {
			slices.Reverse(n)
			return n, nil
		}
		rest = after
	}
}

func attributeType(kind string) (oid string, err error) {
	if oid, ok := attributes[strings.ToUpper(kind)]; ok {
		return oid, nil
	}
	for part := range strings.SplitSeq(kind, ".") {
		if _, err := strconv.ParseUint(part, 10, 31); err != nil {
			return "", errors.New("an attribute has neither a name of RFC 4514 nor an object identifier")
		}
	}
	return kind, nil
}

// attributeValue reads a value up to the separator that ends it; 0 is the end of the text.
func attributeValue(text string) (value string, end byte, rest string, err error) {
	text = strings.TrimLeft(text, " ")
	if strings.HasPrefix(text, "#") {
		return encodedValue(text[1:])
	}
	var b strings.Builder
	kept := 0 // what is not a space that may be dropped at the end
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			if i++; i == len(text) {
				return "", 0, "", errors.New("it ends within an escape")
			}
			if strings.IndexByte(` "#+,;<=>\`, text[i]) >= 0 {
				b.WriteByte(text[i])
			} else if octet, err := hex.DecodeString(text[i:min(i+2, len(text))]); err == nil && len(octet) == 1 {
				b.WriteByte(octet[0])
				i++
			} else {
				return "", 0, "", errors.New("an escape is neither of a special character nor two hexadecimal digits")
			}
			kept = b.Len()
		case c == ',' || c == '+':
			return b.String()[:kept], c, text[i+1:], nil
		case strings.IndexByte(`";<>`, c) >= 0 || c == 0:
			return "", 0, "", errors.New("a special character is not escaped")
		default:
			b.WriteByte(c)
			if c != ' ' {
				kept = b.Len()
			}
		}
	}
	return b.String()[:kept], 0, "", nil
}

// encodedValue reads a value that is given as the hexadecimal of its BER.
func encodedValue(text string) (value string, end byte, rest string, err error) {
	digits := text
	if i := strings.IndexAny(text, ",+"); i >= 0 {
		digits, end, rest = text[:i], text[i], text[i+1:]
	}
	raw, err := hex.DecodeString(strings.TrimRight(digits, " "))
	if err != nil {
		return "", 0, "", errors.New("a value in hexadecimal is none")
	}
	var decoded any
	if left, err := asn1.Unmarshal(raw, &decoded); err != nil || len(left) > 0 {
		return "", 0, "", errors.New("a value in hexadecimal is not BER")
	}
	return fmt.Sprint(decoded), end, rest, nil
}
