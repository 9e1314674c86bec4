package login_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"asoba.example/login/identity"
	"asoba.example/login/register"
)

// A page of ours to which anybody may send a number, and the statuses of try after try.
var askings = map[string]struct {
	open     string
	fields   func(somebody) []string
	statuses []int
}{
	"sign-in": {
		open:     "/security",
		fields:   func(s somebody) []string { return []string{"identifier", s.number, "password", s.password} },
		statuses: []int{http.StatusUnprocessableEntity, http.StatusUnprocessableEntity, http.StatusUnprocessableEntity, http.StatusTooManyRequests},
	},
	"unblock": {
		open:     "/unblock",
		fields:   func(s somebody) []string { return []string{"identifier", s.number, "password", s.password + "!"} },
		statuses: []int{http.StatusUnprocessableEntity, http.StatusUnprocessableEntity, http.StatusUnprocessableEntity, http.StatusTooManyRequests},
	},
	"block": {
		open:     "/block",
		fields:   func(s somebody) []string { return []string{"identifier", s.number, "password", s.password} },
		statuses: []int{http.StatusUnprocessableEntity, http.StatusUnprocessableEntity, http.StatusUnprocessableEntity, http.StatusTooManyRequests},
	},
}

// Whoever is asked about, and whatever is wrong, each answer is the same to the byte, after the same work: as many passwords hashed,
// and the same questions to PostgreSQL and to Redis. The last one tells to wait (OWASP ASVS 5.0 6.3.8).
func TestRefusalsAreAlike(t *testing.T) {
	t.Parallel()
	for name, page := range askings {
		for _, seen := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, browser known for somebody else %t", name, seen), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				people := w.everybody()
				first := make([]answer, len(page.statuses))
				v := w.visitor()
				if seen {
					v.signIn(anna)
					v.submit()
				}
				v.open(page.open)
				v.submit("identifier", "") // before each try something was refused
				form := *v
				for _, s := range people {
					*v = form
					for i, status := range page.statuses {
						got := v.alike(s, page.fields(s))
						if v.status != status {
							t.Fatalf("%s, try %d: %d, want %d", s.name, i+1, v.status, status)
						}
						if first[i].body == "" {
							first[i] = got
						}
						if status != http.StatusTooManyRequests && got.hashes != 2 { // of everybody at both of the costs that there are
							t.Errorf("%s, try %d: %d passwords hashed", s.name, i+1, got.hashes)
						}
						if got != first[i] {
							t.Errorf("%s, try %d differs from %s:\n%s", s.name, i+1, people[0].name, got.unlike(first[i]))
						}
					}
				}
			})
		}
	}
}

// What cannot be a number is told, and nothing is looked up or recorded.
func TestWhatIsNoNumberIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.visitor()
	v.open("/security")
	v.submit("identifier", "0000000A000PB", "password", password)
	v.want("/sign-in", http.StatusUnprocessableEntity)
	v.sees("Check the identifier", `value="0000000A000PB"`)
	v.submit("identifier", " ", "password", "")
	v.sees("Enter your unique identifier", "Enter your password")
	if n := w.count(`event WHERE kind = 'sign_in.refused'`); n != 0 {
		t.Errorf("%d refusals are recorded", n)
	}
}

// A number may be wrong in the register itself. Whose it is signs in by it and recovers by it as others do; whoever has mistyped his own is told to
// check it beside the common answer, and no more than that of a number that is somebody's.
func TestANumberWhoseCheckDigitIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const theirs, nobodys = "1010130K001PB8", "7000001A000PB9"
	w.active(theirs, "+375294911911")
	v := w.visitor()
	v.signIn(theirs)
	w.clock.turn(24 * time.Hour)
	for path, fields := range map[string][]string{
		"/security": {"password", another}, "/unblock": {"password", another}, "/block": {"decision", "code"}, "/recover": {"document_number", "AB0000000"},
	} {
		bodies := map[string]string{}
		for _, number := range []string{theirs, nobodys} {
			stranger := w.visitor()
			stranger.open(path)
			stranger.submit(append(fields, "identifier", number)...)
			stranger.sees("seems to be a typing mistake")
			bodies[number] = regexp.MustCompile(`interaction=\w+|data-ask="[^"]*"|`+number).ReplaceAllString(stranger.body, "")
		}
		if bodies[theirs] != bodies[nobodys] {
			t.Errorf("%s tells them apart:\n%s\n%s", path, bodies[theirs], bodies[nobodys])
		}
	}
	v = w.visitor()
	v.open("/recover")
	v.recovers(theirs)
	v.want("/recover/password", http.StatusOK)
}

// Somebody is a number, and what is typed with it.
type somebody struct{ name, number, password string }

// everybody is one of each kind of people whom no stranger may tell from one another, and anna, who signs in.
func (w *world) everybody() (all []somebody) {
	w.Helper()
	n := 0
	number := func() string {
		n++
		number := fmt.Sprintf("2010130K%03dPB", n)
		return number + string(register.CheckDigit(number))
	}
	phone := func() string { return fmt.Sprintf("+37529491%04d", n) }
	add := func(name, number, password string) { all = append(all, somebody{name, number, password}) }

	late := number()
	_, temporary := w.issued(late, phone())
	w.clock.turn(73 * time.Hour)
	add("expired temporary password", late, temporary)
	add("unknown number", number(), password)
	none := number()
	w.registered(none)
	add("no identifier", none, password)
	fresh := number()
	w.issued(fresh, phone())
	add("wrong temporary password", fresh, "AAAAA-AAAAA")
	mistaken := number()
	w.active(mistaken, phone())
	add("wrong password", mistaken, another)
	former := number()
	_, err := w.pool.Exec(w.Context(), `UPDATE identity SET password_hash = replace(password_hash, 't=1,p=1', 't=1,p=2') WHERE person_id = $1`,
		w.active(former, phone()))
	if err != nil {
		w.Fatal(err)
	}
	add("wrong password, hashed before the cost was changed", former, another)
	wordy := number()
	w.active(wordy, phone())
	add("a very long password", wordy, strings.Repeat("пароль", 300))
	stopped := number()
	if _, err := w.pool.Exec(w.Context(), `UPDATE identity SET failures = 50 WHERE person_id = $1`, w.active(stopped, phone())); err != nil {
		w.Fatal(err)
	}
	add("right password after fifty failures", stopped, password)
	for _, reason := range []identity.BlockReason{identity.Self, identity.Desk, identity.Security} {
		blocked := number()
		if err := w.registry.Block(w.Context(), w.active(blocked, phone()), reason, identity.Act{At: w.clock.now()}); err != nil {
			w.Fatal(err)
		}
		add("blocked: "+string(reason), blocked, password)
	}
	dead := number()
	gone := []uuid.UUID{w.active(dead, phone())}
	err = pgx.BeginFunc(w.Context(), w.pool, func(tx pgx.Tx) error {
		return w.registry.Deactivate(w.Context(), tx, gone, w.clock.now())
	})
	if err != nil {
		w.Fatal(err)
	}
	add("deactivated", dead, password)
	w.active(anna, "+375294911911")
	return all
}

// An answer is what anybody sees of one, and the work before it.
type answer struct {
	head, body        string
	hashes            int
	statements, calls string
	recorded          int
}

// unlike tells what differs.
func (a answer) unlike(b answer) string {
	switch {
	case a.head != b.head:
		return a.head + "not\n" + b.head
	case a.body != b.body:
		return a.body + "\nnot\n" + b.body
	case a.statements != b.statements:
		return a.statements + "\nnot\n" + b.statements
	case a.calls != b.calls:
		return a.calls + "\nnot\n" + b.calls
	}
	return fmt.Sprintf("%d passwords hashed, not %d; %d records, not %d", a.hashes, b.hashes, a.recorded, b.recorded)
}

// alike submits the page's form, and gives the answer without what differs by nature: what was typed comes back, and a challenge is good once.
func (v *visitor) alike(s somebody, fields []string) answer {
	v.w.Helper()
	hashes, recorded := v.w.hashes(), v.w.count("event")
	calls := v.w.calls.hear()
	heard := v.w.trips.Hear()
	v.submit(fields...)
	statements := heard()
	a := answer{
		statements: strings.Join(statements, "\n"), calls: strings.Join(calls(), "\n"),
		hashes: v.w.hashes() - hashes, recorded: v.w.count("event") - recorded,
	}
	a.head = v.heads()
	typed := `value="` + s.number + `"`
	if !strings.Contains(v.body, typed) {
		v.w.Errorf("%s: what was typed does not come back", s.name)
	}
	a.body = regexp.MustCompile(`data-ask="[^"]*"`).ReplaceAllString(strings.ReplaceAll(v.body, typed, ""), "")
	return a
}

// heads are what the browser was told before the page and with it, without what is made anew each time.
func (v *visitor) heads() string {
	v.w.Helper()
	all := new(strings.Builder)
	for _, head := range []http.Header{v.led, v.head} {
		head.Del("Date")
		if err := head.Write(all); err != nil {
			v.w.Fatal(err)
		}
	}
	return regexp.MustCompile(`answer_\w+=[\w-]*|heard=\w+|interaction=\w+`).ReplaceAllStringFunc(all.String(), func(anew string) string {
		return strconv.Itoa(len(anew)) // of a sealed answer all can see how long it is
	})
}

// hashes is how many passwords were hashed, as the metrics tell.
func (w *world) hashes() int {
	w.Helper()
	families, err := w.metrics.Gather()
	if err != nil {
		w.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() == "idp_passwords_total" && m.Label[0].GetValue() == "hashed" {
				return int(m.Counter.GetValue())
			}
		}
	}
	return 0
}

// calls hears what is asked of Redis, and may lose all that it holds at a call. It is a hook of go-redis.
type calls struct {
	mu    sync.Mutex
	heard *[]string // under mu; nil while nobody listens
	next  int       // under mu: how many come before the one at which all is lost
	lose  func()    // under mu; nil while nothing is
}

// loseAt has all be lost before the nth call from now, counted from one.
func (c *calls) loseAt(n int, lose func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next, c.lose = n, lose
}

// lost tells whether all was lost, and ends that.
func (c *calls) lost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lose = nil
	return c.next <= 0
}

// digests are of somebody, and moments and what is made by chance come but once.
var digests = regexp.MustCompile(`[0-9a-f]{32,}|\b[A-Z2-7]{26}\b|\b\d{13}\b`)

func (c *calls) hear() func() []string {
	var heard []string
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = &heard
	return func() []string {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.heard = nil
		return heard
	}
}

func (c *calls) add(commands ...redis.Cmder) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.next--; c.next == 0 && c.lose != nil {
		c.lose()
	}
	if c.heard == nil {
		return
	}
	for _, command := range commands {
		said := slices.Clone(command.Args())
		for i, arg := range said {
			if kept, ok := arg.([]byte); ok { // sealed, or with something sealed in it
				said[i] = len(kept)
			}
		}
		*c.heard = append(*c.heard, digests.ReplaceAllString(fmt.Sprint(said...), "…"))
	}
}

func (*calls) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (c *calls) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		c.add(command)
		return next(ctx, command)
	}
}

func (c *calls) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, commands []redis.Cmder) error {
		c.add(slices.Clone(commands)...)
		return next(ctx, commands)
	}
}
