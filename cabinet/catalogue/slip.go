package catalogue

import "slices"

// A slip is a letter too many, one too few, another one, or two side by side swapped (F. J. Damerau, 1964). A word with one slip in
// it has a mask in common with the word that was meant, and with no other: that is looked up in an index, however many words there are.

// hidden stands for a letter in a mask.
const hidden = '*'

// A form of fewer letters is like too many others: shortForm for any slip to be forgiven, surest for one that changes which letters it has, and surestStem
// where it is a word without its ending.
const (
	shortForm  = 4
	surest     = 5
	surestStem = 6
)

// masks are words, and each with one of its letters hidden.
func masks(words []string) (all []string) {
	for _, word := range words {
		for _, form := range forms(word) {
			all = append(all, form)
			for i := range []rune(form) {
				if len([]rune(word)) >= surest {
					all = append(all, edit(form, i, i+1, hidden))
				}
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// slips are the masks of what a word may have been meant to be.
func slips(word string) (all []string) {
	for _, form := range forms(word) {
		letters := []rune(form)
		for i := range len(letters) + 1 {
			all = append(all, edit(form, i, i, hidden)) // one was left out here
		}
		for i := range len(letters) - 1 {
			all = append(all, edit(form, i, i+2, letters[i+1], letters[i]))
		}
		if len(letters) < surest {
			continue
		}
		for i := range letters {
			all = append(all, edit(form, i, i+1), edit(form, i, i+1, hidden))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// edit is a word with other letters from one place to another.
func edit(word string, from, to int, letters ...rune) string {
	return string(slices.Replace([]rune(word), from, to, letters...))
}

// forms are a word as it is written, as it is heard, and without its ending; none that is too short.
func forms(word string) []string {
	all := []string{word, sound(word)}
	if stem := stem(word); len([]rune(stem)) >= surestStem {
		all = append(all, stem)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(form string) bool { return len([]rune(form)) < shortForm })
}
