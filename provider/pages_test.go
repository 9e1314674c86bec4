package provider

import (
	"net/http"
	"testing"

	"asoba.example/provider/page"
	"asoba.example/provider/page/pagetest"
)

func TestEveryWordIsSaidAndUsed(t *testing.T) { pagetest.Words(t, ".") }

func TestPages(t *testing.T) {
	site := pagetest.Site(t, Room())
	for name, view := range map[string]page.View{
		"refusal": refusalView(http.StatusBadRequest, refusalPage{
			Client: "Портал", Code: "invalid_request", Description: "redirect_uri is not registered", RequestID: "0193f2c4",
		}),
		"refusal-of-nobody": refusalView(http.StatusBadRequest, refusalPage{Code: "invalid_client"}),
		"logout-refusal": logoutRefusalView(logoutRefusalPage{
			Client: "Портал", Code: "invalid_request", Description: "post_logout_redirect_uri is not registered", RequestID: "0193f2c4",
		}),
		"logout-refusal-of-nobody": logoutRefusalView(logoutRefusalPage{Code: "invalid_request"}),
		"logout": logoutView(logoutPage{
			Client: "Портал", Action: "/logout", Fields: []hidden{{"state", "x"}},
		}, "https://portal.example/"),
		"device":           {Name: "device", Data: "BCDF-GHJK"},
		"device-unknown":   {Name: "device", Data: "BCDF-GHJK", Errors: []page.FieldError{{Field: "user_code", Word: "device.unknown"}}},
		"device-confirm":   confirmDeviceView(confirmDevicePage{Client: "Портал", UserCode: "BCDF-GHJK", Action: "/device/decision", SID: "s"}),
		"device-connected": {Name: "device-connected"},
		"device-refused":   {Name: "device-refused"},
		"signed-out": signedOutView(signedOutPage{
			Client: "Портал", ClientURI: "https://portal.example/", SignIn: "https://portal.example/sign-in?iss=https%3A%2F%2Fidp.example",
		}, nil),
		"signed-out-on-the-way": signedOutView(signedOutPage{LeadsTo: "https://portal.example/bye?state=a+b"}, []string{"https://tax.example/bye?iss=i&sid=s"}),
		"form-post":             formPostView(formPostPage{Action: "https://portal.example/cb", Fields: []hidden{{"code", "abc"}}}),
	} {
		pagetest.Golden(t, site, name, "/authorize", view)
	}
}
