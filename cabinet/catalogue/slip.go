package catalogue

import (
	"slices"
	"strings"
)

// A slip is a letter too many, one too few, another one, or two side by side swapped (F. J. Damerau, 1964). slip is how far it leads from the word that was
// meant. A letter that neither stands beside the one that was meant nor sounds like it is a little farther off: of two words with as many slips the one
// is likelier.
const (
	slip    = 10
	strange = 1
)

// shortest is how many letters a word has for a slip in it to be forgiven; one with fewer is like too many others.
const shortest = 4

// farthest is how far from what was meant a word of so many letters may be.
func farthest(letters int) int {
	switch {
	case letters < shortest:
		return 0
	case letters == shortest:
		return slip
	case letters < 2*shortest:
		return slip + strange
	}
	return 2 * (slip + strange)
}

// A comparison tells how far what was typed is from a word that is told letter by letter, where no part is mended twice: their optimal string
// alignment. What words begin with in common is compared once.
type comparison struct {
	typed, told []rune
	mixed       []string // with which other letters each that was typed may have been mixed up
	rows        [][]int  // [i][j] is between the first i letters told and the first j typed
	least       []int    // of each row
}

func compareWith(typed []rune) *comparison {
	c := &comparison{typed: typed, rows: [][]int{make([]int, len(typed)+1)}, least: []int{0}}
	for j, letter := range typed {
		c.rows[0][j+1] = (j + 1) * slip
		c.mixed = append(c.mixed, mixed[letter])
	}
	return c
}

// tell has the letters from a place on be these, and says whether the word may still be no farther than that, whatever is told next. Where it
// may not, it tells no further.
func (c *comparison) tell(at int, letters []rune, most int) bool {
	for at < len(c.told) && len(letters) > 0 && c.told[at] == letters[0] {
		at, letters = at+1, letters[1:]
	}
	c.told = c.told[:at]
	for _, letter := range letters {
		if c.least[len(c.told)] > most {
			return false
		}
		c.add(letter)
	}
	return c.least[len(c.told)] <= most
}

func (c *comparison) add(letter rune) {
	i := len(c.told)
	if len(c.rows) == i+1 {
		c.rows, c.least = append(c.rows, make([]int, len(c.typed)+1)), append(c.least, 0)
	}
	above, row := c.rows[i], c.rows[i+1]
	row[0] = (i + 1) * slip
	for j, typed := range c.typed {
		if typed == letter {
			row[j+1] = above[j]
			continue
		}
		row[j+1] = slip + min(above[j]+strange, above[j+1], row[j])
		if strings.ContainsRune(c.mixed[j], letter) {
			row[j+1] = min(row[j+1], slip+above[j])
		}
		if i > 0 && j > 0 && typed == c.told[i-1] && c.typed[j-1] == letter {
			row[j+1] = min(row[j+1], slip+c.rows[i-1][j-1])
		}
	}
	c.told, c.least[i+1] = append(c.told, letter), slices.Min(row)
}

// far is how far it is.
func (c *comparison) far() int { return c.rows[len(c.told)][len(c.typed)] }

// mixed are the letters with which each is mixed up: those beside it in a layout, and those that sound like it.
var mixed = func() map[rune]string {
	all := map[rune]string{}
	for _, row := range strings.Fields("йцукенгшщзхъ фывапролджэ ячсмитьбю зхь шузх чсми qwertyuiop asdfghjkl zxcvbnm ао еиэ ыи яе тдц шщ бп гк гх вф жш сц чш уу ck sz iy ea") {
		letters := []rune(row)
		for i, letter := range letters {
			if i > 0 {
				all[letter] += string(letters[i-1])
				all[letters[i-1]] += string(letter)
			}
		}
	}
	return all
}()
