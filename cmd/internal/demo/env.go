package demo

import (
	"fmt"
	"strings"
)

// tell writes the settings of idp and of the cabinet to a file, for a shell to read: their commands then work on what the demo runs on.
func (d *demo) tell(path string) error {
	var said strings.Builder
	for _, setting := range d.environment() {
		name, value, _ := strings.Cut(setting, "=")
		if strings.HasPrefix(name, "IDP_") || strings.HasPrefix(name, "CABINET_") {
			fmt.Fprintf(&said, "export %s='%s'\n", name, strings.ReplaceAll(value, "'", `'\''`))
		}
	}
	return place(path, []byte(said.String()))
}
