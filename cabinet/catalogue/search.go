package catalogue

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// The same keys by three layouts of the keyboard. What is typed in one that was left on is a word in another.
const (
	latin      = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
	russian    = "ёйцукенгшщзхъфывапролджэячсмитьбю"
	belarusian = "ёйцукенгшўзх'фывапролджэячсмітьбю"
)

// typed gives what a word may have been meant to be: itself, and the same keys by another layout.
func typed(word string) []string {
	all := []string{word}
	if cyrillic := func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }; strings.ContainsFunc(word, cyrillic) {
		all = append(all, relay(relay(word, russian, latin), belarusian, latin))
	} else {
		all = append(all, relay(word, latin, russian), relay(word, latin, belarusian))
	}
	return all
}

// relay writes what the same keys write by another layout.
func relay(word, from, to string) string {
	keys, other := []rune(from), []rune(to)
	return strings.Map(func(r rune) rune {
		if i := slices.Index(keys, unicode.ToLower(r)); i >= 0 {
			return other[i]
		}
		return r
	}, word)
}

// A Query is what somebody looks for, as the search takes it: a code, or words.
type Query struct {
	codes []string  // how one begins: the first by which a service has one is looked for, and else the words
	words [][]asked // what each of them may have been meant to be
	typed bool      // words, or what is none
}

// asked is a word that is looked for, as it was typed or by another layout.
type asked struct {
	known

	relaid bool
}

// mostLetters is how many letters of a query are read, mostWords how many words, and mostCodes how many of these as codes.
const (
	mostLetters = 100
	mostWords   = 8
	mostCodes   = 3
)

// codeTyped is a code, or how one begins, with what the key of the dot writes by other layouts and beside the digits.
var codeTyped = regexp.MustCompile(`^([0-9]{3,6}|[0-9]{1,6}([.,/юЮ][0-9]{1,6})+)$`)

// codeAmidWords is one that no year and no full date is like. A house, a sum or a day may be.
var codeAmidWords = regexp.MustCompile(`^[1-9][0-9]{0,2}([.,/юЮ][1-9][0-9]{0,2})+$`)

var dots = strings.NewReplacer(",", ".", "/", ".", "ю", ".", "Ю", ".")

// ParseQuery reads what somebody typed; whatever it is, it is a query. Where it is a code, or one of a service stands in it, that is what is looked for.
func ParseQuery(text string) (q Query) {
	text = clean(text)
	if letters := []rune(text); len(letters) > mostLetters {
		text = string(letters[:mostLetters])
	}
	if code := digits(text); codeTyped.MatchString(code) && !strings.ContainsFunc(strings.Replace(text, code, "", 1), unicode.IsLetter) {
		return Query{codes: []string{dots.Replace(code)}}
	}
	for _, word := range strings.Fields(text) {
		if code := digits(word); codeAmidWords.MatchString(code) && len(q.codes) < mostCodes {
			q.codes = append(q.codes, dots.Replace(code))
		}
	}
	q.typed = strings.TrimSpace(text) != ""
	for i, word := range strings.Fields(text) {
		if i == mostWords {
			break
		}
		var all []asked
		for k, meant := range typed(word) {
			words := spell(meant)
			if k > 0 && len(words) > 1 { // by no layout is a word two
				continue
			}
			for _, word := range words {
				if folded := fold(word); tells(folded) {
					all = append(all, asked{known{word, folded, root(folded)}, k > 0})
				}
			}
		}
		if all != nil {
			q.words = append(q.words, all)
		}
	}
	return q
}

// digits is a text from its first digit to its last.
func digits(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return !unicode.IsDigit(r) })
}

// IsZero tells whether nothing was typed. What was typed and is neither a code nor a word finds nothing.
func (q Query) IsZero() bool { return len(q.codes) == 0 && !q.typed }
