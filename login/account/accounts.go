package account

import (
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/identity"
	"asoba.example/provider"
	"asoba.example/provider/seal"
)

// Accounts answers the provider's questions.
type Accounts struct {
	Box *seal.Box
}

var _ provider.Accounts = Accounts{}

// An account is what is kept of a person who has an identifier.
type account struct {
	person      uuid.UUID
	number      string
	sex         string
	birthDate   string
	citizenship string
	incapable   bool
	state       identity.State
	phone       []byte
	names       []byte
	changedAt   time.Time
	ended       *time.Time
}

const selectAccount = `
	SELECT p.id, p.identification_number, p.sex, p.birth_date, p.citizenship, p.incapable_date IS NOT NULL,
	       i.state, i.phone, i.names, i.changed_at, e.at
	FROM person p
	JOIN identity i ON i.person_id = p.id
	LEFT JOIN ended e ON e.person_id = p.id
	WHERE `

// ask queues the question and hands the answer on; nobody is handed on where there is nobody.
func ask(b *pgx.Batch, where string, key any, found func(account) error) {
	b.Queue(selectAccount+where, key).QueryRow(func(row pgx.Row) error {
		var a account
		err := row.Scan(&a.person, &a.number, &a.sex, &a.birthDate, &a.citizenship, &a.incapable,
			&a.state, &a.phone, &a.names, &a.changedAt, &a.ended)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("ask about an account: %w", err)
		}
		return found(a)
	})
}

// Standing asks how a person stands; a person without an identifier has the zero Standing.
func (Accounts) Standing(b *pgx.Batch, person uuid.UUID, to *provider.Standing) {
	ask(b, `p.id = $1`, person, func(a account) error {
		*to = a.standing()
		return nil
	})
}

// Claims asks for the person's claims that the scopes give (OpenID Connect Core §5.4).
func (c Accounts) Claims(b *pgx.Batch, person uuid.UUID, scopes []string, to *map[string]any) {
	ask(b, `p.id = $1`, person, func(a account) (err error) {
		*to, err = c.claims(a, scopes)
		return err
	})
}

// Granted asks both about the person of a grant.
func (c Accounts) Granted(b *pgx.Batch, gid uuid.UUID, scopes []string, to *provider.Standing, claims *map[string]any) {
	ask(b, `p.id = (SELECT person_id FROM client_grant WHERE id = $1)`, gid, func(a account) (err error) {
		*to = a.standing()
		*claims, err = c.claims(a, scopes)
		return err
	})
}

func (a account) standing() provider.Standing {
	s := provider.Standing{Person: a.person, Identifier: a.number, Active: a.state == identity.Active, Incapable: a.incapable}
	if a.ended != nil {
		s.Ended = *a.ended
	}
	return s
}

// claims gives what is known and granted; what is not known is left out, never empty (OpenID Connect Core §5.3.2).
func (c Accounts) claims(a account, scopes []string) (map[string]any, error) {
	claims := map[string]any{}
	for _, scope := range scopes {
		switch scope {
		case "profile":
			names, err := identity.OpenNames(c.Box, a.person, a.names)
			if err != nil {
				return nil, err
			}
			for claim, value := range map[string]string{
				"name":        names.Full(),
				"family_name": names.Family,
				"given_name":  names.Given,
				"middle_name": names.Middle,
				"gender":      gender(a.sex),
				"birthdate":   birthdate(a.birthDate),
			} {
				if value != "" {
					claims[claim] = value
				}
			}
			claims["updated_at"] = a.changedAt.Unix()
		case "phone":
			if a.phone == nil { // a blocked identifier may have none
				continue
			}
			phone, err := identity.OpenPhone(c.Box, a.person, a.phone)
			if err != nil {
				return nil, err
			}
			claims["phone_number"] = phone.Reveal()
			claims["phone_number_verified"] = true // by a code, before the identifier was assigned
		case "citizenship":
			claims["citizenship"] = a.citizenship
		case "identification_number":
			claims["identification_number"] = a.number
		}
	}
	return claims, nil
}

// gender in the words of OpenID Connect Core §5.1.
func gender(sex string) string {
	return map[string]string{"F": "female", "M": "male"}[sex]
}

// birthdate leaves out what OpenID Connect Core §5.1 cannot say: a year with a
// month but without a day becomes the year.
func birthdate(iso string) string {
	if len(iso) == len("2006-01") {
		return iso[:len("2006")]
	}
	return iso
}
