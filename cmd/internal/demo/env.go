package demo

import (
	"fmt"
	"strings"
)

// tell writes the settings of idp to a file, for a shell to read: its commands then work on what the demo runs on.
func (d *demo) tell(path string) error {
	var said strings.Builder
	for _, setting := range d.environment() {
		if name, value, _ := strings.Cut(setting, "="); strings.HasPrefix(name, "IDP_") {
			fmt.Fprintf(&said, "export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
		}
	}
	return place(path, []byte(said.String()))
}
