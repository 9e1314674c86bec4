package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

// static serves files under addresses that name their content, so that browsers may keep them for ever.
type static struct {
	addresses map[string]string // by name
	files     map[string]file   // by address
}

type file struct {
	content, zipped []byte
	kind            string
}

// kinds are told here and not by the machine, whose list may be another one elsewhere.
var kinds = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".png": "image/png",
}

func readStatic(rooms []Room) (*static, error) {
	s := &static{addresses: map[string]string{}, files: map[string]file{}}
	for _, room := range rooms {
		names, err := fs.Glob(room.FS, "static/*")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			content, err := fs.ReadFile(room.FS, name)
			if err != nil {
				return nil, err
			}
			name = path.Base(name)
			if _, twice := s.addresses[name]; twice {
				return nil, fmt.Errorf("%s: two rooms bring it", name)
			}
			end := path.Ext(name)
			kind, ok := kinds[end]
			if !ok {
				return nil, fmt.Errorf("%s: files of this kind are not served", name)
			}
			digest := sha256.Sum256(content)
			at := "/static/" + strings.TrimSuffix(name, end) + "." + hex.EncodeToString(digest[:6]) + end
			s.addresses[name] = at
			s.files[at] = file{content, zip(content), kind}
		}
	}
	return s, nil
}

// zip compresses once what is sent many times.
func zip(content []byte) []byte {
	var zipped bytes.Buffer
	w, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression) // the level is a good one
	_, _ = w.Write(content)                                    // a Buffer takes all
	_ = w.Close()
	return zipped.Bytes()
}

// address is the function "static" of templates.
func (s *static) address(name string) (string, error) {
	at, ok := s.addresses[name]
	if !ok {
		return "", fmt.Errorf("no static file %q", name)
	}
	return at, nil
}

// ServeHTTP handles GET /static/….
func (s *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := s.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'") // an SVG opened by itself runs nothing
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Vary", "Accept-Encoding")
	content := f.content
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		content = f.zipped
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content) // the reader has gone; there is nobody to tell
}
