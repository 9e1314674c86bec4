package profile

import "time"

// A Word is what one source says of one value.
type Word struct {
	Source string
	Value  string    // "" where it knows nothing of it
	At     time.Time // when it stood so there
	Since  time.Time // when the cabinet was told it first
}

// followed gives what a source says once it has said something more. What was overtaken on the way changes nothing.
func (w Word) followed(next Word) Word {
	switch {
	case next.At.Before(w.At):
		return w
	case next.Value == w.Value && !w.At.IsZero():
		w.At = next.At
		return w
	}
	return next
}

// holds is the word that holds of all sources' words of one value: the latest that says something, and of two as late as each other that of
// the source whose name is the first. So it does not matter in which order they came; and what one source does not know takes nothing from
// what another one says.
func holds(words []Word) (held Word) {
	for _, w := range words {
		later := w.At.Compare(held.At)
		if w.Value != "" && (held.Value == "" || later > 0 || later == 0 && w.Source < held.Source) {
			held = w
		}
	}
	return held
}
