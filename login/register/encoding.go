package register

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// ErrEncoding says that a file is not text in UTF-8.
var ErrEncoding = errors.New("the file is not in UTF-8")

// letters is a writer that counts the letters beyond ASCII in what it is given. A damaged byte here and there is a matter of its row. Where
// more of them are broken in a row than whole, it is another encoding, and to apply the rows that have none would leave out those that tell of acts.
type letters struct {
	whole, broken int64
	last          bool   // was broken
	rest          []byte // the beginning of a letter that is not there yet
	begun         bool
	wide          bool // begins as UTF-16 does
}

// Write counts.
func (l *letters) Write(p []byte) (int, error) {
	n := len(p)
	if !l.begun && n > 1 {
		l.begun = true
		l.wide = bytes.HasPrefix(p, []byte("\xff\xfe")) || bytes.HasPrefix(p, []byte("\xfe\xff")) || bytes.IndexByte(p[:2], 0) >= 0
	}
	if len(l.rest) > 0 {
		p = append(l.rest, p...)
		l.rest = nil
	}
	for i := 0; i < len(p); {
		if p[i] < utf8.RuneSelf {
			i, l.last = i+1, false
			continue
		}
		if !utf8.FullRune(p[i:]) {
			l.rest = bytes.Clone(p[i:])
			break
		}
		letter, size := utf8.DecodeRune(p[i:])
		i += size
		broken := letter == utf8.RuneError && size == 1
		switch {
		case !broken:
			l.whole++
		case l.last:
			l.broken++
		}
		l.last = broken
	}
	return n, nil
}
