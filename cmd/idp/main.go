// Command idp is the identity provider.
package main

import (
	"os"

	"asoba.example/cmd/internal/idp"
)

func main() { os.Exit(idp.Main()) }
