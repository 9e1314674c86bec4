package desk_test

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"asoba.example/login/desk"
)

// A request is something that a clerk asks of the desk by a key of its own, and what came of it once it was done.
type request struct {
	by   desk.By
	v    desk.Papers
	ask  func(desk.By, desk.Papers) (uuid.UUID, error)
	came uuid.UUID
}

// asks is a request with a key that no other has.
func (l *life) asks(v desk.Papers, ask func(desk.By, desk.Papers) (uuid.UUID, error)) request {
	by := l.by
	by.Key = uuid.NewString()
	return request{by: by, v: v, ask: ask}
}

// done makes an act of the desk that is one request.
func (l *life) done(do func(context.Context, desk.By, desk.Papers) (desk.Outcome, error)) func(desk.By, desk.Papers) (uuid.UUID, error) {
	return func(by desk.By, v desk.Papers) (uuid.UUID, error) {
		o, err := do(l.t.Context(), by, v)
		return o.Act, err
	}
}

// first asks; done remembers what came of it.
func (r request) first() (uuid.UUID, error) { return r.ask(r.by, r.v) }

func (r request) done(came uuid.UUID) request {
	r.came = came
	return r
}

// keep remembers an act that was one request, to ask for it again and to keep its paper.
func (l *life) keep(r request, act uuid.UUID, whose *citizen) {
	l.requests = append(l.requests, r.done(act))
	l.signed = append(l.signed, &signed{act: act, whose: whose})
}

// askAgain has the clerk ask once more for what was done, having heard no answer, or by mistake for something else by the same key: whatever has
// become of it since, the first gets the first answer, or hears that it was withdrawn, and nothing is done.
func (l *life) askAgain(rt *rapid.T) {
	if len(l.requests) == 0 {
		rt.Skip("nothing was asked")
	}
	r := rapid.SampledFrom(l.requests).Draw(rt, "request")
	if rapid.IntRange(0, 3).Draw(rt, "something else at 0") == 0 {
		r.v.Basis.Number = "another"
		_, err := r.first()
		l.left(rt, err, "reused")
		return
	}
	came, err := r.first()
	if slices.ContainsFunc(l.pending, func(p *waiting) bool { return p.id == r.came && p.withdrawn }) {
		l.left(rt, err, "visit over")
		return
	}
	l.left(rt, err, "")
	if came != r.came {
		rt.Fatalf("another act came of the same request: %s, and before %s", came, r.came)
	}
}

// refusedAgain has the clerk ask once more for what was refused, having heard no answer: it is told as it is on record, and nothing is done.
func (l *life) refusedAgain(rt *rapid.T, r request, err error) {
	_, again := r.first()
	l.left(rt, again, meant(err))
	first, recorded := errors.AsType[*desk.RefusedError](err)
	second, told := errors.AsType[*desk.RefusedError](again)
	if recorded != told || recorded && first.ID != second.ID {
		rt.Fatalf("it is told as %v, and before as %v", second, first)
	}
}

// GoString names a request where a life that broke is told.
func (r request) GoString() string { return "the request of " + r.came.String() }

// What was signed for an act, as often as it was scanned.
type signed struct {
	act   uuid.UUID
	whose *citizen
	scans []desk.Paper
}

// GoString names it as GoString names citizens.
func (s *signed) GoString() string { return "what " + s.whose.name + " signed" }

// paper is that of an act, and who comes to it: the clerk, or a supervisor.
func (l *life) paper(rt *rapid.T) (s *signed, act desk.ActDone, by desk.By) {
	if len(l.signed) == 0 {
		rt.Skip("nothing was signed")
	}
	s = rapid.SampledFrom(l.signed).Draw(rt, "act")
	act, err := l.desk.FindAct(l.t.Context(), s.act)
	if err != nil {
		rt.Fatal(err)
	}
	return s, act, rapid.SampledFrom([]desk.By{l.by, l.supervisor}).Draw(rt, "by")
}

// keepPaper keeps a scan, which may be the very one that is there. A clerk keeps five with an act, a supervisor ten.
func (l *life) keepPaper(rt *rapid.T) {
	s, act, by := l.paper(rt)
	most := map[bool]int{true: 5, false: 10}[by == l.by]
	p := scan(l.t, rapid.IntRange(0, 2).Draw(rt, "scan"))
	number, err := l.desk.KeepPaper(l.t.Context(), by, act, p)
	again := len(s.scans) > 0 && bytes.Equal(s.scans[len(s.scans)-1].Content, p.Content)
	switch {
	case again && number != len(s.scans):
		rt.Fatalf("the same again is number %d, want %d", number, len(s.scans))
	case again:
		l.left(rt, err, "")
	case len(s.scans) >= most:
		l.left(rt, err, "too many papers")
	default:
		s.scans = append(s.scans, p)
		if number != len(s.scans) {
			rt.Fatalf("it is number %d, want %d", number, len(s.scans))
		}
		l.left(rt, err, "", record("paper.kept", s.whose, l.named(by.Clerk)))
	}
}

// readPaper reads the newest scan of an act, or an earlier one.
func (l *life) readPaper(rt *rapid.T) {
	s, act, by := l.paper(rt)
	number := rapid.IntRange(0, len(s.scans)+1).Draw(rt, "number")
	p, err := l.desk.ReadPaper(l.t.Context(), by, act, number, desk.Complaint)
	if len(s.scans) == 0 || number > len(s.scans) {
		l.left(rt, err, "no paper")
		return
	}
	if number == 0 {
		number = len(s.scans)
	}
	if want := s.scans[number-1]; p.Number != number || !bytes.Equal(p.Content, want.Content) {
		rt.Fatalf("number %d is read as number %d, with another content", number, p.Number)
	}
	l.left(rt, err, "", record("paper.read", s.whose, l.named(by.Clerk)))
}
