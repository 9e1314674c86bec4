package catalogue

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
)

// A vocabulary is the words that services have, in order, and the lexemes that they are forms of, in the order of their stems.
type vocabulary struct {
	words   []known
	lexemes []lexeme
}

// known is a word that tells something: as it is written, folded, and its root.
type known struct{ word, folded, root string }

// A lexeme is words that are forms of one.
type lexeme struct {
	stem    []rune // with which all begin, folded
	endings []rune // that other forms may have: which of usual
	root    string
	words   []known
}

// usual are the endings of forms, as they are written and folded, each list in order: of things and of what is of them (n), of what is as they
// are (a), of acts (v), and of English words (e).
var usual = func() map[rune][][]rune {
	nouns := strings.Fields(`
		а я о е и ы у ю ь й ой ей ом ем ам ям ами ями ах ях ов ев ау яу еу ай яй аю яю ство ства ству ством стве`)
	adjectives := strings.Fields(`
		ый ий ой ая яя ое ее ые ие ого его ому ему ым им ом ем ых их ыми ими ую юю ей ы и ае яе ыя ия ага яга аму яму ай яй`)
	verbs := strings.Fields(`ю ет ит ут ют ат ят уть е ець уць юць ешь ишь еш иш ем им ете ите`)
	for _, soft := range []string{"и", "ы", "ь"} {
		for _, ending := range strings.Fields("я е ю и й ем ей яй ям ями ях ев яу") {
			nouns = append(nouns, soft+ending)
		}
	}
	for _, ending := range adjectives {
		nouns = append(nouns, "н"+ending, "ск"+ending)
	}
	for _, vowel := range []string{"а", "я", "и", "ы", "е"} {
		for _, ending := range strings.Fields(`ть ць л ла ло ли у ться цца лся лась лось лись уся лася лися`) {
			verbs = append(verbs, vowel+ending)
		}
	}
	all := map[rune][][]rune{}
	for kind, list := range map[rune][]string{'n': nouns, 'a': adjectives, 'v': verbs, 'e': {"s", "es", "d", "ed", "ing"}} {
		slices.Sort(list)
		all[kind] = [][]rune{nil}
		for _, ending := range slices.Compact(list) {
			all[kind] = append(all[kind], []rune(ending))
		}
	}
	return all
}()

// cut is the stem of a folded word, and which endings its other forms may have: those among which the longest is that it has.
func cut(word string) (stem, endings []rune) {
	kinds := []rune{'e'}
	if strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) {
		kinds = []rune{'n', 'a', 'v'}
	}
	letters := []rune(word)
	if stem = letters; len(letters) < least {
		return stem, nil
	}
	for _, kind := range kinds {
		for _, ending := range usual[kind] {
			left := len(letters) - len(ending)
			if left < least || left == least && len(ending) > 2 && kind != 'v' || left > len(stem) || !slices.Equal(letters[left:], ending) ||
				kind != 'v' && len(ending) > 0 && strings.ContainsRune("аеиоыэюя", letters[left-1]) { // a vowel ends the stem of an act alone
				continue
			}
			if left < len(stem) {
				stem, endings = letters[:left], nil
			}
			if len(ending) > 0 || kind == kinds[0] {
				endings = append(endings, kind)
			}
		}
	}
	return stem, endings
}

// vocabularyOf is made of words, of which none stands twice.
func vocabularyOf(words []known) vocabulary {
	lexemes := map[string]*lexeme{}
	for _, word := range words {
		stem, endings := cut(word.folded)
		key := string(stem) + " " + word.root
		l := lexemes[key]
		if l == nil {
			l = &lexeme{stem: stem, root: word.root}
			lexemes[key] = l
		}
		l.words = append(l.words, word)
		for _, kind := range endings {
			if !slices.Contains(l.endings, kind) {
				l.endings = append(l.endings, kind)
			}
		}
	}
	v := vocabulary{words: words}
	for _, l := range lexemes {
		v.lexemes = append(v.lexemes, *l)
	}
	slices.SortFunc(v.words, func(a, b known) int { return strings.Compare(a.folded, b.folded) })
	slices.SortFunc(v.lexemes, func(a, b lexeme) int { return cmp.Or(slices.Compare(a.stem, b.stem), strings.Compare(a.root, b.root)) })
	return v
}

// begun are the roots of words that begin as one that is not typed to its end.
func (v vocabulary) begun(typed asked) (roots, guesses []string) {
	if len([]rune(typed.folded)) < least {
		return nil, nil
	}
	from, _ := slices.BinarySearchFunc(v.words, typed.folded, func(word known, typed string) int { return strings.Compare(word.folded, typed) })
	for _, word := range v.words[from:] {
		if !strings.HasPrefix(word.folded, typed.folded) {
			break
		}
		roots = append(roots, word.root)
	}
	return roots, nil
}

// near are the roots of the words of which some form is nearest to one that was typed, and not too far from it; and the words, where it has slips.
func (v vocabulary) near(typed asked) (roots, guesses []string) {
	letters := []rune(typed.folded)
	c, most := compareWith(letters), farthest(len(letters))
	for _, l := range v.lexemes {
		nearest := l.far(c, most)
		if nearest > most || nearest == most && slices.Contains(roots, l.root) {
			continue
		}
		if nearest < most {
			roots, guesses, most = nil, nil, nearest
		}
		roots = append(roots, l.root)
		if nearest > 0 {
			guesses = append(guesses, l.nearest(letters))
		}
	}
	return roots, guesses
}

// far is how far the nearest of a lexeme's forms is, if that is no farther than most; a short form is too far from anything.
func (l lexeme) far(c *comparison, most int) int {
	nearest := most + 1
	if !c.tell(0, l.stem, most) {
		return nearest
	}
	for _, kind := range l.endings {
		for _, ending := range usual[kind] {
			if c.tell(len(l.stem), ending, most) && len(c.told) >= shortest {
				nearest = min(nearest, c.far())
			}
		}
	}
	return nearest
}

// nearest is the word of a lexeme that is most like what was typed.
func (l lexeme) nearest(typed []rune) string {
	c := compareWith(typed)
	far := func(w known) int {
		c.tell(0, []rune(w.folded), math.MaxInt)
		return c.far()
	}
	return slices.MinFunc(l.words, func(a, b known) int { return far(a) - far(b) }).word
}
