package cabinet

import (
	"net/http"

	"asoba.example/provider/api"
)

// A door takes one kind of request. A page's and one of the API differ in who is told of its error, and how.
type door = func(http.ResponseWriter, *http.Request) error

// api has the doors that openapi.json describes, by route. They go by no cookie.
func (c *Cabinet) api() map[string]door {
	return map[string]door{
		"GET /api/v1/journal": c.apiJournal,

		"GET /api/v1/events":       c.apiEvents,
		"GET /api/v1/subscription": c.apiSubscription,
		"PUT /api/v1/subscription": c.apiSubscribe,

		"GET /jwks":         c.jwks,
		"GET /openapi.json": openapi,

		"GET /api/v1/profile":            c.apiProfile,
		"GET /api/v1/profile/changes":    c.apiChanges,
		"POST /api/v1/profile/refreshes": c.apiRefresh,

		"GET /api/v1/services":        c.apiServices,
		"GET /api/v1/services/{code}": c.apiService,
		"GET /api/v1/bodies":          c.apiBodies,
	}
}

// pages has the doors of the web cabinet, by route. But for the front door, those of signing in and out, and the one that leads to the provider's page,
// they are for the citizen whose session it is.
func (c *Cabinet) pages() map[string]door {
	return map[string]door{
		"GET /{$}":                    c.start,
		"GET /profile":                c.profile,
		"GET /profile/values/{name}":  c.showValue,
		"POST /profile/values/{name}": c.dispute,
		"GET /profile/data":           c.data,
		"POST /profile/data/export":   c.exportData,
		"GET /journal":                c.journal,
		"POST /journal/export":        c.export,
		"GET /journal/{id}":           c.entry,
		"POST /journal/{id}/report":   c.report,
		"GET /services":               c.services,
		"GET /services/{code}":        c.service,
		"GET /settings":               c.settings,
		"POST /settings":              c.giveContact,
		"GET /security":               c.security,
		"GET /cases":                  c.empty("cases"),
		"GET /inbox":                  c.empty("inbox"),

		"GET /sign-in":   c.signIn,
		"GET /callback":  c.callback,
		"GET /sign-out":  c.askSignOut,
		"POST /sign-out": c.signOut,
	}
}

// route puts the doors into what leads to them. There are no others.
func (c *Cabinet) route() {
	c.toAPI, c.toAll = http.NewServeMux(), http.NewServeMux()
	held := c.document.Hold(c.toAPI)
	for pattern, door := range c.api() {
		held.Handle(pattern, api.Handler(door))
	}
	c.toAll.Handle("POST /back-channel-logout", api.Handler(c.backChannel)) // for the provider, which is no browser
	api := c.API()
	for _, path := range []string{"/api/", "/jwks", "/openapi.json"} {
		c.toAll.Handle(path, api)
	}
	for pattern, door := range c.pages() {
		c.toAll.Handle(pattern, c.site.Handle(door))
	}
	c.site.Mount(c.toAll)
}

// API leads to the doors that openapi.json describes.
func (c *Cabinet) API() http.Handler { return api.Refusing(c.toAPI) }

// Handler leads to every door of the cabinet.
func (c *Cabinet) Handler() http.Handler { return c.site.Protect(c.site.Over(c.toAll)) }
