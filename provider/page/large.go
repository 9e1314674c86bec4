package page

import "net/http"

// SetLarge has the reader's browser be shown pages in large type from now on, or no more.
func (s *Site) SetLarge(w http.ResponseWriter, r *http.Request, large bool) {
	switch {
	case large == s.large(r):
	case large:
		s.setCookie(w, s.cookie("large"), "1", year)
	default:
		s.setCookie(w, s.cookie("large"), "", -1)
	}
}

func (s *Site) large(r *http.Request) bool {
	_, err := r.Cookie(s.cookie("large"))
	return err == nil
}
