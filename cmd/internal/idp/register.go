package idp

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/spf13/cobra"

	"asoba.example/cmd/internal/run"
	"asoba.example/login/register"
)

// registerCommand is the operator's work with the population register.
func registerCommand(config reader) *cobra.Command {
	command := group("register", "The population register")
	command.Long = command.Short + ".\n\nAn edition that would deactivate many people, or a full one that leaves many out, waits for another of the operator's staff than who imported it.\n" +
		"The terminal believes what --by says: two people belong before it.\n\n" +
		"EDITION is the id that import and editions tell: not the number in the file, of which there may be several."
	command.AddCommand(
		importCommand(config), verifyFileCommand(config), editionsCommand(config), badRowsCommand(config),
		peopleCommand(config, "missing", "List the people whom a full edition does not tell of though they are known", (*register.Register).Missing),
		peopleCommand(config, "deactivated", "List the people whom an edition that waits would deactivate", (*register.Register).Deactivated),
		decideEditionCommand(config, "release", "Apply an edition that waits", "Applying", (*register.Register).Release),
		decideEditionCommand(config, "refuse", "Refuse an edition that waits", "Refusing", (*register.Register).Refuse),
		decideEditionCommand(config, "withdraw", "Take back an edition that waits, by who imported it", "Dropping",
			func(g *register.Register, ctx context.Context, id int64, by uuid.UUID, at time.Time) (register.Edition, error) {
				return g.Withdraw(ctx, id, by, "", at)
			}),
		eventCommand(config), restoreCommand(config), sampleCommand(),
	)
	return command
}

// registerKey is by which the register's owner signs; nil where none is named.
func (cfg Config) registerKey() (*register.Key, error) {
	if cfg.RegisterKeyFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(cfg.RegisterKeyFile)
	if err != nil {
		return nil, fmt.Errorf("IDP_REGISTER_KEY_FILE: %w", err)
	}
	key, err := register.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("IDP_REGISTER_KEY_FILE: %w", err)
	}
	return key, nil
}

// signatureOf reads what lies beside a file; nil where nothing does.
func signatureOf(file, named string) ([]byte, error) {
	if named != "" {
		return os.ReadFile(named)
	}
	signature, err := os.ReadFile(file + ".sig")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return signature, err
}

// checksumOf reads the SHA-256 that a file is to have: as it was given, in hexadecimal; or what lies beside the file, as sha256sum writes it or as it
// is; nil where there is none.
func checksumOf(file, given string) ([]byte, error) {
	if given == "" {
		text, err := os.ReadFile(file + ".sha256")
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil || len(text) == sha256.Size {
			return text, err
		}
		given, _, _ = strings.Cut(strings.TrimSpace(string(text)), " ") // and the file's name
	}
	sum, err := hex.DecodeString(given)
	if err != nil || len(sum) != sha256.Size {
		return nil, errors.New("not a SHA-256 of a file: it has 64 hexadecimal digits")
	}
	return sum, nil
}

func importCommand(config reader) *cobra.Command {
	var by, signature, checksum string
	var dry bool
	command := &cobra.Command{
		Use:   "import FILE",
		Short: "Apply an edition of the population register",
		Long: "Apply an edition of the population register, in one transaction.\n\n" +
			"Bad rows are told by their line, and the rest is applied. The same file twice changes nothing, and an import that was\n" +
			"cut off goes on where it was. The signature lies beside the file, as FILE.sig, and so may its SHA-256, as FILE.sha256.\n" +
			"The format is described in cmd/idp/register.md.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			order := register.Order{File: file, At: time.Now()}
			if order.Signature, err = signatureOf(args[0], signature); err != nil {
				return err
			}
			if order.Checksum, err = checksumOf(args[0], checksum); err != nil {
				return err
			}
			return withHouse(cmd, config, func(h *house) error {
				if by != "" {
					if order.By, err = h.staff(cmd, "--by", by); err != nil {
						return err
					}
				}
				bring := h.register.Import
				if dry {
					bring = h.register.Try
				}
				report, err := bringWatched(cmd.Context(), bring, order, cmd.ErrOrStderr())
				if err != nil && !errors.Is(err, register.ErrBad) {
					return err
				}
				return errors.Join(tellReport(cmd.OutOrStdout(), report, dry, err), err)
			})
		},
	}
	flags := command.Flags()
	flags.BoolVar(&dry, "dry-run", false, "only tell what it would do")
	flags.StringVar(&by, "by", "", "identification number of the operator's clerk who imports it; needed where it must wait for another one")
	flags.StringVar(&checksum, "sha256", "", "SHA-256 that the file is to have, in hexadecimal (default that in FILE.sha256, where there is one)")
	flags.StringVar(&signature, "signature", "", "file of the signature (default FILE.sig, where there is one)")
	return command
}

// bringWatched brings an edition in and shows how far that is.
func bringWatched(ctx context.Context, bring func(context.Context, register.Order) (register.Report, error), order register.Order, screen io.Writer) (report register.Report, err error) {
	reading := &progress.Tracker{Message: "Reading", Units: progress.UnitsBytes}
	applying := &progress.Tracker{Message: "Applying", DeferStart: true} // of unknown length
	order.Progress = func(done, total int64) {
		reading.UpdateTotal(total)
		reading.SetValue(done)
		if done == total {
			applying.Start()
		}
	}
	err = watch(ctx, screen, func(ctx context.Context) (err error) {
		report, err = bring(ctx, order)
		return err
	}, reading, applying)
	return report, err
}

// watch does what takes long, and shows how far it is where somebody watches.
func watch(ctx context.Context, screen io.Writer, do func(context.Context) error, parts ...*progress.Tracker) error {
	bar := progress.NewWriter()
	bar.SetOutputWriter(screen)
	bar.SetUpdateFrequency(100 * time.Millisecond)
	bar.SetStyle(progress.StyleBlocks)
	bar.SetMessageLength(8)
	bar.Style().Visibility.Value = true
	bar.AppendTrackers(parts)
	bar.SetAutoStop(true)
	show := func(context.Context) error {
		if watched(screen) {
			bar.Render() // until all parts are done
		}
		return nil
	}
	return run.All(ctx, show, func(ctx context.Context) error {
		err := do(ctx)
		for _, part := range parts {
			if err != nil {
				part.MarkAsErrored()
			} else {
				part.MarkAsDone()
			}
		}
		return err
	})
}

func watched(screen io.Writer) bool {
	file, ok := screen.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// tellReport says what came of a file, or would, and what is wrong with it.
func tellReport(out io.Writer, r register.Report, dry bool, err error) error {
	name := fmt.Sprintf("Edition %d of %s (%s)", r.Number, r.Period.Format("2006-01"), r.Kind)
	switch {
	case r.Again && r.State == register.Waiting:
		fmt.Fprintf(out, "%s waits already: idp register release %d, or refuse.\n", name, r.ID)
	case r.Again:
		_, err := fmt.Fprintf(out, "%s was applied on %s; nothing to do.\n", name, r.AppliedAt.UTC().Format(time.DateOnly))
		return err
	case errors.Is(err, register.ErrBad) && dry:
		fmt.Fprintf(out, "%s would be refused: too many of its rows are bad. Nothing is written.\n", name)
	case errors.Is(err, register.ErrBad):
		fmt.Fprintf(out, "%s is refused: too many of its rows are bad. Nothing is applied.\n", name)
	case dry && r.State == register.Waiting:
		fmt.Fprintf(out, "%s would wait for a second person. Nothing is written.\n", name)
	case dry:
		fmt.Fprintf(out, "%s would be applied. Nothing is written.\n", name)
	case r.State == register.Waiting:
		fmt.Fprintf(out, "%s waits for a second person: idp register release %d, or refuse.\n", name, r.ID)
	default:
		fmt.Fprintf(out, "%s is applied.\n", name)
	}
	if r.Behind {
		fmt.Fprintln(out, "Another edition waits: until that is released or refused, this one is not taken in.")
	}
	signed := "not asked to be signed"
	if r.Signed {
		signed = "signed"
	}
	if r.ID != 0 {
		fmt.Fprintf(out, "Id %d, ", r.ID)
	}
	fmt.Fprintf(out, "SHA-256 %x, %s.\n", r.Checksum, signed)
	for _, count := range []struct {
		what string
		n    int64
	}{
		{"added", r.Added},
		{"changed", r.Changed},
		{"the same", r.Same},
		{"rejected", r.Rejected},
		{"doubtful", r.Doubtful},
		{"deactivated", r.Deactivated},
		{"restored", r.Restored},
		{"missing", r.Missing},
		{"withheld", r.Withheld},
	} {
		fmt.Fprintf(out, "  %-11s %d\n", count.what, count.n)
	}
	if r.Deactivated > 0 && r.State == register.Waiting && !dry {
		fmt.Fprintf(out, "It would deactivate people: idp register deactivated %d\n", r.ID)
	}
	if r.Missing > 0 && !dry {
		fmt.Fprintf(out, "Known people are missing from it, and stay as they are: idp register missing %d\n", r.ID)
	}
	for _, row := range r.Bad {
		tellBadRow(out, row)
	}
	if more := r.Rejected + r.Doubtful + r.Withheld - int64(len(r.Bad)); more > 0 && !r.Again {
		fmt.Fprintf(out, "and %d more rows\n", more)
	}
	return nil
}

func tellBadRow(out io.Writer, row register.BadRow) {
	fmt.Fprintf(out, "line %d: ", row.Line)
	if row.Column != "" {
		fmt.Fprintf(out, "%s: ", row.Column)
	}
	fmt.Fprint(out, row.Reason)
	if row.Taken {
		fmt.Fprint(out, " (taken all the same)")
	}
	fmt.Fprintln(out)
}

func verifyFileCommand(config reader) *cobra.Command {
	var signature string
	command := &cobra.Command{
		Use:   "verify FILE",
		Short: "Tell what a file says of itself, and whether the register's owner has signed it",
		Long: "Tell what a file says of itself, and whether the register's owner has signed it. The database is not asked.\n\n" +
			"The signature lies beside the file, as FILE.sig; the key is that of IDP_REGISTER_KEY_FILE.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := config()
			if err != nil {
				return err
			}
			key, err := cfg.registerKey()
			if err != nil {
				return err
			}
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			given, err := signatureOf(args[0], signature)
			if err != nil {
				return err
			}
			e, err := register.Verify(file, given, key)
			if e.Number > 0 {
				fmt.Fprintf(cmd.OutOrStdout(), "Edition %d of %s (%s), %d rows.\nSHA-256 %x\n", e.Number, e.Period.Format("2006-01"), e.Kind, e.Announced, e.Checksum)
			}
			if err != nil {
				return err
			}
			said := "Signed by the key of IDP_REGISTER_KEY_FILE."
			if !e.Signed {
				said = "IDP_REGISTER_KEY_FILE names no key: nobody can tell who made it."
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), said)
			return err
		},
	}
	command.Flags().StringVar(&signature, "signature", "", "file of the signature (default FILE.sig, where there is one)")
	return command
}

func editionsCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "editions",
		Short: "List the last hundred editions, the newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withHouse(cmd, config, func(h *house) error {
				all, err := h.register.Editions(cmd.Context(), 0, 100)
				if err != nil {
					return err
				}
				return tellEditions(cmd.OutOrStdout(), all...)
			})
		},
	}
}

func tellEditions(out io.Writer, all ...register.Edition) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNUMBER\tPERIOD\tKIND\tSTATE\tBEGAN\tADDED\tCHANGED\tSAME\tREJECTED\tDEACTIVATED\tRESTORED\tMISSING\tWITHHELD")
	for _, e := range all {
		fmt.Fprintf(table, "%d\t%d\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", e.ID, e.Number, e.Period.Format("2006-01"), e.Kind, e.State,
			e.BeganAt.UTC().Format(time.RFC3339), e.Added, e.Changed, e.Same, e.Rejected, e.Deactivated, e.Restored, e.Missing, e.Withheld)
	}
	return table.Flush()
}

// editionArgument reads the id of an edition.
func editionArgument(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("EDITION: %w", register.ErrNoEdition)
	}
	return id, nil
}

func badRowsCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "bad-rows EDITION",
		Short: "List the first thousand rows of an edition's file that something was wrong with, and of those that were withheld",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionArgument(args[0])
			if err != nil {
				return err
			}
			return withHouse(cmd, config, func(h *house) error {
				all, err := h.register.BadRows(cmd.Context(), id)
				for _, row := range all {
					tellBadRow(cmd.OutOrStdout(), row)
				}
				return err
			})
		},
	}
}

// peoplePage is how many people are read at a time.
const peoplePage = 10_000

func peopleCommand(config reader, use, short string,
	list func(*register.Register, context.Context, int64, uuid.UUID, int) ([]register.Person, error),
) *cobra.Command {
	return &cobra.Command{
		Use:   use + " EDITION",
		Short: short + ": id and identification number",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := editionArgument(args[0])
			if err != nil {
				return err
			}
			return withHouse(cmd, config, func(h *house) error {
				for after := uuid.Nil; ; {
					people, err := list(h.register, cmd.Context(), id, after, peoplePage)
					if err != nil {
						return err
					}
					for _, p := range people {
						after = p.ID
						if _, err := fmt.Fprintln(cmd.OutOrStdout(), p.ID, p.IdentificationNumber); err != nil {
							return err
						}
					}
					if len(people) < peoplePage {
						return nil
					}
				}
			})
		},
	}
}

func decideEditionCommand(config reader, use, short, doing string,
	decide func(*register.Register, context.Context, int64, uuid.UUID, time.Time) (register.Edition, error),
) *cobra.Command {
	return decideCommand(config, use+" EDITION", short, editionArgument, func(cmd *cobra.Command, h *house, id int64, by uuid.UUID) error {
		var e register.Edition
		err := watch(cmd.Context(), cmd.ErrOrStderr(), func(ctx context.Context) (err error) {
			e, err = decide(h.register, ctx, id, by, time.Now())
			return err
		}, &progress.Tracker{Message: doing}) // of unknown length
		if err != nil {
			return err
		}
		return tellEditions(cmd.OutOrStdout(), e)
	})
}

func eventCommand(config reader) *cobra.Command {
	var by string
	command := &cobra.Command{
		Use:   "event FILE",
		Short: "Take in what the register tells of single people between its editions",
		Long: "Take in what the register tells of single people between its editions: a file of JSON objects, one after another.\n\n" +
			"Each is applied in one transaction; told again, it changes nothing. The first that is refused ends the command, and what stood\n" +
			"before it is applied. The form is described in cmd/idp/register.md.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			return withHouse(cmd, config, func(h *house) error {
				var who uuid.UUID
				if by != "" {
					if who, err = h.staff(cmd, "--by", by); err != nil {
						return err
					}
				}
				events := json.NewDecoder(file)
				events.DisallowUnknownFields()
				for n := 1; ; n++ {
					var event register.Event
					switch err := events.Decode(&event); {
					case errors.Is(err, io.EOF):
						return nil
					case err != nil: // its text quotes what stands there, which may be about somebody
						return fmt.Errorf("event %d, before byte %d: not in the form that cmd/idp/register.md describes", n, events.InputOffset())
					}
					event.By, event.ToldAt = who, time.Now()
					o, err := h.register.Take(cmd.Context(), event)
					if err != nil {
						return fmt.Errorf("event %d: %w", n, err)
					}
					if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: person %s, %s\n", event.ID, o.Person, cameOf(o)); err != nil {
						return err
					}
				}
			})
		},
	}
	command.Flags().StringVar(&by, "by", "", "identification number of the operator's clerk who does it")
	return command
}

// cameOf says in words what came of an event.
func cameOf(o register.Outcome) string {
	came := "as it was known"
	switch {
	case o.Again:
		came = "told before"
	case o.Changed:
		came = "changed"
	}
	if o.Doubtful {
		came += ", identification_number: check_digit (taken all the same)"
	}
	return came
}

func sampleCommand() *cobra.Command {
	var sample register.Sample
	command := &cobra.Command{
		Use:   "sample",
		Short: "Write a made-up register file, for trials",
		Long: "Write a made-up register file to standard output, for trials.\n\n" +
			"Nobody real is in it: its identification numbers are of the nineteenth century.\n" +
			"The same numbers give the same file; the next edition has some more deaths in it.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return sample.Write(cmd.OutOrStdout()) },
	}
	flags := command.Flags()
	flags.IntVar(&sample.People, "people", 1000, "how many people")
	flags.IntVar(&sample.Edition, "edition", 1, "number of the edition")
	flags.Uint64Var(&sample.Seed, "seed", 1, "another seed gives other people")
	flags.IntVar(&sample.Corrected, "corrected", 0, "in a thousand people, how many dates of birth each edition corrects")
	flags.BoolVar(&sample.Delta, "delta", false, "tell only of those who differ from the edition before; otherwise it is a full edition")
	return command
}
