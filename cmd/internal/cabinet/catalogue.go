package cabinet

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"asoba.example/cabinet/catalogue"
	"asoba.example/cmd/internal/settings"
)

// catalogueCommand is the operator's work with the catalogue of services.
func catalogueCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use: "catalogue", Short: "The catalogue of e-services and administrative procedures",
		Long: "The catalogue of e-services and administrative procedures. It comes by editions, each a file in YAML or JSON that says\n" +
			"everything; cabinet catalogue sample prints one to begin from. A file that is - is read from the standard input.",
	}
	check := &cobra.Command{
		Use: "check FILE", Short: "Tell all that is wrong with an edition's file; the database is not asked", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := readEdition(cmd, args[0])
			if err != nil {
				return err
			}
			when := ""
			if e.Early(time.Now()) {
				when = " It can be imported from its day on."
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "Edition %d of %s: %d services of %d bodies, nothing wrong.%s\n",
				e.Number, e.Date.Format(time.DateOnly), len(e.Services), len(e.Bodies), when)
			return err
		},
	}
	diff := &cobra.Command{
		Use: "diff FILE", Short: "Tell what an edition would do, service by service; nothing is written", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, err := readEdition(cmd, args[0])
			if err != nil {
				return err
			}
			return withDatabase(environ, func(cmd *cobra.Command, pool *pgxpool.Pool) error {
				report, err := catalogue.Diff(cmd.Context(), pool, e, time.Now())
				if err != nil {
					return err
				}
				return tellReport(cmd.OutOrStdout(), report, "would do")
			})(cmd, args)
		},
	}
	var (
		by     string
		first  bool
		closes int
	)
	bring := &cobra.Command{
		Use: "import FILE", Short: "Bring an edition into force, whole or not at all", Args: cobra.ExactArgs(1),
		Long: "Bring an edition into force, whole or not at all, in one transaction with the record of who did it.\n\n" +
			"A service that it does not tell of any more is closed and stays; how many are is said with --closes, as diff tells. The same edition again does nothing; an older one is refused.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if strings.TrimSpace(by) == "" {
				return errors.New("--by: say who brings the edition")
			}
			e, err := readEdition(cmd, args[0])
			if err != nil {
				return err
			}
			return withDatabase(environ, func(cmd *cobra.Command, pool *pgxpool.Pool) error {
				report, err := catalogue.Import(cmd.Context(), pool, e, closes, by, time.Now())
				if first && (errors.Is(err, catalogue.ErrOld) || errors.Is(err, catalogue.ErrTaken)) {
					_, err = fmt.Fprintln(cmd.OutOrStdout(), "Another edition is in force already. Nothing to do.")
					return err
				}
				if errors.Is(err, catalogue.ErrClose) {
					return fmt.Errorf("%w; see diff, and say it with --closes", err)
				}
				if err != nil {
					return err
				}
				return tellReport(cmd.OutOrStdout(), report, "did")
			})(cmd, args)
		},
	}
	bring.Flags().StringVar(&by, "by", "", "who brings it, for the record; required")
	settings.Require(bring, "by")
	bring.Flags().IntVar(&closes, "closes", 0, "how many services it closes")
	bring.Flags().BoolVar(&first, "first", false, "do nothing where there is another edition already")
	sample := &cobra.Command{
		Use: "sample", Short: "Print an edition to try with: made-up bodies, services of the kinds that people ask for most", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(catalogue.Sample)
			return err
		},
	}
	schema := &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of an edition's file", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(catalogue.Schema)
			return err
		},
	}
	command.AddCommand(bring, check, diff, sample, schema)
	return command
}

// readEdition reads a file and prints all that is wrong with it.
func readEdition(cmd *cobra.Command, name string) (catalogue.Edition, error) {
	var (
		text []byte
		err  error
	)
	if name == "-" {
		text, err = io.ReadAll(cmd.InOrStdin())
	} else {
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return catalogue.Edition{}, err
	}
	e, err := catalogue.Parse(text)
	if faults, ok := errors.AsType[catalogue.Faults](err); ok {
		for _, fault := range faults {
			fmt.Fprintln(cmd.OutOrStdout(), fault)
		}
		return e, fmt.Errorf("%s is no edition: faults: %d", name, len(faults))
	}
	return e, err
}

// tellReport says what an edition did, or would.
func tellReport(out io.Writer, r catalogue.Report, did string) error {
	name := fmt.Sprintf("Edition %d of %s", r.Number, r.Date.Format(time.DateOnly))
	if r.Again {
		_, err := fmt.Fprintf(out, "%s is in force already: %s brought it on %s. Nothing to do.\n", name, r.By, r.At.UTC().Format(time.RFC3339))
		return err
	}
	fmt.Fprintf(out, "%s %s:\n", name, did)
	for _, act := range []catalogue.Act{catalogue.Added, catalogue.Changed, catalogue.Closed, catalogue.Restored} {
		fmt.Fprintf(out, "  %-9s %d\n", act, r.Count(act))
	}
	fmt.Fprintf(out, "  %-9s %d\n", "the same", r.Same)
	for _, c := range r.Changes {
		fmt.Fprintf(out, "%-9s %-12s %s", c.Act, c.Code, c.Name)
		if len(c.Fields) > 0 {
			fmt.Fprintf(out, " (%s)", strings.Join(c.Fields, ", "))
		}
		fmt.Fprintln(out)
	}
	return nil
}
