package foreign

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// openid-client is of Node.js: openid-client.mjs tells the stories.
func TestOpenIDClient(t *testing.T) {
	for _, story := range []string{
		"a secret", "a device", "a resource server, which is answered in a JWT", "a client that registers itself", "FAPI 2.0",
	} {
		t.Run(story, func(t *testing.T) {
			node := exec.CommandContext(t.Context(), "node", "openid-client.mjs", story)
			node.Env = append(os.Environ(), "ISSUER="+land.issuer, "CABINET="+land.cabinet, "NOBODY="+nobody)
			var wrong strings.Builder
			node.Stderr = &wrong
			wants, answers := must[io.ReadCloser](t)(node.StdoutPipe()), must[io.WriteCloser](t)(node.StdinPipe())
			if err := node.Start(); err != nil {
				t.Fatal(err)
			}
			b := newBrowser(t)
			for lines := bufio.NewScanner(wants); lines.Scan(); {
				verb, rest, _ := strings.Cut(lines.Text(), " ")
				switch verb {
				case "open":
					fmt.Fprintln(answers, b.open(rest))
				case "operate":
					path, body, _ := strings.Cut(rest, " ")
					var answer json.RawMessage
					land.operate(t, path, json.RawMessage(body), &answer)
					fmt.Fprintln(answers, string(answer))
				default:
					t.Log(lines.Text())
				}
			}
			if err := node.Wait(); err != nil {
				t.Errorf("%v: %s", err, &wrong)
			}
		})
	}
}
