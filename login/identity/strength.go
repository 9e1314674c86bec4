package identity

import (
	"cmp"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"asoba.example/login/register"
)

// ErrWeak says that a password may not be this person's static one; a WeakError wraps it.
var ErrWeak = errors.New("the password is not acceptable")

// A WeakError names the word that tells the citizen what is wrong with the password.
type WeakError struct{ Word string }

func (e *WeakError) Error() string { return ErrWeak.Error() + ": " + e.Word }
func (e *WeakError) Unwrap() error { return ErrWeak }

// What is wrong with a password, as keys of words/*.json.
const (
	wordShort     = "password.too_short"
	wordLong      = "password.too_long"
	wordCommon    = "password.common"   // what many choose
	wordWords     = "password.words"    // made of a word or two that they choose
	wordPersonal  = "password.personal" // made of what is known of the person, or of the portal's words
	wordSimple    = "password.simple"   // a row, a repetition
	wordTemporary = "password.like_temporary"
	wordSame      = "password.same" // as the present one
)

const (
	ownPart      = 6 // what must be left of a password without the words of its person's life
	mostCommon   = 2 // the different common words that alone are no password yet; a phrase of more is one
	shortestWord = 4 // what is shorter is no word to look for, and no word more
)

// A strength judges static passwords. There are no rules of composition, for
// they make passwords worse; length, lists of what people choose and of what they
// make it of, and the words of the person's own life (NIST SP 800-63B-4 §3.1.1.2, OWASP ASVS 5.0 6.2).
type strength struct {
	shortest, longest func() int

	common map[string]struct{} // whole passwords
	words  map[string]struct{} // what people make them of, in every form
}

// judge gives the word of what is wrong, or "".
func (s strength) judge(password string, about []string) string {
	password = foldStatic(password)
	switch n := utf8.RuneCountInString(password); {
	case n < s.shortest():
		return wordShort
	case n > s.longest():
		return wordLong
	}
	// The same keys under another keyboard layout, or with Shift held, are the same password, and so are the same signs in letters that look like others.
	for _, p := range []string{strings.ToLower(password), keys(password), keys(shifted.Replace(password)), alike(password)} {
		switch {
		case s.has(p):
			return wordCommon
		case monotonous(p):
			return wordSimple
		}
	}
	personal := expected(about)
	for _, p := range slices.Concat(disguises(password), disguises(withoutDigits(password))) {
		left := without(p, personal)
		switch {
		case left != p && (utf8.RuneCountInString(left) < ownPart || s.madeOf(mostCommon, left)):
			return wordPersonal
		case s.madeOf(mostCommon, p):
			return wordWords
		}
	}
	if walked(keys(shifted.Replace(password))) || s.again(strings.ToLower(password)) {
		return wordSimple
	}
	return ""
}

func (s strength) has(password string) bool {
	_, ok := s.common[password]
	return ok
}

// madeOf tells whether a password is so many common words, each as often as it likes, and less than a word beside. Every word is tried that can
// be the first of them, not the longest alone, which may hide two that are all; less than a word stands before it, so these are few.
func (s strength) madeOf(words int, password string) bool {
	for i := range password {
		if utf8.RuneCountInString(password[:i]) >= shortestWord {
			break
		}
		for j, c := range password[i:] {
			word := password[i : i+j+utf8.RuneLen(c)]
			if _, ok := s.words[word]; !ok {
				continue
			}
			left := strings.ReplaceAll(password, word, "")
			if utf8.RuneCountInString(left) < shortestWord || words > 1 && s.madeOf(words-1, left) {
				return true
			}
		}
	}
	return false
}

// monotonous tells a password that is a repetition of a few characters, or runs
// of neighbours: aaaa…, 1234…, abcabcabc….
func monotonous(password string) bool {
	var (
		p       = []rune(password)
		seen    = map[rune]struct{}{}
		turns   int // changes of the step from one character to the next
		last    rune
		repeats bool
	)
	for i, c := range p {
		seen[c] = struct{}{}
		if i > 0 {
			if step := c - p[i-1]; i == 1 || step != last {
				turns, last = turns+1, step
			}
		}
	}
	for unit := 1; unit <= 4; unit++ {
		repeats = repeats || strings.HasPrefix(strings.Repeat(string(p[:unit]), len(p)), password)
	}
	return len(seen) < 5 || turns < 5 || repeats
}

// again tells a password that is a piece of itself, as often as it likes, and less than a word beside, where they are too short without what is said
// again.
func (s strength) again(password string) bool {
	p := []rune(password)
	for i := range min(shortestWord, len(p)) {
		for j := i + shortestWord; j <= len(p); j++ {
			piece := string(p[i:j])
			if strings.Count(password, piece) < 2 {
				break // nor is a longer one there twice
			}
			left := utf8.RuneCountInString(strings.ReplaceAll(password, piece, ""))
			if left < shortestWord && j-i+left < s.shortest() {
				return true
			}
		}
	}
	return false
}

// boards are the keys that stand together: of the keyboard, and of the keypad.
var boards = [][]string{
	{"1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./"},
	{"789", "456", "123", "0"},
}

// walked tells a password that is straight walks over the keys, and less than a word beside.
func walked(password string) bool {
	left := 0
	for p := []rune(password); len(p) > 0; {
		longest := 0
		for _, board := range boards {
			longest = max(longest, walk(p, board))
		}
		if longest < 3 {
			left, longest = left+1, 1
		}
		p = p[longest:]
	}
	return left < shortestWord
}

// walk is how many of the first signs are keys of a board each of which stands beside the one before, on the same side of it.
func walk(p []rune, board []string) int {
	type place struct{ column, row int }
	var last, side place
	for n, c := range p {
		row := slices.IndexFunc(board, func(row string) bool { return strings.ContainsRune(row, c) })
		if row < 0 {
			return n
		}
		at := place{strings.IndexRune(board[row], c), row}
		next := place{at.column - last.column, at.row - last.row}
		beside := max(next.column, -next.column, next.row, -next.row) == 1
		if n > 0 && !beside || n > 1 && next != side {
			return n
		}
		last, side = at, next
	}
	return len(p)
}

// disguises are the forms that one text has for whoever tries passwords: in any case, by the keys, by the sounds, by the letters that look alike, and
// of each with the letters that look like digits as those; without the signs that are put between words, in any of which people write their numbers, or
// with those that look like letters as these.
func disguises(s string) (all []string) {
	s = norm.NFKC.String(s)
	for _, s := range slices.Compact([]string{s, signs.Replace(s)}) {
		for _, form := range []string{strings.ToLower(s), keys(s), latinOf(s), alike(s)} {
			all = append(all, bare(form), digits.Replace(bare(form)))
		}
	}
	return all
}

// expected are the words that anybody would try, in every disguise, forwards and backwards, the longest first.
func expected(words []string) []string {
	forms := map[string]struct{}{}
	for _, word := range words {
		for _, form := range disguises(word) {
			if utf8.RuneCountInString(form) < shortestWord {
				continue
			}
			back := []rune(form)
			slices.Reverse(back)
			forms[form], forms[string(back)] = struct{}{}, struct{}{}
		}
	}
	return slices.SortedFunc(maps.Keys(forms), func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
}

// without takes such words from a password, and what looks like the number of a document, whosesoever.
func without(password string, words []string) string {
	for _, word := range words {
		password = strings.ReplaceAll(password, word, "")
	}
	return documents.ReplaceAllString(password, "")
}

var documents = regexp.MustCompile(`[a-z]{2}[0-9]{7}`)

// withoutDigits leaves out the digits, which everybody adds to a word.
func withoutDigits(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsDigit(c) {
			return -1
		}
		return c
	}, s)
}

// bare leaves letters and digits.
func bare(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return c
		}
		return -1
	}, s)
}

// alike writes the Cyrillic letters that look like those of a number as those, as the fields for numbers do.
func alike(s string) string { return strings.ToLower(register.FoldNumber(s)) }

// digits writes as digits the letters that look like them.
var digits = strings.NewReplacer("o", "0", "о", "0", "i", "1", "l", "1", "z", "2", "з", "3", "ч", "4", "s", "5", "б", "6", "b", "8", "g", "9")

// signs writes as letters the signs that look like them.
var signs = strings.NewReplacer("@", "a", "$", "s", "!", "i")

// shifted writes as digits what their keys type with Shift held, in either layout.
var shifted = strings.NewReplacer(
	"!", "1", "@", "2", `"`, "2", "#", "3", "№", "3", "$", "4", ";", "4", "%", "5", "^", "6", ":", "6", "&", "7", "?", "7", "*", "8", "(", "9", ")", "0",
	"_", "-", "+", "=",
)

// portal are words that stand before everyone's eyes here (NIST SP 800-63B-4 §3.1.1.2).
var portal = []string{
	"пароль", "password", "идентификатор", "ідэнтыфікатар", "identifier", "кабинет", "кабінет", "cabinet",
	"портал", "партал", "вход", "уваход", "login", "услуги", "паслугі", "gosuslugi", "беларусь",
}

// about are the words of a person's own life, names, number, birth date, phone, and the portal's.
func about(i Identity, birthDate string) []string {
	words := append([]string{i.Identifier.Reveal()}, portal...)
	words = append(words, strings.Fields(i.Names.Full())...)
	if n := i.Phone.Reveal(); n != "" {
		words = append(words, n, n[1:], "80"+n[4:], n[4:], n[6:])
	}
	if n := i.Identifier.Reveal(); len(n) > 7 {
		words = append(words, n[:7])
	}
	date := strings.Split(birthDate, "-")
	if len(date) == 3 {
		y, m, d := date[0], date[1], date[2]
		words = append(words, y+m+d, d+m+y, d+m+y[2:], y[2:]+m+d, d+m, m+d)
	}
	return append(words, date[0])
}

// keys gives the keys of a usual keyboard that a text is typed with: привет is ghbdtn.
func keys(s string) string { return layout.Replace(strings.ToLower(s)) }

var layout = strings.NewReplacer(
	"й", "q", "ц", "w", "у", "e", "к", "r", "е", "t", "н", "y", "г", "u", "ш", "i", "щ", "o", "ў", "o", "з", "p",
	"х", "[", "ъ", "]", "ф", "a", "ы", "s", "в", "d", "а", "f", "п", "g", "р", "h", "о", "j", "л", "k", "д", "l",
	"ж", ";", "э", "'", "я", "z", "ч", "x", "с", "c", "м", "v", "и", "b", "і", "b", "т", "n", "ь", "m", "б", ",",
	"ю", ".", "ё", "`",
)

// latinOf writes a word in Latin letters as people do for passwords: Иванов is ivanov.
func latinOf(s string) string { return sounds.Replace(strings.ToLower(s)) }

var sounds = strings.NewReplacer(
	"а", "a", "б", "b", "в", "v", "г", "g", "д", "d", "е", "e", "ё", "e", "ж", "zh", "з", "z", "и", "i", "і", "i",
	"й", "y", "к", "k", "л", "l", "м", "m", "н", "n", "о", "o", "п", "p", "р", "r", "с", "s", "т", "t", "у", "u",
	"ў", "u", "ф", "f", "х", "h", "ц", "ts", "ч", "ch", "ш", "sh", "щ", "sch", "ъ", "", "ы", "y", "ь", "", "э", "e",
	"ю", "yu", "я", "ya",
)
