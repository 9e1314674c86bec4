package catalogue

import _ "embed"

// Sample is an edition to try with: services of the kinds that people ask for most, of made-up bodies.
//
//go:embed sample.yaml
var Sample []byte
