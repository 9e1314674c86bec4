package provider

import (
	"net/http"

	"asoba.example/provider/page"
)

// What the pages of this room show. Each has its template in pages/.

// refusalPage is shown instead of a redirect, where there is no redirect URI to trust (RFC 6749 §4.1.2.1).
type refusalPage struct {
	Client      string // its name, if the client is known
	Code        string // error
	Description string // error_description
	RequestID   string
}

// logoutRefusalPage is shown where a sign-out is asked for wrongly: that signs nobody out, and the person can do it here.
type logoutRefusalPage refusalPage

// logoutPage asks whether to end the session (OpenID Connect RP-Initiated Logout §2).
type logoutPage struct {
	Client string // which client asks; "" if none is known
	Action string // where the answer goes
	Fields []hidden
}

// signedOutPage is where a sign-out ends when there is no address to go back to, or where it rests while clients are told in frames.
type signedOutPage struct {
	LeadsTo   string // where it goes on; "" for nowhere
	Client    string
	ClientURI string // "" for no link
	SignIn    string // where the client begins a sign-in; "" for no link
}

// formPostPage carries a response to the client through the browser (OAuth 2.0 Form Post Response Mode).
type formPostPage struct {
	Action string // the redirect URI
	Fields []hidden
}

// confirmDevicePage asks whether the device is the person's, so that a code that somebody else has sent them is of no use (RFC 8628 §5.4).
type confirmDevicePage struct {
	Client   string
	UserCode string // to be compared with the device's
	Action   string
	SID      string // whose page this is: the answer must come from the same session
}

// A hidden field of a form.
type hidden struct{ Name, Value string }

func refusalView(status int, data refusalPage) page.View {
	return page.View{Status: status, Name: "refusal", Data: data, Now: true} // another site's form is not ours to lead on from
}

func logoutRefusalView(data logoutRefusalPage) page.View {
	return page.View{Status: http.StatusBadRequest, Name: "logout-refusal", Data: data, Now: true}
}

func logoutView(data logoutPage, leadsTo string) page.View {
	return page.View{Name: "logout", Data: data, FormAction: []string{leadsTo}}
}

func confirmDeviceView(data confirmDevicePage) page.View {
	return page.View{Name: "device-confirm", Data: data}
}

func signedOutView(data signedOutPage, frames []string) page.View {
	view := page.View{Name: "signed-out", Data: data, Frames: frames, Once: len(frames) > 0}
	if data.LeadsTo != "" {
		view.Script = "signed-out.js"
	}
	return view
}

func formPostView(data formPostPage) page.View {
	return page.View{Status: http.StatusOK, Name: "form-post", Data: data, FormAction: []string{data.Action}, Script: "submit.js", Once: true, Now: true}
}
