package idp

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"asoba.example/login"
	"asoba.example/login/desk"
	"asoba.example/login/operator"
	"asoba.example/provider/manage"
)

// patterns remembers what is mounted.
type patterns []string

func (p *patterns) Handle(pattern string, _ http.Handler) { *p = append(*p, pattern) }

// The document of the management API tells all its doors, and no others.
func TestTheManagementAPIIsItsDocument(t *testing.T) {
	t.Parallel()
	var doors patterns
	operators, err := manage.New(manage.Config{})
	if err != nil {
		t.Fatal(err)
	}
	operators.Mount(&doors)
	login.People{}.Mount(&doors)
	login.Rulings{}.Mount(&doors)
	new(desk.Doors).Mount(&doors)
	new(operator.Doors).Mount(&doors)
	new(operator.Editions).Mount(&doors)

	doc, err := openapi3.NewLoader().LoadFromData(manage.Document)
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			documented = append(documented, method+" "+path)
		}
	}
	slices.Sort(doors)
	slices.Sort(documented)
	if got, want := strings.Join(documented, "\n"), strings.Join(doors, "\n"); got != want {
		t.Errorf("documented:\n%s\nmounted:\n%s", got, want)
	}
}
