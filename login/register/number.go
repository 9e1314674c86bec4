package register

import (
	"errors"
	"strings"
)

// What may be wrong with an identification number.
var (
	ErrNumberShape = errors.New("not the shape of an identification number")
	ErrNumberCheck = errors.New("the check digit of the identification number is wrong")
)

// latin folds Cyrillic letters that look like Latin ones: the number is copied
// by eye from a document, on whatever keyboard layout is on. Spaces and hyphens
// of every usual kind are dropped.
var latin = strings.NewReplacer(
	"А", "A", "В", "B", "С", "C", "Е", "E", "Н", "H", "К", "K", "М", "M",
	"О", "O", "Р", "P", "Т", "T", "Х", "X", "І", "I",
	" ", "", "\u00a0", "", "\u2009", "", "\u202f", "", "\t", "",
	"-", "", "\u2010", "", "\u2011", "", "\u2012", "", "\u2013", "", "\u2212", "",
)

// FoldNumber writes a number of a document the one way it is kept: upper-case
// Latin letters and digits. It judges nothing.
func FoldNumber(s string) string {
	return latin.Replace(strings.ToUpper(s))
}

// CheckNumber tells whether a folded identification number has the shape
// DDDDDDDLDDDLLD and the right check digit. It is proof against slips of the
// hand, not of anybody's existence: letters equal modulo ten are not told apart.
func CheckNumber(s string) error {
	const shape = "DDDDDDDLDDDLLD"
	if len(s) != len(shape) {
		return ErrNumberShape
	}
	for i := range len(s) {
		digit, letter := '0' <= s[i] && s[i] <= '9', 'A' <= s[i] && s[i] <= 'Z'
		if shape[i] == 'D' && !digit || shape[i] == 'L' && !letter {
			return ErrNumberShape
		}
	}
	if CheckDigit(s[:13]) != s[13] {
		return ErrNumberCheck
	}
	return nil
}

// CheckDigit computes the fourteenth character from the first thirteen, digits
// and upper-case letters: weights 7, 3, 1, a letter counting from A = 10
// (ICAO 9303 part 3 §4.9).
func CheckDigit(s string) byte {
	weights := [3]int{7, 3, 1}
	sum := 0
	for i := range len(s) {
		value := int(s[i] - '0')
		if s[i] >= 'A' {
			value = int(s[i]-'A') + 10
		}
		sum += value * weights[i%3]
	}
	return byte('0' + sum%10)
}
