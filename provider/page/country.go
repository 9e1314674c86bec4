package page

import (
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Country names a country by its code (ISO 3166-1); by the code itself where there is no name for it.
func Country(code, in string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	if name := display.Regions(language.MustParse(in)).Name(region); name != "" {
		return name
	}
	return code
}
