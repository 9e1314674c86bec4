package desk_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/code"
	"asoba.example/login/desk"
	"asoba.example/login/document"
	"asoba.example/login/identity"
	"asoba.example/migrations/pgtest"
	"asoba.example/provider/fetch"
)

// documents is a register of documents, another system's: what it says of all of them; "" while it is away.
type documents struct {
	mu     sync.Mutex
	status document.Report
}

func (d *documents) say(status document.Report) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.status = status
}

func (d *documents) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.status == "" {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"status": d.status})
}

// asked is a world in which a register of documents is asked.
func asked(t *testing.T) (*world, *documents) {
	t.Helper()
	d := &documents{status: document.Valid}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return newWorldWith(t, &document.Register{URL: server.URL, Caller: fetch.New(fetch.Config{AllowLoopback: true})}), d
}

// acts are those of the desk, each upon somebody who stands as it wants.
func (w *world) acts(t *testing.T) map[string]func() error {
	t.Helper()
	_, fresh := w.Person(t)
	_, active := w.Active(t)
	_, moving := w.Active(t)
	_, blocked := w.blocked(t)
	_, temporary := w.Issued(t)
	_, blockedToo := w.blocked(t)
	_, temporaryToo := w.Issued(t)
	opens := func(e desk.Errand, o desk.Opening) func() error {
		return func() error { _, _, err := w.desk.Open(t.Context(), w.by, e, o); return err }
	}
	return map[string]func() error{
		"issuance":     opens(desk.Issuance, w.opening(t, fresh, 9001)),
		"phone change": opens(desk.PhoneChange, w.change(t, moving, 9002)),
		"block":        func() error { _, err := w.desk.Block(t.Context(), w.by, visit(active)); return err },
		"unblock":      func() error { _, err := w.desk.Unblock(t.Context(), w.by, visit(blocked)); return err },
		"reissue":      func() error { _, err := w.desk.Reissue(t.Context(), w.by, visit(temporary)); return err },

		"unblock with another phone": opens(desk.Unblock, w.opening(t, blockedToo, 9003)),
		"reissue with another phone": opens(desk.Reissue, w.opening(t, temporaryToo, 9004)),
	}
}

// reports are what is kept as vouching for documents, of acts and of visits.
func (w *world) reports(t *testing.T, report document.Report) int {
	t.Helper()
	return w.Count(t, `(SELECT document_report FROM desk_act UNION ALL SELECT document_report FROM issuance) AS kept WHERE document_report = $1`, report)
}

// Nobody is served upon a document that its register reports invalid or another person's, and nobody is let in to an identifier that exists
// upon one that it does not know; its word is kept otherwise.
func TestNobodyIsServedUponADocumentThatIsNotTheirs(t *testing.T) {
	t.Parallel()
	for _, report := range []document.Report{document.Valid, document.Unknown, document.Invalid, document.Anothers} {
		w, documents := asked(t)
		acts := w.acts(t)
		before := w.reports(t, report)
		documents.say(report)
		done, refused, opened := 0, 0, 0
		for name, act := range acts {
			err := act()
			visit := name == "issuance" || strings.Contains(name, "phone")
			if good := report == document.Valid || report == document.Unknown && (name == "issuance" || name == "block"); !good {
				refused++
				w.refused(t, err, "g7", refused)
				continue
			}
			if err != nil {
				t.Errorf("%s, %s: %v", report, name, err)
			}
			if done++; visit {
				opened++
			}
		}
		if kept := w.reports(t, report) - before; kept != done {
			t.Errorf("%s: kept with %d of %d acts", report, kept, done)
		}
		if n := w.Count(t, `event WHERE kind LIKE '%.opened' AND detail->>'document' = $1`, report); n != opened {
			t.Errorf("%s: recorded with %d of %d openings", report, n, opened)
		}
	}
}

// Where there is no register of documents it is the clerk's word, and kept as such.
func TestTheClerksWordIsKeptAsSuch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	acts := w.acts(t)
	before := w.reports(t, document.Attested)
	for name, act := range acts {
		if err := act(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if kept := w.reports(t, document.Attested) - before; kept != len(acts) {
		t.Errorf("kept with %d of %d acts", kept, len(acts))
	}
}

// While the register of documents is away a block is done all the same, an issuance waits, and everything else is to
// be asked for again.
func TestABlockWaitsForNoRegister(t *testing.T) {
	t.Parallel()
	w, documents := asked(t)
	acts := w.acts(t)
	documents.say("")
	for name, act := range acts {
		before := w.Contents(t)
		err := act()
		if done := name == "block" || name == "issuance"; done != (err == nil) || !done && !errors.Is(err, desk.ErrAway) {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && w.Contents(t) != before {
			t.Errorf("%s changed something", name)
		}
	}
	if n := w.Count(t, `desk_act WHERE kind = 'block' AND document_report = 'silent'`); n != 1 {
		t.Error("the block does not say that the register was silent")
	}
}

// What was said at the opening holds where the register is away at the end; what it says at the end holds before it.
func TestAssigningAsksAboutTheDocumentAgain(t *testing.T) {
	t.Parallel()
	w, documents := asked(t)
	_, id := w.Person(t)
	issuance := w.confirmed(t, id, 9001)
	documents.say(document.Invalid)
	_, err := w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance)
	w.refused(t, err, "g7", 1)
	documents.say("")
	if _, err := w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance); err != nil {
		t.Error(err)
	}
	if n := w.Count(t, `issuance WHERE assigned_at IS NOT NULL AND document_report = 'valid'`); n != 1 {
		t.Error("what was said at the opening is not kept")
	}

	documents.say(document.Valid)
	_, active := w.Active(t)
	change := w.confirmedChange(t, active, 9002)
	documents.say(document.Unknown)
	_, err = w.desk.Assign(t.Context(), w.by, desk.PhoneChange, change)
	w.refused(t, err, "g7", 2)
}

// away are the ways in which a register may not answer for somebody, with how it comes to answer.
func away(t *testing.T) map[string]func(*world, *documents) (identity.Identifier, func()) {
	t.Helper()
	return map[string]func(*world, *documents) (identity.Identifier, func()){
		"the register of documents": func(w *world, documents *documents) (identity.Identifier, func()) {
			_, id := w.Person(t)
			documents.say("")
			return id, func() { documents.say(document.Valid) }
		},
		"the next edition of the register": func(w *world, _ *documents) (identity.Identifier, func()) {
			person, id := w.Person(t)
			const away, back = `UPDATE person SET identification_number = '0000000A000PB2' WHERE id = $1`, `UPDATE person SET identification_number = $2 WHERE id = $1`
			w.Exec(t, away, person)
			return id, func() { w.Exec(t, back, person, id.Reveal()) }
		},
	}
}

// An issuance that a register does not answer for is kept, gives nothing and sends nothing; when the register is back a
// clerk of that office goes on with it, and the phone is confirmed in the person's presence.
func TestAnIssuanceWaitsForARegister(t *testing.T) {
	t.Parallel()
	all := []desk.Attestation{desk.Holder, desk.Particulars, desk.PhoneUse}
	for name, missing := range away(t) {
		w, documents := asked(t)
		another, _ := w.clerk(t, clerk.AtDesk)
		stranger := another
		stranger.Office = "Brest-3"
		id, back := missing(w, documents)
		messages, identities := w.Count(t, "sms_message"), w.Count(t, "identity")
		issuance, stage, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, id, 9001))
		if err != nil || stage != desk.Pending {
			t.Fatalf("%s: %s, %v", name, stage, err)
		}
		if stage, _, err := w.desk.Stage(t.Context(), another, desk.Issuance, issuance); err != nil || stage != desk.Pending {
			t.Errorf("%s: the stage is %s, %v", name, stage, err)
		}
		if strings.Contains(w.Contents(t), id.Reveal()) {
			t.Errorf("%s: the identifier lies open", name)
		}
		_, assigned := w.desk.Assign(t.Context(), w.by, desk.Issuance, issuance)
		_, sent := w.desk.Resend(t.Context(), w.by, desk.Issuance, issuance)
		confirmed := w.desk.ConfirmPhone(t.Context(), w.by, desk.Issuance, issuance, "123456")
		_, elsewhere := w.desk.Resume(t.Context(), stranger, issuance, all)
		for _, err := range []error{assigned, sent, confirmed, elsewhere} {
			if !errors.Is(err, desk.ErrNoVisit) {
				t.Errorf("%s: a step of a pending issuance: %v", name, err)
			}
		}
		if _, err := w.desk.FindAct(t.Context(), issuance); !errors.Is(err, desk.ErrNoAct) {
			t.Errorf("%s: a pending issuance as an act: %v", name, err)
		}
		before := w.Contents(t)
		if stage, err := w.desk.Resume(t.Context(), another, issuance, all); err != nil || stage != desk.Pending {
			t.Errorf("%s, still away: %s, %v", name, stage, err)
		}
		if w.Contents(t) != before || w.Count(t, "sms_message") != messages || w.Count(t, "identity") != identities {
			t.Errorf("%s: something was done while it is away", name)
		}

		back()
		for range 2 { // whoever did not hear the answer asks again, and no other code is sent
			if stage, err := w.desk.Resume(t.Context(), another, issuance, all); err != nil || stage != desk.Opened {
				t.Fatalf("%s, back: %s, %v", name, stage, err)
			}
		}
		if n := w.Count(t, "sms_message"); n != messages+1 {
			t.Errorf("%s: %d codes were sent", name, n-messages)
		}
		_, err = w.desk.Assign(t.Context(), another, desk.Issuance, issuance)
		var refusal *desk.GuardError
		if !errors.As(err, &refusal) || refusal.Code != "g3" {
			t.Errorf("%s: assigned with no phone confirmed: %v", name, err)
		}
		if err := w.desk.ConfirmPhone(t.Context(), another, desk.Issuance, issuance, w.Said("Code")); err != nil {
			t.Fatal(err)
		}
		if _, err := w.desk.Assign(t.Context(), another, desk.Issuance, issuance); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := w.desk.Resume(t.Context(), w.by, issuance, all); !errors.Is(err, desk.ErrNoVisit) {
			t.Errorf("%s: resumed by its first clerk too: %v", name, err)
		}
		for kind, by := range map[string]uuid.UUID{"issuance.pending": w.by.Person, "issuance.opened": another.Person, "identifier.issued": another.Person} {
			if n := w.Count(t, `event WHERE kind = $1 AND clerk_id = $2 AND office = 'Minsk-1'`, kind, by); n != 1 {
				t.Errorf("%s: %s is recorded %d times", name, kind, n)
			}
		}
	}
}

// That a register is away excuses from no other guard; and each is looked at again when the person comes back.
func TestAPendingIssuanceIsUnderGuards(t *testing.T) {
	t.Parallel()
	w, documents := asked(t)
	_, other := w.Active(t)
	all := []desk.Attestation{desk.Holder, desk.Particulars, desk.PhoneUse}
	documents.say("")
	for code, change := range map[string]func(*desk.Opening){
		"g1": func(o *desk.Opening) { o.Document.ValidTill = "2026-11-21" },
		"g2": func(o *desk.Opening) { o.Identifier = other },
		"g4": func(o *desk.Opening) { o.Phone = phoneOf(t, w, other) },
		"g5": func(o *desk.Opening) { o.Attested = nil },
	} {
		_, id := w.Person(t)
		o := w.opening(t, id, 9001)
		change(&o)
		_, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, o)
		w.refused(t, err, code, 1)
	}
	if n := w.Count(t, "issuance"); n != 0 {
		t.Errorf("%d issuances are kept of refusals", n)
	}

	phone := 9001
	for code, meanwhile := range map[string]func(person uuid.UUID, by *desk.By, attested *[]desk.Attestation, phone identity.Phone){
		"g2": func(person uuid.UUID, _ *desk.By, _ *[]desk.Attestation, _ identity.Phone) {
			if err := w.Registry.Issue(t.Context(), w.Assignment(t, person, 8001), identity.Act{At: w.now}); err != nil {
				t.Fatal(err)
			}
		},
		"g4": func(_ uuid.UUID, _ *desk.By, _ *[]desk.Attestation, phone identity.Phone) {
			person, _ := w.Person(t)
			a := w.Assignment(t, person, 8002)
			a.Phone = phone
			if err := w.Registry.Issue(t.Context(), a, identity.Act{At: w.now}); err != nil {
				t.Fatal(err)
			}
		},
		"g5": func(_ uuid.UUID, _ *desk.By, attested *[]desk.Attestation, _ identity.Phone) { *attested = all[:2] },
		"g6": func(person uuid.UUID, _ *desk.By, _ *[]desk.Attestation, _ identity.Phone) {
			w.Exec(t, `UPDATE person SET death_date = '2026-11-22' WHERE id = $1`, person)
		},
		"g7": func(uuid.UUID, *desk.By, *[]desk.Attestation, identity.Phone) { documents.say(document.Anothers) },
		"g8": func(person uuid.UUID, _ *desk.By, _ *[]desk.Attestation, _ identity.Phone) {
			w.Exec(t, `UPDATE person SET birth_date = '2020-01-01' WHERE id = $1`, person)
		},
		"g9": func(person uuid.UUID, by *desk.By, _ *[]desk.Attestation, _ identity.Phone) { by.Person = person },
		"g1": func(uuid.UUID, *desk.By, *[]desk.Attestation, identity.Phone) { w.now = w.now.AddDate(0, 0, 1) },
	} {
		person, id := w.Person(t)
		phone++
		o := w.opening(t, id, phone)
		o.Document.ValidTill = w.now.Format(time.DateOnly)
		documents.say("")
		issuance, stage, err := w.desk.Open(t.Context(), w.by, desk.Issuance, o)
		if err != nil || stage != desk.Pending {
			t.Fatalf("%s: %s, %v", code, stage, err)
		}
		documents.say(document.Valid)
		by, attested := w.by, all
		meanwhile(person, &by, &attested, o.Phone)
		_, err = w.desk.Resume(t.Context(), by, issuance, attested)
		var refusal *desk.GuardError
		if !errors.As(err, &refusal) || refusal.Code != code {
			t.Errorf("got %v, want a refusal %s", err, code)
		}
		if stage, _, err := w.desk.Stage(t.Context(), w.by, desk.Issuance, issuance); err != nil || stage != desk.Pending {
			t.Errorf("%s: after the refusal it is %s, %v", code, stage, err)
		}
	}
}

// What waits past its term is over, and nothing is kept of it; nor of a visit that came to nothing.
func TestWhatCameToNothingIsForgotten(t *testing.T) {
	t.Parallel()
	w, documents := asked(t)
	documents.say("")
	all := []desk.Attestation{desk.Holder, desk.Particulars, desk.PhoneUse}
	_, id := w.Person(t)
	issuance, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, id, 9001))
	if err != nil {
		t.Fatal(err)
	}
	documents.say(document.Valid)
	_, other := w.Person(t)
	w.confirmed(t, other, 9002)
	_, third := w.Person(t)
	assigned := w.confirmed(t, third, 9003)
	if _, err := w.desk.Assign(t.Context(), w.by, desk.Issuance, assigned); err != nil {
		t.Fatal(err)
	}
	listed := func() int {
		t.Helper()
		pending, err := w.desk.Pending(t.Context(), "Minsk-1", uuid.Nil, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(pending)
	}
	w.now = w.now.AddDate(0, 0, 30)
	if n := listed(); n != 1 {
		t.Errorf("on its last day %d are listed", n)
	}
	w.now = w.now.Add(time.Second)
	if n := listed(); n != 0 {
		t.Errorf("%d are listed past their term", n)
	}
	if _, err := w.desk.Resume(t.Context(), w.by, issuance, all); !errors.Is(err, desk.ErrOver) {
		t.Errorf("resumed past its term: %v", err)
	}
	if err := w.desk.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all, kept := w.Count(t, `issuance`), w.Count(t, `issuance WHERE id = $1`, assigned); all != 1 || kept != 1 {
		t.Errorf("%d are kept, and %d that was assigned", all, kept)
	}
}

// A pending issuance with which nobody is to go on is withdrawn by any clerk of its office: nothing of it is left but the record, and who
// asks again is told that it is done. An open one is not withdrawn: it is over by itself.
func TestAPendingIssuanceIsWithdrawn(t *testing.T) {
	t.Parallel()
	w, documents := asked(t)
	another, _ := w.clerk(t, clerk.AtDesk)
	stranger := another
	stranger.Office = "Brest-3"
	all := []desk.Attestation{desk.Holder, desk.Particulars, desk.PhoneUse}
	_, id := w.Person(t)
	_, other := w.Person(t)
	opened := w.confirmed(t, other, 9002)
	documents.say("")
	keyed, opening := w.by, w.opening(t, id, 9001)
	keyed.Key = "one"
	issuance, _, err := w.desk.Open(t.Context(), keyed, desk.Issuance, opening)
	if err != nil {
		t.Fatal(err)
	}
	before := w.Contents(t)
	for name, row := range map[string]struct {
		by desk.By
		id uuid.UUID
	}{"of another office": {stranger, issuance}, "that is open": {w.by, opened}, "that is none": {w.by, uuid.New()}} {
		if err := w.desk.Withdraw(t.Context(), row.by, row.id); !errors.Is(err, desk.ErrNoVisit) || w.Contents(t) != before {
			t.Errorf("one %s: %v", name, err)
		}
	}
	withdraw := func() error { return w.desk.Withdraw(t.Context(), another, issuance) }
	w.BreakEach(t, withdraw)
	if err := withdraw(); err != nil {
		t.Errorf("once more: %v", err)
	}
	if n := w.Count(t, `event WHERE kind = 'issuance.withdrawn' AND clerk_id = $1 AND office = 'Minsk-1'`, another.Person); n != 1 {
		t.Errorf("it is recorded %d times", n)
	}
	if n := w.Count(t, `issuance WHERE id = $1 AND (presented IS NOT NULL OR phone_index IS NOT NULL)`, issuance); n != 0 {
		t.Error("what was written down is still kept")
	}
	if pending, err := w.desk.Pending(t.Context(), "Minsk-1", uuid.Nil, 10); err != nil || len(pending) != 0 {
		t.Errorf("it is listed: %v, %v", pending, err)
	}
	documents.say(document.Valid)
	_, resumed := w.desk.Resume(t.Context(), w.by, issuance, all)
	_, _, shown := w.desk.Stage(t.Context(), w.by, desk.Issuance, issuance)
	_, _, again := w.desk.Open(t.Context(), keyed, desk.Issuance, opening)
	for _, err := range []error{resumed, shown, again} {
		if !errors.Is(err, desk.ErrOver) {
			t.Errorf("it goes on: %v", err)
		}
	}
}

// Where no code may go to the phone yet, a pending issuance stays what it is, and whoever waits asks again.
func TestAnIssuanceIsResumedWithItsCodeOrNotAtAll(t *testing.T) {
	t.Parallel()
	w, documents := asked(t)
	all := []desk.Attestation{desk.Holder, desk.Particulars, desk.PhoneUse}
	_, id := w.Person(t)
	_, other := w.Person(t)
	documents.say("")
	issuance, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, id, 9001))
	if err != nil {
		t.Fatal(err)
	}
	documents.say(document.Valid)
	if _, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, other, 9001)); err != nil {
		t.Fatal(err)
	}
	before := w.Contents(t)
	if _, err := w.desk.Resume(t.Context(), w.by, issuance, all); !errors.Is(err, code.ErrWait) {
		t.Errorf("another code at once: %v", err)
	}
	if w.Contents(t) != before {
		t.Error("a resume that was refused leaves something")
	}
	w.now = w.now.Add(time.Minute)
	w.BreakEach(t, func() error { _, err := w.desk.Resume(t.Context(), w.by, issuance, all); return err })
	if stage, _, err := w.desk.Stage(t.Context(), w.by, desk.Issuance, issuance); err != nil || stage != desk.Opened {
		t.Errorf("a minute later it is %s, %v", stage, err)
	}
}

// Two clerks, one second: one of them goes on with it, and one code is sent.
func TestOfTwoClerksOneResumes(t *testing.T) {
	t.Parallel()
	w, documents := asked(t)
	documents.say("")
	all := []desk.Attestation{desk.Holder, desk.Particulars, desk.PhoneUse}
	another, _ := w.clerk(t, clerk.AtDesk)
	_, id := w.Person(t)
	issuance, _, err := w.desk.Open(t.Context(), w.by, desk.Issuance, w.opening(t, id, 9001))
	if err != nil {
		t.Fatal(err)
	}
	documents.say(document.Valid)
	for _, fault := range []struct{ verb, table string }{{"UPDATE", "issuance"}, {"INSERT", "event"}} {
		before := w.Contents(t)
		heal := pgtest.FailOn(t, w.Pool, fault.verb, fault.table)
		if _, err := w.desk.Resume(t.Context(), w.by, issuance, all); err == nil {
			t.Errorf("resumed over a broken %s", fault.table)
		}
		heal()
		if w.Contents(t) != before {
			t.Errorf("a broken %s leaves something", fault.table)
		}
	}
	var (
		errs  [2]error
		start = make(chan struct{})
		both  sync.WaitGroup
	)
	for n, by := range []desk.By{w.by, another} {
		both.Go(func() { <-start; _, errs[n] = w.desk.Resume(t.Context(), by, issuance, all) })
	}
	close(start)
	both.Wait()
	slices.SortFunc(errs[:], func(a, _ error) int {
		if a == nil {
			return -1
		}
		return 1
	})
	if errs[0] != nil || !errors.Is(errs[1], desk.ErrNoVisit) && !errors.Is(errs[1], code.ErrWait) {
		t.Errorf("two at once came to %v", errs)
	}
	if n := w.Count(t, `sms_message WHERE kind = 'code'`); n != 1 {
		t.Errorf("%d codes were sent", n)
	}
	if n := w.Count(t, `event WHERE kind = 'issuance.opened'`); n != 1 {
		t.Errorf("the opening is recorded %d times", n)
	}
}

// The same by the doors: it is told what waits, page by page, and to nobody of another office.
func TestWhatWaitsIsListedByOffice(t *testing.T) {
	t.Parallel()
	w, documents := asked(t)
	d := newDoorsOf(t, w)
	documents.say("")
	token := d.own(t, d.clerk, uuid.New())
	ids := []string{}
	for n := range 3 {
		_, id := d.Person(t)
		saved := d.asks(t, token, "POST", "/desk/issuances", opening(id, map[string]any{"phone": fmt.Sprintf("8 029 491-19-1%d", n)}), 202, map[string]any{"stage": "pending"})
		ids = append(ids, saved["id"].(string))
	}
	_, elsewhere := d.Person(t)
	d.asks(t, d.system, "POST", "/desk/issuances", opening(elsewhere, d.named(t, "Brest-3")), 202, nil)

	var listed []string
	for at := "/desk/pending-issuances?limit=2"; at != ""; {
		page := d.asks(t, token, "GET", at, nil, 200, nil)
		at = ""
		for _, i := range page["issuances"].([]any) {
			listed = append(listed, i.(map[string]any)["id"].(string))
		}
		if next, more := page["next"].(string); more {
			at = "/desk/pending-issuances?limit=2&after=" + next
		}
	}
	if !slices.Equal(listed, ids) {
		t.Errorf("listed %v, want %v", listed, ids)
	}
	if page := d.asks(t, token, "GET", "/desk/pending-issuances?limit=3", nil, 200, nil); page["next"] != nil {
		t.Errorf("after the last page: %v", page["next"])
	}
	if page := d.asks(t, d.system, "GET", "/desk/pending-issuances?office=Brest-3", nil, 200, nil); len(page["issuances"].([]any)) != 1 {
		t.Errorf("of another office: %v", page)
	}
	for _, strange := range []string{"?state=assigned", "?after=x", "?limit=0", "?limit=201"} {
		d.asks(t, token, "GET", "/desk/pending-issuances"+strange, nil, 400, map[string]any{"code": "invalid_parameter"})
	}
	d.asks(t, d.system, "GET", "/desk/pending-issuances", nil, 400, map[string]any{"code": "invalid_parameter"})

	at := "/desk/issuances/" + ids[0]
	attested := map[string]any{"attested": []string{"holder", "particulars", "phone"}}
	d.asks(t, token, "GET", at, nil, 200, map[string]any{"stage": "pending"})
	d.asks(t, token, "POST", at+"/resume", attested, 202, map[string]any{"stage": "pending"})
	d.asks(t, d.system, "POST", at+"/resume", attested, 403, map[string]any{"code": "clerk_required"})
	_, id := d.Active(t)
	d.asks(t, token, "POST", "/desk/reissues", body(id, nil), 503, map[string]any{"code": "register_away"})
	documents.say(document.Valid)
	d.asks(t, token, "POST", at+"/resume", map[string]any{"attested": []string{"all"}}, 422, map[string]any{"code": "invalid"})
	d.asks(t, token, "POST", at+"/resume", map[string]any{}, 409, map[string]any{"code": "g5"})
	d.asks(t, token, "POST", at+"/resume", attested, 200, map[string]any{"stage": "opened"})
	d.asks(t, token, "POST", at+"/phone", map[string]any{"code": d.Said("Code")}, 204, nil)
	d.asks(t, token, "POST", at+"/assign", nil, 200, map[string]any{"state": "temporary"})
	d.asks(t, token, "POST", "/desk/issuances/nonsense/resume", attested, 404, map[string]any{"code": "unknown_visit"})

	gone := "/desk/issuances/" + ids[1]
	d.asks(t, token, "POST", gone+"/withdraw", nil, 204, nil)
	d.asks(t, token, "POST", gone+"/withdraw", nil, 204, nil)
	d.asks(t, token, "POST", gone+"/resume", attested, 410, map[string]any{"code": "visit_over"})
	d.asks(t, token, "POST", at+"/withdraw", nil, 404, map[string]any{"code": "unknown_visit"})
}
