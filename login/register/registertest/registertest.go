// Package registertest is what somebody is to be in the population register after any life of it: for the tests that compare the register, and
// those who follow it, with a model.
package registertest

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Columns are those of a register's file.
const Columns = "identification_number,sex,birth_date,citizenship,death_date,death_act,declared_dead_date,declared_dead_act," +
	"missing_date,missing_act,incapable_date,incapable_act,limited_date,limited_act"

// Numbers are whom a life may tell of.
var Numbers = []string{"1010130K001PB9", "2290296M000BA3", "6290296C042BI1", "7000001A000PB8", "7000000A000PB1", "5311299B500PB0"}

// Alive is what a row tells of whom none of the five facts is told.
const Alive = ",,,,,,,,,"

// Facts are what a row may tell of the five.
var Facts = []string{
	Alive, Alive, "1989-01-01,a,,,,,,,,", ",,1989-01-01,b,,,,,,", ",,,,1989-01-01,c,,,,", "1989-01-01,a,,,1989-01-01,c,,,,", ",,,,,,1989-01-01,,,", ",,,,,,,,1989-01-01,e",
}

// A Person is somebody as the model has them. A row of theirs is one of a file, but for the number.
type Person struct {
	Number, Row string
	At          time.Time     // as of when the last event tells of them
	Numbered    time.Time     // as of when an event gave them a number
	Took        []TookBack    // what events took back
	Restored    []Restoration // what the operator took back
	Made        time.Time     // at the latest, the edition that changed them last; the zero time: it was none
	Last        [2]time.Time  // between when what changed them last was made; the zero time: it was the operator
	Present     bool          // in the last full edition
	Came        time.Time     // with an edition; the zero time: with an event
}

// TookBack is an end that an event took back.
type TookBack struct {
	End string
	At  time.Time
}

// A Restoration is each end that one took back, by its place in a row.
type Restoration struct {
	At   time.Time
	Ends map[int]string
}

// Ends is each of the three facts that end somebody, by its place in a row.
func Ends(row string) map[int]string {
	fields, all := strings.Split(row, ","), map[int]string{}
	for i := 3; i < 9; i += 2 {
		if fields[i] != "" {
			all[i] = fields[i] + "," + fields[i+1]
		}
	}
	return all
}

// Gone tells whether a row ends what somebody may do.
func Gone(row string) bool { return len(Ends(row)) > 0 }

// Latest is the later of two times.
func Latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Hears is the row of somebody once one is told of them that was made between two times.
func (p *Person) Hears(row string, notBefore, notAfter time.Time) string {
	switch row = p.Heeded(row); {
	case p.At.After(notAfter):
		return p.Row
	case p.At.After(notBefore):
		return p.ending(row, notBefore)
	}
	return row
}

// Is is the row of somebody who turns out to be another one too, of whom was told last: that was told of them.
func (p *Person) Is(other *Person, now time.Time) string {
	notBefore, notAfter := other.told(now)
	return p.Hears(other.Row, notBefore, notAfter)
}

// SaysOf is Says, where somebody turns out to be another one too.
func (p *Person) SaysOf(other *Person, now time.Time) {
	notBefore, _ := other.told(now)
	p.Says(other.Row, notBefore)
}

// told is between when what is told of somebody was made.
func (p *Person) told(now time.Time) (notBefore, notAfter time.Time) {
	if p.Last[0].IsZero() {
		return now, now
	}
	return p.Last[0], p.Last[1]
}

// HasHistory is that what was told of another one was told of them.
func (p *Person) HasHistory(other *Person) {
	p.Took, p.Restored = slices.Concat(p.Took, other.Took), slices.Concat(p.Restored, other.Restored)
	p.At, p.Numbered, p.Made = Latest(p.At, other.At), Latest(p.Numbered, other.Numbered), Latest(p.Made, other.Made)
}

// TakesBack is the ends that are known of somebody and not told by a row.
func (p *Person) TakesBack(row string) (all []string) {
	told := Ends(row)
	for i, end := range Ends(p.Row) {
		if told[i] == "" {
			all = append(all, end)
		}
	}
	return all
}

// Heeded is what a row tells, but for what the operator took back: of that they are as they are.
func (p *Person) Heeded(row string) string {
	known, fields := strings.Split(p.Row, ","), strings.Split(row, ",")
	for i, end := range Ends(row) {
		if p.takenBack(end) {
			fields[i], fields[i+1] = known[i], known[i+1]
		}
	}
	return strings.Join(fields, ",")
}

// Says is that the register tells a row of somebody, made after a time: what it says no longer there is nothing to take back of.
func (p *Person) Says(row string, notBefore time.Time) {
	if p.At.After(notBefore) {
		return
	}
	said, restored := Ends(row), p.Restored
	p.Restored = nil
	for _, r := range restored {
		ends := maps.Clone(r.Ends)
		maps.DeleteFunc(ends, func(i int, end string) bool { return said[i] != end })
		if len(ends) > 0 {
			p.Restored = append(p.Restored, Restoration{r.At, ends})
		}
	}
}

func (p *Person) takenBack(end string) bool {
	return slices.ContainsFunc(p.Restored, func(r Restoration) bool { return slices.Contains(slices.Collect(maps.Values(r.Ends)), end) })
}

// ending is somebody as they are, but for what ends them by a row that may have been made after a time, and no event took back since.
func (p *Person) ending(row string, notBefore time.Time) string {
	known, fields := Ends(p.Row), strings.Split(p.Row, ",")
	for i, end := range Ends(row) {
		if known[i] == "" && !slices.ContainsFunc(p.Took, func(t TookBack) bool { return t.End == end && t.At.After(notBefore) }) {
			fields[i], fields[i+1], _ = strings.Cut(end, ",")
		}
	}
	return strings.Join(fields, ",")
}

// Restore is the row of somebody once the operator has taken back at a time what ends them.
func (p *Person) Restore(at time.Time) string {
	p.Restored = append(slices.Clip(p.Restored), Restoration{at, Ends(p.Row)})
	p.Made, p.Last = time.Time{}, [2]time.Time{}
	fields := strings.Split(p.Row, ",")
	return strings.Join(slices.Concat(fields[:3], make([]string, 6), fields[9:]), ",")
}

// Undo is the row of somebody once one of their restorations is undone.
func (p *Person) Undo(i int) string {
	was := p.Restored[i]
	p.Restored = slices.Concat(p.Restored[:i], p.Restored[i+1:])
	p.Made, p.Last = time.Time{}, [2]time.Time{}
	known, fields := Ends(p.Row), strings.Split(p.Row, ",")
	for i, end := range was.Ends {
		if known[i] == "" {
			fields[i], fields[i+1], _ = strings.Cut(end, ",")
		}
	}
	return strings.Join(fields, ",")
}
