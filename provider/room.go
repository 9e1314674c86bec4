package provider

import (
	"embed"

	"asoba.example/provider/page"
)

//go:embed pages parts words static
var files embed.FS

// Room is what the provider brings to the site: refusals, sign-out, and the words of the whole program.
func Room() page.Room { return page.Room{FS: files} }
