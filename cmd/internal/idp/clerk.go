package idp

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
)

func clerkCommand(config reader) *cobra.Command {
	staff := group("clerk", "The desk's staff")
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
			post := clerk.Clerk{Office: office}
			if post.Role, err = clerk.ParseRole(role); err != nil {
				return fmt.Errorf("--role: %w", err)
			}
			if office == "" {
				return errors.New("--office: where the clerk works is not said")
			}
			return withHouse(cmd, config, func(h *house) error {
				known, err := h.identities.Find(cmd.Context(), id)
				if err != nil {
					return err
				}
				post.Person = known.Person
				if known.State != identity.None {
					return h.clerks.Add(cmd.Context(), post, time.Now())
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
	staff.AddCommand(add)
	return staff
}
