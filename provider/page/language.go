package page

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

type localesKey struct{}

// WithLanguage hands down the languages a client asked for (OpenID Connect Core §3.1.2.1 ui_locales).
func WithLanguage(r *http.Request, uiLocales string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), localesKey{}, uiLocales))
}

// matcher knows our languages in the order of Languages.
var matcher = language.NewMatcher([]language.Tag{language.Russian, language.MustParse("be"), language.English})

// Language is the reader's: the switch, where it was used for this very request; ui_locales of the waiting request
// (through WithLanguage); the switch, used earlier; the browser's; Russian.
func (s *Site) Language(r *http.Request) string {
	chosen, choseFor := s.chosen(r)
	if chosen != "" && choseFor == waiting(r.URL) {
		return chosen
	}
	if locales, ok := r.Context().Value(localesKey{}).(string); ok {
		if l := match(strings.Fields(locales)...); l != "" {
			return l
		}
	}
	if chosen != "" {
		return chosen
	}
	if tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language")); err == nil {
		if l := matchTags(tags); l != "" {
			return l
		}
	}
	return Languages[0]
}

// match gives the first of ours that suits; tags that are no languages are passed over (ui_locales must not be an error).
func match(locales ...string) string {
	var tags []language.Tag
	for _, locale := range locales {
		if tag, err := language.Parse(locale); err == nil {
			tags = append(tags, tag)
		}
	}
	return matchTags(tags)
}

func matchTags(tags []language.Tag) string {
	// One at a time: the matcher would rather speak Russian to somebody who asks for Ukrainian, then English.
	for _, tag := range tags {
		if _, i, confidence := matcher.Match(tag); confidence >= language.High {
			return Languages[i]
		}
	}
	return ""
}

// The switch is a link to the page itself with ?language=be added: Handle keeps the choice in a cookie and leads back
// to the same address without it, so the page's own parameters survive.
const (
	languageParam = "language"
	year          = 365 * 24 * 3600
)

// switched answers a press of the switch; false if r is none.
func (s *Site) switched(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	to := r.URL.Query().Get(languageParam)
	if !slices.Contains(Languages[:], to) {
		return false
	}
	back := url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: besideSwitch(r.URL)}

	http.SetCookie(w, &http.Cookie{
		Name: s.languageCookie(), Value: to + "." + waiting(&back),
		Path: "/", MaxAge: year, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", here(&back))
	w.WriteHeader(http.StatusSeeOther)
	return true
}

// besideSwitch is the query of an address without the switch, and otherwise as it stands: what waits for a page goes by its very address.
func besideSwitch(u *url.URL) string {
	return strings.Join(slices.DeleteFunc(strings.Split(u.RawQuery, "&"), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		return err == nil && name == languageParam
	}), "&")
}

func (s *Site) languageCookie() string { return s.cookie("language") }

// cookie is the name of a cookie of the site's.
func (s *Site) cookie(of string) string {
	if s.secure {
		return "__Host-" + s.name + "_" + of
	}
	return s.name + "_" + of
}

// chosen is the language of the switch's cookie, and what it was chosen for.
func (s *Site) chosen(r *http.Request) (language, choseFor string) {
	cookie, err := r.Cookie(s.languageCookie())
	if err != nil {
		return "", ""
	}
	language, choseFor, _ = strings.Cut(cookie.Value, ".")
	if !slices.Contains(Languages[:], language) {
		return "", ""
	}
	return language, choseFor
}

// waiting names, by a digest, what a choice of language was made for: the interaction, through all of its pages, or
// else the address. There the choice goes before the client's ui_locales.
func waiting(u *url.URL) string {
	what := u.Query().Get("interaction")
	if what == "" {
		what = here(u)
	}
	digest := sha256.Sum256([]byte(what))
	return hex.EncodeToString(digest[:8])
}

// here is the address of a page on our own origin. One slash at its head: two would name another host.
func here(u *url.URL) string {
	at := "/" + strings.TrimLeft(u.EscapedPath(), "/\\")
	if u.RawQuery != "" {
		at += "?" + u.RawQuery
	}
	return at
}

// A Tongue is a language of the switch.
type Tongue struct {
	Code, Name, Link string
	Current          bool
}

var names = map[string]string{"ru": "Русский", "be": "Беларуская", "en": "English"}

// tongues are the switch's links from this page.
func tongues(u *url.URL, current string) []Tongue {
	var all []Tongue
	query := besideSwitch(u)
	if query != "" {
		query += "&"
	}
	for _, code := range [...]string{"be", "ru", "en"} {
		all = append(all, Tongue{
			Code: code, Name: names[code], Current: code == current,
			Link: here(&url.URL{Path: u.Path, RawPath: u.RawPath, RawQuery: query + languageParam + "=" + code}),
		})
	}
	return all
}
