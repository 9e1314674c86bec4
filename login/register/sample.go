package register

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// A Sample is a made-up register file, the same for the same numbers. Nobody
// real is in it: an identification number carries a birth date, and these are of
// the nineteenth century, a hundred years before their holders' own.
type Sample struct {
	People  int    // up to MaxSample
	Edition int    // from 1; in each some more people have died, gone missing, been found
	Seed    uint64 // another seed gives other people
	// Corrected is of how many people in a thousand each edition after the first corrects the date of birth.
	Corrected int
	Delta     bool // only those who differ from the edition before
}

// Numbers of the nineteenth century: sex, day, region, serial.
const (
	sampleDays    = 36524 // 1800-01-01 to 1899-12-31
	sampleSerials = 1000
	sampleRegions = "ABCEHKM"
	MaxSample     = 2 * sampleDays * len(sampleRegions) * sampleSerials
	sampleStride  = 387420489 // 3¹⁸, coprime to MaxSample: it visits every number once, in no order
)

// Write writes the file.
func (s Sample) Write(w io.Writer) error {
	if s.People < 0 || s.People > MaxSample || s.Edition < 1 {
		return fmt.Errorf("a sample has an edition from 1 and up to %d people", MaxSample)
	}
	kind, rows := Full, 0
	if s.Delta {
		kind = Delta
	}
	_ = s.each(func([]byte) error { rows++; return nil })
	out := bufio.NewWriterSize(w, 256<<10)
	fmt.Fprintf(out, "# edition %d\n# period %s\n# kind %s\n# country %s\n# rows %d\n%s\n",
		s.Edition, s.month(s.Edition).Format("2006-01"), kind, country, rows, strings.Join(fileColumns[:], ","))
	err := s.each(func(row []byte) error {
		_, err := out.Write(row)
		return err
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// each gives the rows, each good until the next one.
func (s Sample) each(give func(row []byte) error) error {
	before := s
	before.Edition--
	var row, last []byte
	for i := range s.People {
		row = s.person(row[:0], i)
		if s.Delta && s.Edition > 1 {
			if last = before.person(last[:0], i); bytes.Equal(row, last) {
				continue
			}
		}
		if err := give(row); err != nil {
			return err
		}
	}
	return nil
}

// month is that of an edition. The demo's two editions are of the same months as the first two here: the third can follow them.
func (Sample) month(edition int) time.Time {
	return time.Date(2025, time.January, 1, 0, 0, 0, 0, time.UTC).AddDate(0, edition-1, 0)
}

func (s Sample) person(row []byte, i int) []byte {
	h := mix(s.Seed + mix(uint64(i)))
	n := int((uint64(i)*sampleStride + s.Seed%uint64(MaxSample)) % uint64(MaxSample))
	serial, n := n%sampleSerials, n/sampleSerials
	region, n := sampleRegions[n%len(sampleRegions)], n/len(sampleRegions)
	sex, n := "MF"[n%2], n/2
	born := time.Date(1800, time.January, 1+n, 0, 0, 0, 0, time.UTC)

	suffix, citizenship := "PB", "BY"
	switch part := h % 1000; {
	case part < 3:
		suffix, citizenship = "BI", "stateless"
	case part < 20:
		suffix, citizenship = "BA", []string{"CN", "LT", "LV", "PL", "RU", "UA"}[part%6]
	}
	if sex == 'M' {
		row = append(row, '1')
	} else {
		row = append(row, '2')
	}
	row = born.AppendFormat(row, "020106")
	row = append(row, region, byte('0'+serial/100), byte('0'+serial/10%10), byte('0'+serial%10))
	row = append(row, suffix...)
	row = append(row, CheckDigit(string(row)), ',', sex, ',')

	precision := "2006-01-02"
	switch h >> 10 % 200 {
	case 0:
		precision = "2006"
	case 1:
		precision = "2006-01"
	}
	corrected := 0
	for edition := 2; edition <= s.Edition; edition++ {
		if mix(h+uint64(edition))%1000 < uint64(s.Corrected) {
			corrected++
		}
	}
	row = born.AddDate(100, 0, corrected).AppendFormat(row, precision)
	row = append(row, ',')
	row = append(row, citizenship...)

	since := func(edition uint64, prefix string) {
		row = append(row, ',')
		row = s.month(int(edition)).AddDate(0, 0, -int(1+h%28)).AppendFormat(row, time.DateOnly)
		row = append(row, ',')
		row = append(row, prefix...)
		row = strconv.AppendUint(row, h%9999+1, 10)
	}
	not := func() { row = append(row, ',', ',') }
	if died := h>>20%1000 + 1; died <= uint64(s.Edition) { // a thousandth each month
		since(died, "record ")
	} else {
		not()
	}
	not()                                    // declared dead
	if h>>32%5000 == 0 && s.Edition%2 == 1 { // and found in the next edition
		since(1, "ruling ")
	} else {
		not()
	}
	if h>>36%3000 == 0 {
		since(1, "ruling ")
	} else {
		not()
	}
	if h>>40%4000 == 0 {
		since(1, "ruling ")
	} else {
		not()
	}
	return append(row, '\n')
}

// mix is the finalizer of SplitMix64: one number in, one that looks random out.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
