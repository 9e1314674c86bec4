package idp

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"asoba.example/login/clerk"
	"asoba.example/login/desk"
	"asoba.example/login/identity"
)

// clerkCommand is the staff, from the terminal: who has it can make operators too.
func clerkCommand(config reader) *cobra.Command {
	staff := group("clerk", "The staff: who serves at which desk, and who keeps the system")
	staff.AddCommand(addClerkCommand(config), listClerksCommand(config), moveClerkCommand(config), removeClerkCommand(config), reportClerksCommand(config))
	return staff
}

func addClerkCommand(config reader) *cobra.Command {
	var identifier, phone, office, role string
	var names identity.Names
	var kind, number, validTill string
	add := &cobra.Command{
		Use:   "add",
		Short: "Make somebody a clerk",
		Long: "Make somebody a clerk. Who has an identifier keeps it. Who has none, as the first clerk,\n" +
			"whom no desk could have served, is given one: a temporary password goes to the phone.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			id, err := identity.ParseIdentifier(identifier)
			if err != nil {
				return fmt.Errorf("--identifier: %w", err)
			}
			post, err := postOf(office, role)
			if err != nil {
				return err
			}
			return withHouse(cmd, config, func(h *house) error {
				known, err := h.identities.Find(cmd.Context(), id)
				if err != nil {
					return err
				}
				post.Person = known.Person
				if known.State != identity.None {
					return h.clerks.Add(cmd.Context(), post, uuid.Nil, time.Now())
				}
				a := identity.Assignment{Person: known.Person}
				if a.Phone, err = identity.ParsePhone(phone); err != nil {
					return fmt.Errorf("--phone: %w", err)
				}
				if a.Names, err = identity.ParseNames(names.Family, names.Given, names.Middle); err != nil {
					return fmt.Errorf("--family, --given, --middle: %w", err)
				}
				if a.Document, err = identity.ParseDocument(kind, number, validTill); err != nil {
					return fmt.Errorf("--document, --document-kind, --valid-till: %w", err)
				}
				return h.clerks.Appoint(cmd.Context(), h.identities, a, post, time.Now())
			})
		},
	}
	flags := add.Flags()
	flags.StringVar(&identifier, "identifier", "", "the clerk's identification number")
	flags.StringVar(&office, "office", "", "where the clerk works")
	flags.StringVar(&role, "role", string(clerk.AtDesk), "clerk, supervisor, operator or auditor")
	flags.StringVar(&phone, "phone", "", "mobile number; this and what follows only for who has no identifier")
	flags.StringVar(&names.Family, "family", "", "family name")
	flags.StringVar(&names.Given, "given", "", "given name")
	flags.StringVar(&names.Middle, "middle", "", "patronymic")
	flags.StringVar(&kind, "document-kind", "passport", "passport, id_card, residence_permit or refugee_certificate")
	flags.StringVar(&number, "document", "", "number of the identity document")
	flags.StringVar(&validTill, "valid-till", "", "until when the document is valid, as 2031-12-31")
	return add
}

// postOf reads where a clerk is to work, and as what.
func postOf(office, role string) (post clerk.Clerk, err error) {
	if post.Role, err = clerk.ParseRole(role); err != nil {
		return post, fmt.Errorf("--role: %w", err)
	}
	if post.Office, err = clerk.ParseOffice(office); err != nil || post.Office == "" {
		return post, errors.New("--office: where the clerk works is not said")
	}
	return post, nil
}

func listClerksCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the staff",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withHouse(cmd, config, func(h *house) error {
				all, err := h.clerks.List(cmd.Context())
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "IDENTIFIER\tOFFICE\tROLE\tSINCE")
				for _, m := range all {
					fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", m.Identifier.Reveal(), m.Office, m.Role, m.AddedAt.UTC().Format(time.RFC3339))
				}
				return table.Flush()
			})
		},
	}
}

func moveClerkCommand(config reader) *cobra.Command {
	var office, role string
	move := &cobra.Command{
		Use:   "move IDENTIFIER",
		Short: "Give a clerk another office and role",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			post, err := postOf(office, role)
			if err != nil {
				return err
			}
			return withHouse(cmd, config, func(h *house) error {
				if post.Person, err = h.staff(cmd, "IDENTIFIER", args[0]); err != nil {
					return err
				}
				return h.clerks.Move(cmd.Context(), post, uuid.Nil, time.Now())
			})
		},
	}
	move.Flags().StringVar(&office, "office", "", "where the clerk works from now on")
	move.Flags().StringVar(&role, "role", string(clerk.AtDesk), "clerk, supervisor, operator or auditor")
	return move
}

func removeClerkCommand(config reader) *cobra.Command {
	return &cobra.Command{
		Use:   "remove IDENTIFIER",
		Short: "Make a clerk a citizen like any other, from now on",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withHouse(cmd, config, func(h *house) error {
				who, err := h.staff(cmd, "IDENTIFIER", args[0])
				if err != nil {
					return err
				}
				return h.clerks.Remove(cmd.Context(), who, uuid.Nil, time.Now())
			})
		},
	}
}

func reportClerksCommand(config reader) *cobra.Command {
	var office, from, to string
	today := time.Now().In(identity.Minsk)
	report := &cobra.Command{
		Use:   "report",
		Short: "Tell what the staff of an office has done, and what was unusual",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			first, err := dayFlag("--from", from)
			if err != nil {
				return err
			}
			last, err := dayFlag("--to", to)
			if err != nil {
				return err
			}
			if office, err = clerk.ParseOffice(office); err != nil || office == "" {
				return errors.New("--office: whose report it is is not said")
			}
			return withHouse(cmd, config, func(h *house) error {
				all, err := desk.Reports(cmd.Context(), h.feed, h.clerks, office, first, last)
				if err == nil && len(all) == 0 { // of an office where nothing was done, or of none
					err = h.staffed(cmd, office)
				}
				if err != nil {
					return err
				}
				table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "CLERK\tISSUANCES\tPHONES\tREISSUES\tBLOCKS\tUNBLOCKS\tLOOK-UPS\tREFUSED\tUNUSUAL")
				for _, r := range all {
					fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", r.Identifier,
						r.Issuances, r.PhoneChanges, r.Reissues, r.Blocks, r.Unblocks, r.LookUps, counted(r.Refusals), counted(r.Alerts))
				}
				return table.Flush()
			})
		},
	}
	flags := report.Flags()
	flags.StringVar(&office, "office", "", "the office, as idp clerk list names it")
	flags.StringVar(&from, "from", today.AddDate(0, 0, -6).Format(time.DateOnly), "the first day")
	flags.StringVar(&to, "to", today.Format(time.DateOnly), "the last day")
	return report
}

// staffed tells an office where nobody works.
func (h *house) staffed(cmd *cobra.Command, office string) error {
	staff, err := h.clerks.List(cmd.Context())
	if err == nil && !slices.ContainsFunc(staff, func(m clerk.Member) bool { return m.Office == office }) {
		err = fmt.Errorf("--office: nobody works at %q", office)
	}
	return err
}

// counted writes counts like "g1 2, g4 1".
func counted[K ~string](counts map[K]int) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(all, ", ")
}

// staff finds the person whom an errand names, by a flag or an argument; whether they are of the staff the room judges.
func (h *house) staff(cmd *cobra.Command, name, identifier string) (uuid.UUID, error) {
	id, err := identity.ParseIdentifier(identifier)
	if err != nil {
		return uuid.Nil, fmt.Errorf("%s: %w", name, err)
	}
	who, err := h.identities.Find(cmd.Context(), id)
	if err != nil {
		return uuid.Nil, fmt.Errorf("%s: %w", name, err)
	}
	return who.Person, nil
}
