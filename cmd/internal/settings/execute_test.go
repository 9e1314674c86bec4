package settings_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"asoba.example/cmd/internal/settings"
)

// Whoever asks wrongly is told in a line what is wrong, and in another how it is asked; what goes wrong afterwards is no matter of usage.
func TestWhoAsksWronglyIsToldHow(t *testing.T) {
	t.Parallel()
	const usage = "\nusage: bring import FILE [flags]"
	for asked, want := range map[string]string{
		"import file --by me":                 "it is broken",
		"import file":                         `required flag(s) "by" not set` + usage,
		"import --by me":                      "accepts 1 arg(s), received 0" + usage,
		"import file --by me --pages many":    `invalid argument "many" for "-p, --pages" flag` + usage,
		"import file --by me --in-a-hurry":    "unknown flag: --in-a-hurry" + usage,
		"import file --by":                    "flag needs an argument: --by" + usage,
		"erase file":                          `unknown command "erase" for "bring"` + "\nusage: bring",
		"import file and another one --by me": "accepts 1 arg(s), received 4" + usage,
	} {
		bring := &cobra.Command{
			Use: "import FILE", Args: cobra.ExactArgs(1),
			RunE: func(*cobra.Command, []string) error { return errors.New("it is broken") },
		}
		bring.Flags().String("by", "", "who brings it")
		bring.Flags().IntP("pages", "p", 1, "how many")
		settings.Require(bring, "by")
		root := &cobra.Command{Use: "bring", SilenceErrors: true, SilenceUsage: true}
		root.AddCommand(bring)
		root.SetArgs(strings.Fields(asked))
		root.SetOut(io.Discard)
		if err := settings.Execute(t.Context(), root); err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", asked, err, want)
		}
	}
}
