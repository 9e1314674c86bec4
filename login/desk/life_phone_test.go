package desk_test

import (
	"time"

	"github.com/riverqueue/river"
	"pgregory.net/rapid"

	"asoba.example/login/identity"
)

// drop is that another phone which a citizen has asked for is given up; it gives the record of one that was pending.
func (c *citizen) drop(by string, why ...string) (records []string) {
	if !c.due.IsZero() {
		records = []string{record("phone_change.cancelled", c, by, why...)}
	}
	c.next, c.due = 0, time.Time{}
	return records
}

// held tells whether another citizen has proved a phone, and will have it.
func (l *life) held(c *citizen, phone int) bool {
	for _, other := range l.citizens {
		if other != c && other.next == phone && !other.due.IsZero() {
			return true
		}
	}
	return false
}

// askPhone has a citizen ask for another phone himself.
func (l *life) askPhone(rt *rapid.T) {
	c, phone := l.somebody(rt), rapid.IntRange(1, 3).Draw(rt, "phone")
	err := l.Registry.AskPhone(l.t.Context(), c.person, l.number(phone), identity.Act{At: l.now})
	if !c.is("active") || !c.due.IsZero() {
		l.left(rt, err, "wrong_state")
		return
	}
	c.next = phone
	l.left(rt, err, "") // nothing comes of it before the code
}

// confirmPhone has the code come back to the phone that a citizen has asked for, or to one that he asks for no more.
func (l *life) confirmPhone(rt *rapid.T) {
	const wait = 24 * time.Hour
	c, phone := l.somebody(rt), rapid.IntRange(1, 3).Draw(rt, "phone")
	if c.next != 0 && rapid.IntRange(0, 3).Draw(rt, "another phone at 0") > 0 {
		phone = c.next
	}
	err := l.Registry.ConfirmPhone(l.t.Context(), c.person, l.number(phone), wait, identity.Act{At: l.now})
	switch {
	case !c.is("active"):
		l.left(rt, err, "wrong_state")
	case l.owner(&errand{whose: c, phone: phone}) != nil || l.held(c, phone):
		l.left(rt, err, "taken", c.drop("")...)
	case c.next != phone || !c.due.IsZero():
		l.left(rt, err, "wrong_state")
	default:
		c.due = l.now.Add(wait)
		l.left(rt, err, "", record("phone_change.asked", c, ""))
	}
}

func (l *life) cancelPhone(rt *rapid.T) {
	c := l.somebody(rt)
	err := l.Registry.CancelPhone(l.t.Context(), c.person, identity.Act{At: l.now})
	l.left(rt, err, "", c.drop("", "why=self")...)
}

// takePhone has the job come to a citizen's change of phone, in its time or before.
func (l *life) takePhone(rt *rapid.T) {
	c := l.somebody(rt)
	changer := &identity.PhoneChanger{Registry: l.Registry, Now: func() time.Time { return l.now }}
	err := changer.Work(l.t.Context(), &river.Job[identity.PhoneChangeDue]{Args: identity.PhoneChangeDue{Person: c.person}})
	switch {
	case c.due.IsZero():
		l.left(rt, err, "")
		return
	case l.now.Before(c.due):
		l.left(rt, err, "not yet")
		return
	}
	var records []string
	if c.phone != c.next {
		records = []string{record("phone.changed", c, "")}
	}
	c.phone, c.next, c.due = c.next, 0, time.Time{}
	l.left(rt, err, "", records...)
}
