package desk_test

import (
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/desk"
	"asoba.example/login/document"
	"asoba.example/login/identity"
	"asoba.example/login/register"
	"asoba.example/migrations/pgtest"
)

// alerted wants so many alerts of a pattern about the world's clerk.
func (w *world) alerted(t *testing.T, p desk.Pattern, times int) {
	t.Helper()
	if n := w.Count(t, `event WHERE kind = 'desk.alerted' AND detail->>'pattern' = $1 AND clerk_id = $2 AND office = $3 AND person_id IS NULL`,
		string(p), w.by.Person, w.by.Office); n != times {
		t.Errorf("%d alerts of %s, want %d", n, p, times)
	}
}

// issue issues an identifier to somebody new, with the nth phone.
func (w *world) issue(t *testing.T, phone int) {
	t.Helper()
	_, id := w.Person(t)
	o := w.opening(t, id, phone)
	o.Document.ValidTill = "2030-01-01"
	issuance, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, o)
	if err == nil {
		err = w.desk.ConfirmPhone(t.Context(), w.by, desk.Issuance, issuance, w.Said("Code"))
	}
	if err == nil {
		_, err = w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A worker tries to issue to himself: refused, alert. So is every other act upon himself.
func TestAClerkWhoWouldServeHimselfIsRefusedAndSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own, id := w.clerk(t, clerk.AtDesk)
	w.by = own
	before := w.Count(t, `identity WHERE state <> 'active'`)
	_, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, id, 9001))
	w.refused(t, err, "g9", 1)
	w.alerted(t, desk.OwnIdentifier, 1)
	_, err = w.desk.Block(t.Context(), w.by, visit(id))
	w.refused(t, err, "g9", 2)
	_, err = w.desk.Unblock(t.Context(), w.by, visit(id))
	w.refused(t, err, "g9", 3)
	_, err = w.desk.LookUp(t.Context(), w.by, id, documentOf(t, w, id), desk.InPerson)
	w.refused(t, err, "g9", 4)
	w.alerted(t, desk.OwnIdentifier, 1) // once an hour
	w.now = w.now.Add(time.Hour)
	_, err = w.desk.Reissue(t.Context(), w.by, visit(id))
	w.refused(t, err, "g9", 5)
	w.alerted(t, desk.OwnIdentifier, 2)
	if n := w.Count(t, `identity WHERE state <> 'active'`); n != before {
		t.Error("something was done")
	}
}

// Numbers that stand side by side were bought together; people come one by one.
func TestARunOfPhoneNumbersIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.issue(t, 100)
	w.issue(t, 109)
	w.alerted(t, desk.NeighbouringPhones, 0)
	w.issue(t, 120) // eleven away: nobody's neighbour
	w.alerted(t, desk.NeighbouringPhones, 0)
	w.issue(t, 105)
	w.alerted(t, desk.NeighbouringPhones, 1)

	w.now = w.now.Add(25 * time.Hour) // the others are of yesterday
	w.issue(t, 106)
	w.alerted(t, desk.NeighbouringPhones, 1)
}

// Whatever brings a phone is looked at; one person who changes it over and over is no run.
func TestARunOfPhoneNumbersIsSeenWhateverBringsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, fickle := w.Active(t)
	p := w.papers(t, fickle)
	for n := range 4 {
		w.do(t, desk.PhoneChange, p, w.Phone(t, 100+n))
		w.now = w.now.Add(2 * time.Minute) // before another code
	}
	w.alerted(t, desk.NeighbouringPhones, 0)
	_, blocked := w.blocked(t)
	w.do(t, desk.Unblock, w.papers(t, blocked), w.Phone(t, 99))
	w.alerted(t, desk.NeighbouringPhones, 0)
	_, temporary := w.Issued(t)
	w.do(t, desk.Reissue, w.papers(t, temporary), w.Phone(t, 98))
	w.alerted(t, desk.NeighbouringPhones, 1)
}

func TestManyIssuancesInAnHourAreSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range 14 {
		w.issue(t, 100*n)
	}
	w.alerted(t, desk.ManyIssuances, 0)
	w.issue(t, 1500)
	w.alerted(t, desk.ManyIssuances, 1)
	w.issue(t, 1600)
	w.alerted(t, desk.ManyIssuances, 1) // once an hour
	w.now = w.now.Add(2 * time.Hour)
	w.issue(t, 1700)
	w.alerted(t, desk.ManyIssuances, 1)
}

func TestAnIssuanceOrARefusalAtNightIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n, row := range []struct {
		at   time.Time
		seen int
	}{
		{time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC), 0}, // eight in Minsk
		{time.Date(2026, 11, 23, 16, 59, 0, 0, time.UTC), 0},
		{time.Date(2026, 11, 23, 17, 0, 0, 0, time.UTC), 1},
		{time.Date(2026, 11, 24, 4, 59, 0, 0, time.UTC), 2},
	} {
		w.now = row.at
		w.issue(t, 100*n)
		w.alerted(t, desk.OutOfHours, row.seen)
	}
	_, id := w.Active(t)
	w.now = w.now.Add(13 * time.Hour)
	_, err := w.desk.Unblock(t.Context(), w.by, visit(id))
	if _, ok := errors.AsType[*desk.RefusedError](err); !ok {
		t.Fatal(err)
	}
	w.alerted(t, desk.OutOfHours, 3)
}

// papers are those of somebody who brings the document of the issuance, which is good for a while.
func (w *world) papers(t *testing.T, id identity.Identifier) desk.Papers {
	t.Helper()
	p := visit(id)
	p.Document.Number, p.Document.ValidTill = register.FoldNumber(documentOf(t, w, id)), "2030-01-01"
	return p
}

// ready is an act of the desk upon somebody that wants only its last step; where a phone comes with it, of a visit.
func (w *world) ready(t *testing.T, e desk.Errand, p desk.Papers, phone identity.Phone) func() error {
	t.Helper()
	if phone == (identity.Phone{}) {
		return func() (err error) {
			switch e {
			case desk.Block:
				_, err = w.desk.Block(t.Context(), w.by, p)
			case desk.Unblock:
				_, err = w.desk.Unblock(t.Context(), w.by, p)
			default:
				_, err = w.desk.Reissue(t.Context(), w.by, p)
			}
			return err
		}
	}
	opened, _, err := w.desk.Open(t.Context(), w.by, e, desk.Opening{Papers: p, Names: identity.Names{Family: "Каваленка"}, Phone: phone})
	if err == nil {
		err = w.desk.ConfirmPhone(t.Context(), w.by, e, opened, w.Said("Code"))
	}
	if err != nil {
		t.Fatalf("%s: %v", e, err)
	}
	return func() error { _, err := w.desk.Assign(t.Context(), w.by, e, opened); return err }
}

// do does an act of the desk upon somebody to its end; none is a phone that does not come.
func (w *world) do(t *testing.T, e desk.Errand, p desk.Papers, phone identity.Phone) {
	t.Helper()
	if err := w.ready(t, e, p, phone)(); err != nil {
		t.Fatalf("%s: %v", e, err)
	}
}

var none identity.Phone

// An alert is of what was done, whatever that was: it is in the act's transaction, and without it nothing is done.
func TestAnAlertIsPartOfEveryAct(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		errand desk.Errand
		phone  bool
		stands func(*world) (uuid.UUID, identity.Identifier)
	}{
		"an issuance":                           {desk.Issuance, true, func(w *world) (uuid.UUID, identity.Identifier) { return w.Person(t) }},
		"a change of phone":                     {desk.PhoneChange, true, func(w *world) (uuid.UUID, identity.Identifier) { return w.Active(t) }},
		"a block":                               {desk.Block, false, func(w *world) (uuid.UUID, identity.Identifier) { return w.Active(t) }},
		"an unblocking":                         {desk.Unblock, false, func(w *world) (uuid.UUID, identity.Identifier) { return w.blocked(t) }},
		"an unblocking to another phone":        {desk.Unblock, true, func(w *world) (uuid.UUID, identity.Identifier) { return w.blocked(t) }},
		"a temporary password":                  {desk.Reissue, false, func(w *world) (uuid.UUID, identity.Identifier) { return w.Issued(t) }},
		"a temporary password to another phone": {desk.Reissue, true, func(w *world) (uuid.UUID, identity.Identifier) { return w.Issued(t) }},
	} {
		w := newWorld(t)
		_, id := row.stands(w)
		p := visit(id)
		p.Document.ValidTill = "2030-01-01"
		w.now = time.Date(2026, 11, 22, 19, 0, 0, 0, time.UTC) // ten in Minsk
		phone := none
		if row.phone {
			phone = w.Phone(t, 9001)
		}
		w.BreakEach(t, w.ready(t, row.errand, p, phone))
		if w.alerted(t, desk.OutOfHours, 1); t.Failed() {
			t.Fatalf("the act was %s", name)
		}
	}
}

// Unblockings, temporary passwords and changes of phone count together; a block gives nobody anything.
func TestManyRestorationsInAnHourAreSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reissue := func() {
		t.Helper()
		_, id := w.Issued(t)
		w.do(t, desk.Reissue, w.papers(t, id), none)
	}
	for n := range 3 {
		_, id := w.Issued(t)
		p := w.papers(t, id)
		w.do(t, desk.Block, p, none)
		w.do(t, desk.Unblock, p, none)
		w.do(t, desk.Reissue, p, none)
		w.do(t, desk.PhoneChange, p, w.Phone(t, 1000+100*n))
	}
	w.alerted(t, desk.ManyRestorations, 0)
	reissue()
	w.alerted(t, desk.ManyRestorations, 1)
	w.now = w.now.Add(time.Hour)
	reissue()
	w.alerted(t, desk.ManyRestorations, 1)
	w.alerted(t, desk.ManyIssuances, 0)
}

// Whoever would take an identifier over blocks it, so that its owner is out, and opens it to a phone of his own.
func TestAClerkWhoBlocksAndRestoresWithAnotherPhoneIsSeen(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		seen int
		then func(*world, desk.Papers)
	}{
		"to another phone":  {1, func(w *world, p desk.Papers) { w.do(t, desk.Unblock, p, w.Phone(t, 9001)) }},
		"to the same phone": {0, func(w *world, p desk.Papers) { w.do(t, desk.Unblock, p, phoneOf(t, w, p.Identifier)) }},
		"to the same phone, which is changed": {1, func(w *world, p desk.Papers) {
			w.do(t, desk.Unblock, p, none)
			w.alerted(t, desk.BlockedAndRestored, 0)
			w.do(t, desk.PhoneChange, p, w.Phone(t, 9001))
		}},
		"to the same phone, and a password to another": {1, func(w *world, p desk.Papers) {
			w.do(t, desk.Unblock, p, none)
			w.do(t, desk.Reissue, p, w.Phone(t, 9001))
		}},
		"a month later": {0, func(w *world, p desk.Papers) {
			w.now = w.now.Add(30 * 24 * time.Hour)
			w.do(t, desk.Unblock, p, w.Phone(t, 9001))
		}},
		"by another clerk of that office": {1, func(w *world, p desk.Papers) {
			w.by, _ = w.clerk(t, clerk.AtDesk)
			w.do(t, desk.Unblock, p, w.Phone(t, 9001))
		}},
		"elsewhere, by that system": {1, func(w *world, p desk.Papers) {
			w.by, _ = w.clerk(t, clerk.AtDesk)
			w.by.Office, w.by.Named = "Brest-3", true
			w.do(t, desk.Unblock, p, w.Phone(t, 9001))
		}},
		"elsewhere, at that page by a clerk's own token": {0, func(w *world, p desk.Papers) {
			w.by, _ = w.clerk(t, clerk.AtDesk)
			w.by.Office = "Brest-3"
			w.do(t, desk.Unblock, p, w.Phone(t, 9001))
		}},
		"elsewhere, by another system": {0, func(w *world, p desk.Papers) {
			w.by, _ = w.clerk(t, clerk.AtDesk)
			w.by.Office, w.by.ClientID, w.by.Named = "Brest-3", "other", true
			w.do(t, desk.Unblock, p, w.Phone(t, 9001))
		}},
	} {
		w := newWorld(t)
		_, id := w.Active(t)
		p := w.papers(t, id)
		w.do(t, desk.Block, p, none)
		row.then(w, p)
		if w.alerted(t, desk.BlockedAndRestored, row.seen); t.Failed() {
			t.Fatalf("it was opened %s", name)
		}
	}
}

// Where nobody can be asked about a document, one that is not of the issuance opens an identifier by the clerk's word alone.
func TestADocumentThatNothingVouchesForIsSeen(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		errand desk.Errand
		phone  int // 0 is none
		seen   int
	}{
		"a change of phone":                     {desk.PhoneChange, 9001, 1},
		"an unblocking":                         {desk.Unblock, 0, 1},
		"an unblocking to another phone":        {desk.Unblock, 9001, 1},
		"a temporary password":                  {desk.Reissue, 0, 1},
		"a temporary password to another phone": {desk.Reissue, 9001, 1},
		"a block":                               {desk.Block, 0, 0},
	} {
		alone := newWorld(t)
		registered, _ := asked(t)
		for _, by := range []struct {
			w      *world
			number string // "" is of the issuance
			seen   int
		}{{alone, "", 0}, {alone, "MP7654321", row.seen}, {registered, "MP7654321", 0}} {
			_, id := by.w.Issued(t)
			p := by.w.papers(t, id)
			if row.errand == desk.Unblock {
				by.w.do(t, desk.Block, p, none)
			}
			if by.number != "" {
				p.Document.Number = by.number
			}
			phone := none
			if row.phone != 0 {
				phone = by.w.Phone(t, row.phone+len(by.number))
			}
			by.w.do(t, row.errand, p, phone)
			if by.w.alerted(t, desk.UnvouchedDocument, by.seen); t.Failed() {
				t.Fatalf("the act was %s", name)
			}
		}
	}
}

// counted is how often something unusual is counted.
func (w *world) counted(t *testing.T) (n float64) {
	t.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			n += m.GetCounter().GetValue()
		}
	}
	return n
}

// What is unusual is counted once it is done, however often it was tried before.
func TestWhatIsUnusualIsCountedOnceItIsDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = time.Date(2026, 11, 22, 1, 0, 0, 0, identity.Minsk) // nobody should act at a desk
	_, active := w.Active(t)
	_, fresh := w.Person(t)
	issuance := w.confirmed(t, fresh, 9001)
	own, himself := w.clerk(t, clerk.AtDesk)
	var counted float64
	for n, row := range []struct {
		unusual float64
		act     func() error
	}{
		{1, func() error { _, err := w.desk.Block(t.Context(), w.by, visit(active)); return err }},
		{1, func() error { _, err := w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance); return err }},
		{1, func() error {
			_, err := w.desk.LookUp(t.Context(), w.by, fresh, "MP1234567", desk.InPerson)
			return err
		}},
		{2, func() error { // a refusal, of his own and at night
			_, err := w.desk.Block(t.Context(), own, visit(himself))
			if _, refused := errors.AsType[*desk.RefusedError](err); refused {
				return nil
			}
			return err
		}},
	} {
		for failed := 1; ; failed++ {
			w.Trips.FailAt(failed)
			err := row.act()
			w.Trips.FailAt(0)
			if err == nil {
				break
			}
			if got := w.counted(t); got != counted {
				t.Fatalf("act %d was tried, and %v are counted", n, got)
			}
		}
		if counted += row.unusual; w.counted(t) != counted {
			t.Errorf("act %d is done, and %v are counted, want %v", n, w.counted(t), counted)
		}
	}
}

// Over the limit a clerk waits, an alert is raised, and another clerk goes on; over the office's, nobody there does.
func TestActsAreLimitedPerClerkAndPerOffice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	over := func(by desk.By) bool {
		t.Helper()
		err := w.desk.Admit(t.Context(), by, "block")
		rate, ok := errors.AsType[*desk.RateError](err)
		if err != nil && (!ok || rate.Wait <= 0 || rate.Wait > time.Hour) {
			t.Fatal(err)
		}
		return ok
	}
	for range 120 {
		if over(w.by) {
			t.Fatal("refused within the limit")
		}
	}
	if !over(w.by) {
		t.Fatal("admitted over the limit")
	}
	w.alerted(t, desk.TooManyActs, 1)
	if n := w.Count(t, `event WHERE kind = 'desk.alerted' AND detail->>'act' = 'block'`); n != 1 {
		t.Error("the alert does not tell of which act")
	}
	for n := range 9 {
		other := w.by
		other.Person = uuid.New()
		for range 120 {
			if over(other) {
				t.Fatalf("clerk %d waits for another one", n)
			}
		}
	}
	other := w.by
	other.Person = uuid.New()
	if !over(other) {
		t.Error("admitted over the office's limit")
	}
	other.Office = "Brest-3"
	if over(other) {
		t.Error("an office waits for another one")
	}
	w.now = w.now.Add(time.Hour)
	if over(w.by) {
		t.Error("refused an hour later")
	}
}

// Without a record of the alert the refusal is an error of ours, and still a refusal.
func TestNobodyPassesTheLimitBecauseItCannotBeRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 120 {
		if err := w.desk.Admit(t.Context(), w.by, "block"); err != nil {
			t.Fatal(err)
		}
	}
	heal := pgtest.FailOn(t, w.Pool, "INSERT", "event")
	if err := w.desk.Admit(t.Context(), w.by, "block"); err == nil {
		t.Error("admitted")
	}
	heal()
}

// Blocks keep people out: many of them are looked into, and so is one of somebody who would see.
func TestManyBlocksAndThoseOfTheStaffAreSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 9 {
		_, id := w.Active(t)
		w.do(t, desk.Block, w.papers(t, id), none)
	}
	w.alerted(t, desk.ManyBlocks, 0)
	w.alerted(t, desk.StaffBlocked, 0)
	_, colleague := w.clerk(t, clerk.AtDesk)
	w.do(t, desk.Block, w.papers(t, colleague), none)
	w.alerted(t, desk.ManyBlocks, 1)
	w.alerted(t, desk.StaffBlocked, 1)
	if n := w.Count(t, `event WHERE kind = 'desk.alerted' AND detail->>'act' = 'block'`); n != 2 {
		t.Errorf("%d of two alerts tell what they are of", n)
	}
}

// Who is refused over and over is trying what goes through. What is told again by its key is no other refusal, and what leaves no slip is none.
func TestManyRefusalsInAnHourAreSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Active(t)
	refused := func(by desk.By) {
		t.Helper()
		_, err := w.desk.Unblock(t.Context(), by, visit(id))
		if _, ok := errors.AsType[*desk.RefusedError](err); !ok {
			t.Fatal(err)
		}
	}
	colleague, _ := w.clerk(t, clerk.AtDesk)
	keyed := w.by
	keyed.Key = "one"
	for range 3 {
		refused(keyed)
	}
	for range 18 {
		refused(w.by)
		refused(colleague)
		w.now = w.now.Add(time.Minute)
	}
	if _, _, err := w.desk.Stage(t.Context(), w.by, desk.Issuance, uuid.New()); !errors.Is(err, desk.ErrNoVisit) {
		t.Fatal(err)
	}
	w.alerted(t, desk.ManyRefusals, 0)
	refused(w.by)
	w.alerted(t, desk.ManyRefusals, 1)
	refused(w.by)
	w.alerted(t, desk.ManyRefusals, 1) // once an hour
	if got := w.counted(t); got != 2 {
		t.Errorf("%v are counted of two", got)
	}
	w.now = w.now.Add(time.Hour)
	refused(w.by)
	w.alerted(t, desk.ManyRefusals, 1)
	if n := w.Count(t, `event WHERE kind = 'desk.alerted'`); n != 1 {
		t.Errorf("%d alerts in all, want 1", n)
	}
}

// A phone that goes from one person to the next at desks is somebody's who collects identifiers.
func TestAPhoneThatPassesFromOneToAnotherIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, first := w.Active(t)
	p := w.papers(t, first)
	w.do(t, desk.PhoneChange, p, w.Phone(t, 9001))
	w.now = w.now.Add(2 * time.Minute) // before another code
	w.do(t, desk.PhoneChange, p, w.Phone(t, 8001))
	w.alerted(t, desk.PassingPhone, 0)
	w.now = w.now.Add(2 * time.Minute)
	w.issue(t, 9001)
	w.alerted(t, desk.PassingPhone, 1)
}

func TestALookUpAtNightIsSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Active(t)
	w.now = time.Date(2026, 11, 22, 19, 0, 0, 0, time.UTC) // ten in Minsk
	for range 2 {
		if _, err := w.desk.LookUp(t.Context(), w.by, id, documentOf(t, w, id), desk.InPerson); err != nil {
			t.Fatal(err)
		}
	}
	w.alerted(t, desk.OutOfHours, 1)
}

// Once an hour is once also where a clerk has many windows.
func TestAnAlertIsRaisedOnceAlsoInARace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, id := w.Active(t)
	number := documentOf(t, w, id)
	w.now = time.Date(2026, 11, 22, 19, 0, 0, 0, time.UTC)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := w.desk.LookUp(t.Context(), w.by, id, number, desk.InPerson); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	w.alerted(t, desk.OutOfHours, 1)
}

// The document that its register vouches for is the one on record from then on; without a register nothing is renewed.
func TestTheDocumentOnRecordIsTheOneLastVouchedFor(t *testing.T) {
	t.Parallel()
	registered, _ := asked(t)
	for name, errand := range map[string]desk.Errand{"unblocking": desk.Unblock, "temporary password": desk.Reissue, "change of phone": desk.PhoneChange} {
		for n, w := range []*world{registered, newWorld(t)} {
			_, id := w.Issued(t)
			p := w.papers(t, id)
			made := p.Document.Number
			if errand == desk.Unblock {
				w.do(t, desk.Block, p, none)
			}
			p.Document.Number = "MP7654321"
			phone := none
			if errand == desk.PhoneChange {
				phone = w.Phone(t, 9001)
			}
			w.do(t, errand, p, phone)
			known := map[bool]string{true: p.Document.Number, false: made}[n == 0]
			for _, number := range []string{made, p.Document.Number} {
				if _, err := w.Registry.Match(t.Context(), id, number); (err == nil) != (number == known) {
					t.Errorf("%s, with a register %v: %s is %v", name, n == 0, number, err)
				}
			}
		}
	}
}

// A document that its register does not know is seen also where it gives no access to anything that exists.
func TestADocumentThatItsRegisterDoesNotKnowIsSeen(t *testing.T) {
	t.Parallel()
	w, said := asked(t)
	said.say(document.Unknown)
	w.issue(t, 9001)
	w.alerted(t, desk.UnvouchedDocument, 1)
	w.now = w.now.Add(time.Hour)
	_, id := w.Active(t)
	w.do(t, desk.Block, w.papers(t, id), none)
	w.alerted(t, desk.UnvouchedDocument, 2)
}

// A desk's system is held to a rate of its own, whichever clerks and offices it names.
func TestActsAreLimitedPerSystem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	by := w.by
	by.Named = true
	over := func(n int) bool {
		by.Person, by.Office = uuid.New(), "Office-"+strconv.Itoa(n/1000)
		err := w.desk.Admit(t.Context(), by, "block")
		_, refused := errors.AsType[*desk.RateError](err)
		if err != nil && !refused {
			t.Fatal(err)
		}
		return refused
	}
	for n := range 12_000 {
		if over(n) {
			t.Fatalf("refused at %d", n)
		}
	}
	if !over(12_000) {
		t.Error("admitted over the limit")
	}
	if by.Named = false; over(12_001) {
		t.Error("a clerk by their own token waits for a system")
	}
}

// Of two acts that want what the other holds one waits for the other, and not both: two people who take each other's phone, and one clerk's two
// windows, whose alerts wait for one another.
func TestTwoActsThatCrossAreBothDone(t *testing.T) {
	t.Parallel()
	const waiting = `SELECT count(*) FROM pg_sleep(0.01), pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	for name, row := range map[string]func(*testing.T, *world) (first, second func() error){
		"each other's phone": func(t *testing.T, w *world) (first, second func() error) {
			t.Helper()
			_, a := w.blocked(t)
			_, b := w.blocked(t)
			phoneOfA, phoneOfB := phoneOf(t, w, a), phoneOf(t, w, b)
			ofA, ofB := w.with(t, desk.Unblock, a, phoneOfB), w.with(t, desk.Unblock, b, phoneOfA)
			return func() error { _, err := w.desk.Assign(t.Context(), w.by, desk.Unblock, ofA); return err },
				func() error { _, err := w.desk.Assign(t.Context(), w.by, desk.Unblock, ofB); return err }
		},
		"one person in two windows": func(t *testing.T, w *world) (first, second func() error) {
			t.Helper()
			_, id := w.Issued(t)
			return func() error { _, err := w.desk.Block(t.Context(), w.by, visit(id)); return err },
				func() error { _, err := w.desk.Reissue(t.Context(), w.by, visit(id)); return err }
		},
		"a phone, and whose it is": func(t *testing.T, w *world) (first, second func() error) {
			t.Helper()
			_, former := w.blocked(t)
			_, id := w.Person(t)
			issuance := w.with(t, desk.Issuance, id, phoneOf(t, w, former))
			return func() error { _, err := w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance); return err },
				func() error { _, err := w.desk.Unblock(t.Context(), w.by, visit(former)); return err }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.now = time.Date(2026, 11, 22, 1, 0, 0, 0, identity.Minsk) // nobody should act at a desk, so each act waits to record that
			first, second := row(t, w)
			tx, err := w.Pool.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), `SELECT pg_advisory_xact_lock(hashtextextended('desk.alerted' || $1::text, 0))`, w.by.Person); err != nil {
				t.Fatal(err)
			}
			var (
				errs [2]error
				both sync.WaitGroup
			)
			for n, act := range []func() error{first, second} {
				both.Go(func() { errs[n] = act() })
				for count := 0; count <= n; { // one after the other comes to wait
					if err := w.Pool.QueryRow(t.Context(), waiting).Scan(&count); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := tx.Rollback(t.Context()); err != nil {
				t.Fatal(err)
			}
			both.Wait()
			for n, err := range errs {
				var guard *desk.GuardError
				if err != nil && !errors.Is(err, identity.ErrState) && !errors.As(err, &guard) {
					t.Errorf("act %d: %v", n, err)
				}
			}
			if errs[0] != nil && errs[1] != nil {
				t.Errorf("neither is done: %v", errs)
			}
		})
	}
}
