package cmd_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"asoba.example/consent"
	"asoba.example/login"
	"asoba.example/provider"
	"asoba.example/provider/dashboard"
	"asoba.example/provider/page/pagetest"
)

// patterns remembers what is mounted.
type patterns []string

func (p *patterns) Handle(pattern string, _ http.Handler) { *p = append(*p, pattern) }

// What answers a form can be loaded once more, wherever it stands. No form is sent to the doors for programs.
func TestWhereFormsAreSentToCanBeOpened(t *testing.T) {
	t.Parallel()
	var doors patterns
	new(provider.Provider).Mount(&doors)
	new(login.Login).Mount(&doors)
	new(consent.Consent).Mount(&doors)
	new(dashboard.Dashboard).Mount(&doors)
	pagetest.Forms(t, slices.DeleteFunc(doors, func(pattern string) bool {
		return slices.Contains(provider.CrossOrigin, pattern) || strings.Contains(pattern, " /register")
	}))
}
