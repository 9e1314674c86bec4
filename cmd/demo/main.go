// Command demo runs the whole system on one machine.
package main

import (
	"os"

	"asoba.example/cmd/internal/demo"
)

func main() { os.Exit(demo.Main()) }
