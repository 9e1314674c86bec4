package register

import "math/bits"

// numbers is a set of identification numbers. There are fewer than 2⁵¹ of them, so that each is held whole in eight bytes: ten million in a
// hundred megabytes.
type numbers []uint64 // 0 is a free place

// newNumbers makes a set for so many.
func newNumbers(most int64) numbers { return make(numbers, most+most/4+1) }

// add tells whether a number of the right shape is new, and takes it in.
func (s numbers) add(number []byte) bool {
	value := uint64(1)
	for _, c := range number {
		if c <= '9' {
			value = value*10 + uint64(c-'0')
		} else {
			value = value*26 + uint64(c-'A')
		}
	}
	place, _ := bits.Mul64(mix(value), uint64(len(s)))
	for ; s[place] != 0; place = (place + 1) % uint64(len(s)) {
		if s[place] == value {
			return false
		}
	}
	s[place] = value
	return true
}
