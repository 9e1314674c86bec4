package operator_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
	"asoba.example/login/operator"
	"asoba.example/login/register"
	"asoba.example/provider/pair"
)

var paper = identity.Basis{Number: "7/12", Date: "2026-11-22"}

// operators are two of the operator's staff.
func (w *world) operators(t *testing.T) (anna, boris clerk.Clerk) {
	t.Helper()
	for _, c := range []*clerk.Clerk{&anna, &boris} {
		c.Person, _ = w.Active(t)
		c.Office, c.Role = "Centre", clerk.Operator
		if err := w.clerks.Add(t.Context(), *c, uuid.Nil, identitytest.Noon); err != nil {
			t.Fatal(err)
		}
	}
	return anna, boris
}

// One proposes and another approves: then all of them are blocked, their sign-ins end, each is told, and all of it is recorded; or nothing is.
func TestTwoOperatorsBlockAllOrNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna, boris := w.operators(t)
	active, activeID := w.Active(t)
	temporary, temporaryID := w.Issued(t)
	self, selfID := w.Active(t)
	if err := w.Registry.Block(t.Context(), self, identity.Self, identitytest.Act(time.Hour)); err != nil {
		t.Fatal(err)
	}
	notices := w.Count(t, `sms_message WHERE kind = 'notice'`)
	var p operator.Proposal
	w.BreakEach(t, func() (err error) {
		p, err = w.blocks.Propose(t.Context(), anna, operator.Takeover, paper, []identity.Identifier{activeID, temporaryID, selfID, activeID})
		return err
	})
	if p.People != 3 || w.State(t, active) != "active" || w.Count(t, `security_block`) != 1 {
		t.Errorf("proposed: %+v", p)
	}
	id := p.ID
	w.BreakEach(t, func() (err error) {
		p, err = w.blocks.Approve(t.Context(), boris, id)
		return err
	})
	if p.State != pair.Approved || p.Blocked != 2 || *p.DecidedBy != boris.Person {
		t.Errorf("approved: %+v", p)
	}
	for person, want := range map[uuid.UUID]string{active: "blocked:security", temporary: "blocked:security", self: "blocked:self"} {
		if got := w.State(t, person); got != want {
			t.Errorf("the state is %s, want %s", got, want)
		}
	}
	for what, want := range map[string]int{
		`event WHERE kind = 'identifier.blocked' AND detail->>'reason' = 'security' AND clerk_id = '` + boris.Person.String() + `'`: 2,
		`event WHERE kind = 'sessions.ended' AND person_id IN ('` + active.String() + `', '` + temporary.String() + `')`:            2,
		`ended WHERE person_id IN ('` + active.String() + `', '` + temporary.String() + `')`:                                        2,
		`event WHERE kind = 'security_block.proposed' AND clerk_id = '` + anna.Person.String() + `' AND detail->>'people' = '3'`:    1,
		`event WHERE kind = 'security_block.approved' AND clerk_id = '` + boris.Person.String() + `' AND office = 'Centre'`:         1,
	} {
		if got := w.Count(t, what); got != want {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	if got := w.Count(t, `sms_message WHERE kind = 'notice'`) - notices; got != 2 {
		t.Errorf("%d of 2 were told", got)
	}
	if w.Said("Desk") != "Nemiga 5" {
		t.Errorf("they were told to go to %q", w.Said("Desk"))
	}
	_, whose, err := w.blocks.Find(t.Context(), p.ID)
	if err != nil || len(whose) != 3 || whose[0].Identifier != activeID.Reveal() || !whose[0].Blocked || whose[2].Blocked {
		t.Errorf("named: %v, %v", whose, err)
	}

	// Who decides it again is told the same.
	before := w.Contents(t)
	if again, err := w.blocks.Approve(t.Context(), boris, p.ID); err != nil || again.Blocked != 2 || again.State != pair.Approved {
		t.Errorf("approved again: %+v, %v", again, err)
	}
	if w.Contents(t) != before {
		t.Error("the second approval did something")
	}
}

// Nobody blocks alone, whoever else is not an operator blocks nobody, and what was decided is decided.
func TestASecurityBlockTakesTwoOperators(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna, boris := w.operators(t)
	person, id := w.Active(t)
	others := map[string]clerk.Clerk{"a citizen": {Person: person}}
	for _, role := range []clerk.Role{clerk.AtDesk, clerk.Supervisor, clerk.Auditor} {
		c := clerk.Clerk{Office: "Minsk-1", Role: role}
		c.Person, _ = w.Active(t)
		if err := w.clerks.Add(t.Context(), c, uuid.Nil, identitytest.Noon); err != nil {
			t.Fatal(err)
		}
		c.Role = clerk.Operator // what somebody says of themselves is not believed
		others[string(role)] = c
	}
	propose := func(by clerk.Clerk) (operator.Proposal, error) {
		return w.blocks.Propose(t.Context(), by, operator.Leak, paper, []identity.Identifier{id})
	}
	p, err := propose(anna)
	if err != nil {
		t.Fatal(err)
	}
	before := w.Contents(t)
	for name, by := range others {
		if _, err := propose(by); !errors.Is(err, clerk.ErrRole) {
			t.Errorf("%s proposes: %v", name, err)
		}
		if _, err := w.blocks.Approve(t.Context(), by, p.ID); !errors.Is(err, clerk.ErrRole) {
			t.Errorf("%s approves: %v", name, err)
		}
		if _, err := w.blocks.Refuse(t.Context(), by, p.ID); !errors.Is(err, clerk.ErrRole) {
			t.Errorf("%s refuses: %v", name, err)
		}
		if _, err := w.blocks.Withdraw(t.Context(), by, p.ID); !errors.Is(err, clerk.ErrRole) {
			t.Errorf("%s withdraws: %v", name, err)
		}
	}
	if _, err := w.blocks.Approve(t.Context(), anna, p.ID); !errors.Is(err, pair.ErrOwn) {
		t.Errorf("their own: %v", err)
	}
	if _, err := w.blocks.Withdraw(t.Context(), boris, p.ID); !errors.Is(err, pair.ErrOwn) {
		t.Errorf("another's, withdrawn: %v", err)
	}
	if _, err := w.blocks.Approve(t.Context(), boris, uuid.New()); !errors.Is(err, operator.ErrUnknown) {
		t.Errorf("none: %v", err)
	}
	if w.Contents(t) != before {
		t.Error("something was done")
	}
	if p, err = w.blocks.Refuse(t.Context(), boris, p.ID); err != nil || p.State != pair.Refused {
		t.Errorf("refused: %+v, %v", p, err)
	}
	if _, err := w.blocks.Approve(t.Context(), boris, p.ID); !errors.Is(err, pair.ErrDecided) {
		t.Errorf("approved after the refusal: %v", err)
	}
	if p, err = propose(anna); err != nil {
		t.Fatal(err)
	}
	again := p.ID
	w.BreakEach(t, func() (err error) {
		p, err = w.blocks.Withdraw(t.Context(), anna, again)
		return err
	})
	if n := w.Count(t, `event WHERE kind = 'security_block.withdrawn' AND clerk_id = $1`, anna.Person); n != 1 || p.State != pair.Withdrawn {
		t.Errorf("withdrawn: %+v, recorded %d times", p, n)
	}
	if _, err := w.blocks.Approve(t.Context(), boris, p.ID); !errors.Is(err, pair.ErrDecided) {
		t.Errorf("approved after it was withdrawn: %v", err)
	}
	if got := w.State(t, person); got != "active" {
		t.Errorf("the state is %s", got)
	}
}

// Two who approve and refuse at one moment: one of them decides.
func TestOneDecisionWins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna, boris := w.operators(t)
	vera, _ := w.operators(t)
	person, id := w.Active(t)
	p, err := w.blocks.Propose(t.Context(), anna, operator.Takeover, paper, []identity.Identifier{id})
	if err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	var approved, refused error
	both.Go(func() { _, approved = w.blocks.Approve(t.Context(), boris, p.ID) })
	both.Go(func() { _, refused = w.blocks.Refuse(t.Context(), vera, p.ID) })
	both.Wait()
	if (approved == nil) == (refused == nil) {
		t.Fatalf("approved: %v; refused: %v", approved, refused)
	}
	if blocked := w.State(t, person) == "blocked:security"; blocked != (approved == nil) {
		t.Errorf("blocked: %t; approved: %v", blocked, approved)
	}
}

// Whatever is proposed several times at one moment is one proposal, of which all are told.
func TestWhatIsProposedAtOneMomentIsOneProposal(t *testing.T) {
	t.Parallel()
	r := newRegistry(t)
	anna, _ := r.operators(t)
	person, id := r.Active(t)
	restorations := operator.Restorations{Pool: r.Pool, Register: r.register, Now: r.blocks.Now}
	r.Exec(t, `UPDATE person SET missing_date = '2025-01-02' WHERE id = $1`, person)
	for table, propose := range map[string]func() (uuid.UUID, error){
		"security_block": func() (uuid.UUID, error) {
			p, err := r.blocks.Propose(t.Context(), anna, operator.Leak, paper, []identity.Identifier{id})
			return p.ID, err
		},
		"restoration": func() (uuid.UUID, error) {
			p, err := restorations.Propose(t.Context(), anna, id.Reveal(), paper)
			return p.ID, err
		},
	} {
		var (
			told [8]uuid.UUID
			errs [8]error
			all  sync.WaitGroup
		)
		for n := range told {
			all.Go(func() { told[n], errs[n] = propose() })
		}
		all.Wait()
		for n := range told {
			if errs[n] != nil || told[n] != told[0] {
				t.Errorf("%s: %v, %v", table, told[n], errs[n])
			}
		}
		if n := r.Count(t, table); n != 1 {
			t.Errorf("%s: %d are proposed", table, n)
		}
	}
}

// A thousand at once, and no more.
func TestManyAreBlockedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna, boris := w.operators(t)
	_, id := w.Active(t)
	whose := w.many(t, 1000)
	if _, err := w.blocks.Propose(t.Context(), anna, operator.Leak, paper, append(whose, id)); !errors.Is(err, operator.ErrCount) {
		t.Errorf("a thousand and one: %v", err)
	}
	p, err := w.blocks.Propose(t.Context(), anna, operator.Leak, paper, whose)
	if err != nil {
		t.Fatal(err)
	}
	if p, err = w.blocks.Approve(t.Context(), boris, p.ID); err != nil || p.Blocked != 1000 {
		t.Errorf("%d are blocked, %v", p.Blocked, err)
	}
}

// many are people with identifiers, as if each had been at a desk.
func (w *world) many(t *testing.T, n int) []identity.Identifier {
	t.Helper()
	const add = `
		INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
		SELECT id, number, 'F', '1956-03-08', 'BY', 1 FROM unnest($1::uuid[], $2::text[]) AS n (id, number)`
	const issue = `
		INSERT INTO identity (person_id, state, phone, phone_index, issued_at, changed_at)
		SELECT id, 'active', phone, sha256(phone), $3, $3 FROM unnest($1::uuid[], $2::bytea[]) AS n (id, phone)`
	var (
		whose   []identity.Identifier
		people  []uuid.UUID
		numbers []string
		phones  [][]byte
	)
	for i := range n {
		number := fmt.Sprintf("7%06dA001PB", i)
		id, err := identity.ParseIdentifier(number + string(register.CheckDigit(number)))
		if err != nil {
			t.Fatal(err)
		}
		person := uuid.New()
		phone, err := w.Box.Seal("identity:phone:"+person.String(), fmt.Appendf(nil, "+37533%07d", i))
		if err != nil {
			t.Fatal(err)
		}
		whose, people, numbers, phones = append(whose, id), append(people, person), append(numbers, id.Reveal()), append(phones, phone)
	}
	w.Exec(t, add, people, numbers)
	w.Exec(t, issue, people, phones, identitytest.Noon)
	return whose
}

// Done but reported failed: who proposes or decides the same again is told what became of it, and it is done once.
func TestWhoDidNotHearOfADecisionDecidesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	anna, boris := w.operators(t)
	t.Run("propose", func(t *testing.T) {
		w.LoseEach(t, func() (func() (uuid.UUID, string, error), func() string) {
			person, id := w.Active(t)
			return func() (uuid.UUID, string, error) {
					p, err := w.blocks.Propose(t.Context(), anna, operator.Leak, paper, []identity.Identifier{id})
					return p.ID, fmt.Sprint(p.State, p.People), err
				}, func() string {
					return fmt.Sprint(w.Count(t, `security_block_person JOIN event ON detail->>'proposal' = block_id::text WHERE security_block_person.person_id = $1`, person))
				}
		})
	})
	for name, d := range map[string]struct {
		by     clerk.Clerk
		decide func(context.Context, clerk.Clerk, uuid.UUID) (operator.Proposal, error)
	}{"approve": {boris, w.blocks.Approve}, "refuse": {boris, w.blocks.Refuse}, "withdraw": {anna, w.blocks.Withdraw}} {
		t.Run(name, func(t *testing.T) {
			w.LoseEach(t, func() (func() (uuid.UUID, string, error), func() string) {
				person, id := w.Active(t)
				p, err := w.blocks.Propose(t.Context(), anna, operator.Leak, paper, []identity.Identifier{id})
				if err != nil {
					t.Fatal(err)
				}
				return func() (uuid.UUID, string, error) {
						p, err := d.decide(t.Context(), d.by, p.ID)
						return p.ID, fmt.Sprint(p.State, p.Blocked), err
					}, func() string {
						decided := w.Count(t, `event WHERE kind LIKE 'security_block.%' AND detail->>'proposal' = $1`, p.ID.String())
						return fmt.Sprintln(w.Left(t, person), decided)
					}
			})
		})
	}
}

// The doors say the same, member by member.
func TestTheDoorsOfSecurityBlocks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.staff(t, "anna", clerk.Operator)
	w.staff(t, "boris", clerk.Operator)
	w.staff(t, "vera", clerk.Auditor)
	w.staff(t, "clerk", clerk.AtDesk)
	_, id := w.Active(t)
	_, none := w.Person(t)
	ask := func(reason, date string, whose ...string) string {
		return fmt.Sprintf(`{"identifiers":["%s"],"reason":"%s","basis":{"number":"7/12","date":"%s"}}`, strings.Join(whose, `","`), reason, date)
	}
	const day = "2026-11-22"
	wrong := func(body, field, code string) {
		t.Helper()
		fields, _ := w.asks(t, "anna", "POST", "/operator/blocks", body, 422, "invalid")["fields"].([]any)
		if len(fields) != 1 || fields[0].(map[string]any)["name"] != field || fields[0].(map[string]any)["code"] != code {
			t.Errorf("%s: %v", body, fields)
		}
	}
	wrong(ask("takeover", day, id.Reveal(), none.Reveal()), "/identifiers/1", "unknown")
	wrong(ask("takeover", day, id.Reveal(), "0000000A000PB"), "/identifiers/1", "not_an_identifier")
	wrong(ask("envy", day, id.Reveal()), "/reason", "unknown")
	wrong(ask("takeover", "2026-11-23", id.Reveal()), "/basis", "not_a_basis")
	wrong(ask("takeover", "2026-08-23", id.Reveal()), "/basis", "too_old")
	wrong(`{"identifiers":[],"reason":"leak","basis":{"number":"1","date":"2026-11-22"}}`, "/identifiers", "count")
	w.asks(t, "clerk", "POST", "/operator/blocks", ask("takeover", day, id.Reveal()), 403, "wrong_role")
	w.asks(t, "vera", "POST", "/operator/blocks", ask("takeover", day, id.Reveal()), 403, "wrong_role")

	p := w.asks(t, "anna", "POST", "/operator/blocks", ask("takeover", day, id.Reveal()), 201, "")
	if again := w.asks(t, "anna", "POST", "/operator/blocks", ask("takeover", day, id.Reveal()), 201, ""); again["id"] != p["id"] {
		t.Errorf("proposed again: %v", again)
	}
	at := "/operator/blocks/" + p["id"].(string)
	w.asks(t, "anna", "POST", at+"/approve", "", 403, "own_proposal")
	w.asks(t, "vera", "POST", at+"/approve", "", 403, "wrong_role")
	w.asks(t, "boris", "POST", "/operator/blocks/none/approve", "", 404, "unknown_proposal")
	if shown := w.asks(t, "vera", "GET", at, "", 200, ""); shown["state"] != "open" || len(shown["whose"].([]any)) != 1 {
		t.Errorf("shown: %v", shown)
	}
	if approved := w.asks(t, "boris", "POST", at+"/approve", "", 200, ""); approved["state"] != "approved" || approved["blocked"] != 1.0 {
		t.Errorf("approved: %v", approved)
	}
	w.asks(t, "boris", "POST", at+"/approve", "", 200, "")
	w.asks(t, "boris", "POST", at+"/refuse", "", 409, "decided")
	w.asks(t, "anna", "POST", at+"/withdraw", "", 409, "decided")
	at = "/operator/blocks/" + w.asks(t, "anna", "POST", "/operator/blocks", ask("leak", day, id.Reveal()), 201, "")["id"].(string)
	w.asks(t, "boris", "POST", at+"/withdraw", "", 403, "own_proposal")
	if withdrawn := w.asks(t, "anna", "POST", at+"/withdraw", "", 200, ""); withdrawn["state"] != "withdrawn" {
		t.Errorf("withdrawn: %v", withdrawn)
	}
	for state, want := range map[string]int{"": 2, "open": 0, "approved": 1, "withdrawn": 1} {
		if all := w.asks(t, "vera", "GET", "/operator/blocks?state="+state, "", 200, "")["blocks"].([]any); len(all) != want {
			t.Errorf("%q: %v", state, all)
		}
	}
}
