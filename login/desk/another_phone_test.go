package desk_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/google/uuid"

	"asoba.example/login/desk"
	"asoba.example/login/identity"
)

// with is somebody who comes for an errand with another phone.
func (w *world) with(t *testing.T, e desk.Errand, id identity.Identifier, phone identity.Phone) uuid.UUID {
	t.Helper()
	o := w.opening(t, id, 1)
	o.Phone = phone
	opened, _, err := w.desk.Open(t.Context(), w.by, e, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.desk.ConfirmPhone(t.Context(), w.by, e, opened, w.Said("Code")); err != nil {
		t.Fatal(err)
	}
	return opened
}

func (w *world) blocked(t *testing.T) (uuid.UUID, identity.Identifier) {
	t.Helper()
	person, id := w.Active(t)
	if _, err := w.desk.Block(t.Context(), w.by, visit(id)); err != nil {
		t.Fatal(err)
	}
	return person, id
}

// An unblocking and another temporary password may come with another phone; it is confirmed in the visit, and the
// former one is told.
func TestAnotherPhoneComesWithAnUnblockAndWithAReissue(t *testing.T) {
	t.Parallel()
	for e, somebody := range map[desk.Errand]func(*testing.T, *world) (uuid.UUID, identity.Identifier){
		desk.Unblock: func(t *testing.T, w *world) (uuid.UUID, identity.Identifier) { t.Helper(); return w.blocked(t) },
		desk.Reissue: func(t *testing.T, w *world) (uuid.UUID, identity.Identifier) { t.Helper(); return w.Issued(t) },
	} {
		w := newWorld(t)
		person, id := somebody(t, w)
		former := phoneOf(t, w, id)
		notices := w.notices(t, former)
		visit := w.with(t, e, id, w.Phone(t, 9001))
		w.BreakEach(t, func() error { _, err := w.desk.Assign(t.Context(), w.by, e, visit); return err })
		if got := w.State(t, person); got != "temporary" || phoneOf(t, w, id) != w.Phone(t, 9001) {
			t.Errorf("%s: the state is %s", e, got)
		}
		if got := w.notices(t, former); got != notices+1 {
			t.Errorf("%s: the former phone was told %d times", e, got-notices)
		}

		// Who did not hear the answer asks again, and is told the same; nothing more is sent.
		before := w.Contents(t)
		if done, err := w.desk.Assign(t.Context(), w.by, e, visit); err != nil || done.State != identity.Temporary || done.SMS == "" {
			t.Errorf("%s, asked again: %v, %v", e, done, err)
		}
		if w.Contents(t) != before {
			t.Errorf("%s: asking again changed something", e)
		}
	}
}

// What is refused is refused before a code goes anywhere.
func TestAVisitForAnotherPhoneIsOpenedUnderGuards(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, active := w.Active(t)
	for e, somebody := range map[desk.Errand]func(*testing.T) (uuid.UUID, identity.Identifier){desk.Unblock: w.blocked, desk.Reissue: w.Issued} {
		person, id := somebody(t)
		for name, row := range map[string]struct {
			code   string
			change func(*desk.Opening)
		}{
			"a document that is over":  {"g1", func(o *desk.Opening) { o.Document.ValidTill = "2026-11-21" }},
			"another's phone":          {"g4", func(o *desk.Opening) { o.Phone = phoneOf(t, w, active) }},
			"holder not attested":      {"g5", func(o *desk.Opening) { o.Attested = []desk.Attestation{desk.Particulars, desk.PhoneUse} }},
			"particulars not attested": {"g5", func(o *desk.Opening) { o.Attested = []desk.Attestation{desk.Holder, desk.PhoneUse} }},
			"phone not attested":       {"g5", func(o *desk.Opening) { o.Attested = []desk.Attestation{desk.Holder, desk.Particulars} }},
		} {
			o := w.opening(t, id, 9001)
			row.change(&o)
			var refusal *desk.GuardError
			if _, _, err := w.desk.Open(t.Context(), w.by, e, o); !errors.As(err, &refusal) || refusal.Code != row.code {
				t.Errorf("%s, %s: got %v, want a refusal %s", e, name, err, row.code)
			}
		}
		if _, _, err := w.desk.Open(t.Context(), w.by, e, w.opening(t, active, 9001)); !errors.Is(err, identity.ErrState) {
			t.Errorf("%s of an active identifier: got %v, want ErrState", e, err)
		}
		visit := w.with(t, e, id, w.Phone(t, 9001))
		w.Exec(t, `UPDATE person SET missing_date = '2026-11-22' WHERE id = $1`, person)
		_, err := w.desk.Assign(t.Context(), w.by, e, visit)
		var refusal *desk.GuardError
		if !errors.As(err, &refusal) || refusal.Code != "g6" {
			t.Errorf("%s of somebody missing: got %v, want a refusal g6", e, err)
		}
		w.Exec(t, `DELETE FROM issuance`)
		w.Redis.FlushDB(t.Context())
	}
}

// The number of a blocked identifier was given to somebody else, who proves it at a desk.
func TestARecycledNumberGoesToWhoeverConfirmsItAtADesk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	former, formerID := w.blocked(t)
	phone := phoneOf(t, w, formerID)
	person, id := w.Person(t)
	o := w.opening(t, id, 1)
	o.Phone = phone
	opened, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.desk.Assign(t.Context(), w.by, desk.Issuance, opened)
	w.refused(t, err, "g3", 1) // until it is confirmed it stays where it is
	if phoneOf(t, w, formerID) != phone {
		t.Error("the phone left its owner unproved")
	}
	if err := w.desk.ConfirmPhone(t.Context(), w.by, desk.Issuance, opened, w.Said("Code")); err != nil {
		t.Fatal(err)
	}
	w.BreakEach(t, func() error { _, err := w.desk.Assign(t.Context(), w.by, desk.Issuance, opened); return err })
	if phoneOf(t, w, id) != phone || phoneOf(t, w, formerID) != (identity.Phone{}) {
		t.Error("the phone is not where it was proved")
	}
	for kind, who := range map[string]uuid.UUID{"phone.released": former, "identifier.issued": person} {
		if n := w.Count(t, `event WHERE kind = $1 AND person_id = $2 AND clerk_id = $3 AND office = 'Minsk-1'`, kind, who, w.by.Person); n != 1 {
			t.Errorf("%s is recorded %d times", kind, n)
		}
	}
	_, err = w.desk.Unblock(t.Context(), w.by, visit(formerID))
	w.refused(t, err, "g3", 2) // no phone is confirmed for it any more
}

// One second: the owner returns to one desk, the number's new holder stands at another.
func TestOfTheOwnerAndTheNextOneHasThePhone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 3 {
		_, owner := w.blocked(t)
		phone := phoneOf(t, w, owner)
		_, next := w.Person(t)
		issuance := w.with(t, desk.Issuance, next, phone)
		var (
			issued, unblocked error
			start             = make(chan struct{})
			both              sync.WaitGroup
		)
		both.Go(func() { <-start; _, issued = w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance) })
		both.Go(func() { <-start; _, unblocked = w.desk.Unblock(t.Context(), w.by, visit(owner)) })
		close(start)
		both.Wait()
		refused := func(err error, code string) bool {
			refusal, ok := errors.AsType[*desk.GuardError](err)
			return ok && refusal.Code == code
		}
		switch {
		case issued == nil && refused(unblocked, "g3") && phoneOf(t, w, next) == phone && phoneOf(t, w, owner) == identity.Phone{}:
		case unblocked == nil && refused(issued, "g4") && phoneOf(t, w, owner) == phone:
		default:
			t.Errorf("issued: %v, unblocked: %v", issued, unblocked)
		}
	}
}
