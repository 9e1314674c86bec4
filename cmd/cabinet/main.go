// Command cabinet is the personal electronic cabinet.
package main

import (
	"os"

	"asoba.example/cmd/internal/cabinet"
)

func main() { os.Exit(cabinet.Main()) }
