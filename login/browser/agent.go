package browser

import (
	"net/http"
	"strings"
)

// A sign is a piece of a User-Agent header and what it stands for.
type sign struct{ piece, name string }

// Agent names the kind of browser and system of a request, "Firefox, Linux", out of a short closed
// list; never the header itself, which can single a person out. What is not on the list is left out.
func Agent(r *http.Request) string {
	header := r.UserAgent()
	// The order matters: most browsers also claim to be Chrome and Safari, and phones to be Linux or Mac OS.
	browser := first(header, []sign{
		{"YaBrowser/", "Yandex Browser"},
		{"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"EdgA/", "Edge"},
		{"EdgiOS/", "Edge"},
		{"Edg/", "Edge"},
		{"FxiOS/", "Firefox"},
		{"Firefox/", "Firefox"},
		{"CriOS/", "Chrome"},
		{"Chrome/", "Chrome"},
		{"Safari/", "Safari"},
	})
	system := first(header, []sign{
		{"Windows", "Windows"},
		{"Android", "Android"},
		{"iPhone", "iOS"},
		{"iPad", "iPadOS"},
		{"CrOS", "ChromeOS"},
		{"Mac OS X", "macOS"},
		{"Linux", "Linux"},
	})
	if browser == "" || system == "" {
		return browser + system
	}
	return browser + ", " + system
}

func first(header string, signs []sign) string {
	for _, s := range signs {
		if strings.Contains(header, s.piece) {
			return s.name
		}
	}
	return ""
}
