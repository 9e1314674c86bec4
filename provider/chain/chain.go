// Package chain links records to one another, so that none can be changed, taken
// out, moved or put in between without every later link telling.
//
//	link n = SHA-256 (link n-1 ‖ record n)      link 0 is 32 zero bytes
//
// A record is its fields one after another, each as its length in bytes, a colon
// and itself; where there is none, the colon stands alone. No two lists of fields
// make the same record. Whoever knows one link knows all that led to it.
package chain

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// A Link stands for a record and all that came before it. The zero Link is before the first.
type Link [sha256.Size]byte

// Next is the link of the record that follows.
func (l Link) Next(fields ...*string) Link {
	record := l[:]
	for _, field := range fields {
		if field == nil {
			record = append(record, ':')
			continue
		}
		record = strconv.AppendInt(record, int64(len(*field)), 10)
		record = append(record, ':')
		record = append(record, *field...)
	}
	return sha256.Sum256(record)
}

// String is the link in hexadecimal.
func (l Link) String() string { return hex.EncodeToString(l[:]) }

// MarshalText writes the link in hexadecimal.
func (l Link) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, l[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (l *Link) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(l) {
		return hex.ErrLength
	}
	_, err := hex.Decode(l[:], text)
	return err
}
