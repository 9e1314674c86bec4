// Command eservice is a sample government e-service.
package main

import (
	"os"

	"asoba.example/cmd/internal/eservice"
)

func main() { os.Exit(eservice.Main()) }
