package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"asoba.example/provider/audit"
)

// An Assignment is what an identifier is issued with.
type Assignment struct {
	Person   uuid.UUID
	Phone    Phone
	Names    Names
	Document Document
}

// Issue assigns the identifier to its person and sends the temporary password to
// the phone; assignment and password are one act (resolution 792 ¶4). Whether
// the person may have it is decided in act.Within. Two who issue at the same
// moment, for one person or with one phone, are parted by the table's keys.
func (r *Registry) Issue(ctx context.Context, a Assignment, act Act) error {
	phone, err := r.keep(a.Person, a.Phone)
	if err != nil {
		return err
	}
	kept, err := r.seal(a)
	if err != nil {
		return err
	}
	password, err := r.formTemporary(ctx, a.Person, act)
	if err != nil {
		return err
	}
	const insert = `
		INSERT INTO identity (person_id, state, password_hash, password_till,
		                      phone, phone_index, names, document, document_index, issued_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)`
	err = r.transact(ctx, act, func(tx pgx.Tx) error {
		if err := r.free(ctx, tx, a.Person, phone, act); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, insert, a.Person, Temporary, password.hash, password.till,
			phone.sealed, phone.index, kept.names, kept.document, kept.documentIndex, act.At)
		if err != nil {
			return taken(err)
		}
		if err := audit.Record(ctx, tx, act.event(audit.IdentifierIssued, a.Person)); err != nil {
			return err
		}
		return r.send(ctx, tx, a.Person, a.Phone, password, act)
	})
	if err != nil {
		return fmt.Errorf("issue to %s: %w", a.Person, err)
	}
	return nil
}

// taken gives the meaning of what the table does not hold: a key that is there already, or a phone that is not.
func taken(err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.ConstraintName {
		case "identity_pkey":
			return ErrAssigned
		case "identity_phone_once", "phone_change_held":
			return ErrPhoneTaken
		case "identity_in_use_has_a_phone":
			return ErrNoPhone
		}
	}
	return err
}

// What is kept of an Assignment besides the phone.
type sealed struct {
	names, document, documentIndex []byte
}

func (r *Registry) seal(a Assignment) (s sealed, err error) {
	names, _ := json.Marshal(a.Names) // three strings always marshal
	if s.names, err = r.box.Seal(namesPlace(a.Person), names); err != nil {
		return sealed{}, fmt.Errorf("seal the names of %s: %w", a.Person, err)
	}
	s.document, s.documentIndex, err = r.sealDocument(a.Person, a.Document)
	return s, err
}

// event is the act's record.
func (a Act) event(kind audit.Kind, person uuid.UUID) audit.Event {
	return audit.Event{
		Kind: kind, At: a.At, Person: person,
		Clerk: a.Clerk, Office: a.Office, ClientID: a.ClientID, Agent: a.Agent, Where: a.Where,
	}
}

// A temporaryPassword on its way to the citizen: nobody else sees it.
type temporaryPassword struct {
	text string // of the message
	hash string
	till time.Time
}

// formTemporary forms a temporary password and its hash, before the transaction.
func (r *Registry) formTemporary(ctx context.Context, person uuid.UUID, act Act) (temporaryPassword, error) {
	password := formTemporary(r.symbols())
	hash, err := r.hasher.hash(ctx, person, foldTemporary(password))
	if err != nil {
		return temporaryPassword{}, err
	}
	till := act.At.Add(r.temporaryFor())
	return temporaryPassword{
		text: r.say(act.language(), "sms.temporary_password", map[string]any{
			"Password": password,
			"Till":     till.In(Minsk).Format("02.01 15:04"),
		}),
		hash: hash,
		till: till,
	}, nil
}

// send puts the temporary password into the act's transaction.
func (r *Registry) send(ctx context.Context, tx pgx.Tx, person uuid.UUID, phone Phone, p temporaryPassword, act Act) error {
	return r.sms.Put(ctx, tx, Message{
		Person: person, Phone: phone, Kind: TemporaryPasswordMessage, Text: p.text,
		At: act.At, Till: p.till,
	})
}

// notify tells the citizen what was done, in the act's transaction.
func (r *Registry) notify(ctx context.Context, tx pgx.Tx, person uuid.UUID, phone Phone, word string, act Act) error {
	return r.tell(ctx, tx, person, phone, word, "", act)
}

func (r *Registry) tell(ctx context.Context, tx pgx.Tx, person uuid.UUID, phone Phone, word, link string, act Act) error {
	at := act.At
	if !act.Due.IsZero() {
		at = act.Due
	}
	said := func(from string) string {
		return r.say(act.language(), word, map[string]any{
			"At": at.In(Minsk).Format("02.01 15:04"), "Desk": r.deskAddress, "From": from, "Link": link,
		})
	}
	var text string
	for _, from := range []string{strings.Trim(act.Agent+"; "+act.Where.In(act.language()), "; "), act.Agent, ""} { // as much as is known and fits
		if text = said(from); fits(text) {
			break
		}
	}
	till := act.At.Add(24 * time.Hour)
	if phone == (Phone{}) {
		till = act.At
	}
	return r.sms.Put(ctx, tx, Message{Person: person, Phone: phone, Kind: NoticeMessage, Text: text, At: act.At, Till: till})
}

// fits tells whether a message is within two segments (3GPP TS 23.038).
func fits(text string) bool {
	limit := 2 * 153
	if strings.ContainsFunc(text, func(c rune) bool { return c > unicode.MaxASCII }) {
		limit = 2 * 67
	}
	return len(utf16.Encode([]rune(text))) <= limit
}

// language of the messages to the citizen; Russian where nobody said.
func (a Act) language() string {
	if a.Language == "" {
		return "ru"
	}
	return a.Language
}
