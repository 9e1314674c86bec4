package catalogue

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// fold puts a text as searches compare it: small letters, digits, and one space between words. What people type for one
// another becomes the same: ё and е, і and и, ў and у, ъ and ь; an apostrophe within a word is left out. So a
// Belarusian word also comes near to the Russian one.
func fold(text string) string {
	folded := strings.Map(func(r rune) rune {
		switch r = unicode.ToLower(r); r {
		case 'ё':
			return 'е'
		case 'і':
			return 'и'
		case 'ў':
			return 'у'
		case 'ъ':
			return 'ь'
		case '\'', '’', 'ʼ', '`':
			return -1
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return ' '
	}, text)
	// One word of both languages, which they spell too far apart for a slip, and for which people come most.
	folded = strings.ReplaceAll(folded, "пашпарт", "паспорт")
	return strings.Join(strings.Fields(folded), " ")
}

// all is the text in the three languages.
func (w Words) all() string { return w.RU + " " + w.BE + " " + w.EN }

// The same keys by three layouts of the keyboard. What is typed in one that was left on is a word in another.
const (
	latin      = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
	russian    = "ёйцукенгшщзхъфывапролджэячсмитьбю"
	belarusian = "ёйцукенгшўзх'фывапролджэячсмітьбю"
)

// typed gives what a word may have been meant to be: itself, and the same keys by another layout.
func typed(word string) []string {
	all := []string{fold(word)}
	if cyrillic := func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }; strings.ContainsFunc(word, cyrillic) {
		all = append(all, fold(relay(relay(word, russian, latin), belarusian, latin)))
	} else {
		all = append(all, fold(relay(word, latin, russian)), fold(relay(word, latin, belarusian)))
	}
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	slices.Sort(all)
	return slices.Compact(all)
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

// shortest is how long a word is at least for a slip in it to be forgiven: shorter ones are like too many.
const shortest = 4

// long gives the words of a folded text that are long enough to know again.
func long(folded string) []string {
	return slices.DeleteFunc(strings.Fields(folded), func(word string) bool { return len([]rune(word)) < shortest })
}

// trigrams are what a word is made of, three letters at a time, and how it begins and ends.
func trigrams(word string) []string {
	letters := []rune("  " + word + " ")
	all := []string{}
	for i := range len(letters) - 2 {
		all = append(all, string(letters[i:i+3]))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// A Query is what somebody looks for, as the search takes it: a code, or words.
type Query struct {
	code     string   // how it begins; "" where words are looked for
	places   []int32  // which word of the query
	words    []string // what it may be
	trigrams []string // of it, parted by |; none where no slip is forgiven
}

// mostLetters is how many letters of a query are read, and mostWords how many words.
const (
	mostLetters = 100
	mostWords   = 8
)

// codeTyped is a code, or how one begins, with what the key of the dot writes by other layouts and beside the digits.
var codeTyped = regexp.MustCompile(`^([0-9]{3,6}|[0-9]{1,6}([.,/юЮ][0-9]{1,6})+)$`)

var dots = strings.NewReplacer(",", ".", "/", ".", "ю", ".", "Ю", ".")

// ParseQuery reads what somebody typed; whatever it is, it is a query. Where a code stands in it, that is what is looked for.
func ParseQuery(text string) (q Query) {
	if letters := []rune(text); len(letters) > mostLetters {
		text = string(letters[:mostLetters])
	}
	for _, word := range strings.Fields(text) {
		bare := strings.TrimFunc(word, func(r rune) bool { return !unicode.IsDigit(r) })
		if codeTyped.MatchString(bare) {
			return Query{code: dots.Replace(bare)}
		}
	}
	for i, word := range strings.Fields(text) {
		if i == mostWords {
			break
		}
		for _, meant := range typed(word) {
			for _, part := range strings.Fields(meant) {
				made := ""
				if len(long(part)) > 0 {
					made = strings.Join(trigrams(part), "|")
				}
				q.places, q.words, q.trigrams = append(q.places, int32(i)), append(q.words, part), append(q.trigrams, made)
			}
		}
	}
	return q
}

// IsZero tells whether there is neither a code nor a word in it.
func (q Query) IsZero() bool { return q.code == "" && len(q.words) == 0 }
