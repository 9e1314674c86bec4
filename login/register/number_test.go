package register_test

import (
	"errors"
	"testing"

	"asoba.example/login/register"
)

func TestANumberIsCheckedByShapeAndDigit(t *testing.T) {
	for s, want := range map[string]error{
		"0000000A000PB2":    nil,
		"1010130K001PB9":    nil,
		"2290296M000BA3":    nil,
		"7000000A000PB1":    nil,
		"7000001A000PB8":    nil,
		"5311299B500PB0":    nil,
		"5311299H123PB7":    nil,
		"6290296C042BI1":    nil,
		"6311299E007BI7":    nil,
		"0000000A000PB3":    register.ErrNumberCheck,
		"0000000a000pb2":    register.ErrNumberShape,
		"0000000A000PB":     register.ErrNumberShape,
		"0000000A000PB22":   register.ErrNumberShape,
		"A000000A000PB2":    register.ErrNumberShape,
		"00000000000PB2":    register.ErrNumberShape,
		"0000000А000РВ2":    register.ErrNumberShape, // Cyrillic, not folded
		"":                  register.ErrNumberShape,
		"0000000A000PB\x00": register.ErrNumberShape,
	} {
		if err := register.CheckNumber(s); !errors.Is(err, want) {
			t.Errorf("CheckNumber(%q) = %v, want %v", s, err, want)
		}
	}
}

func TestANumberIsFoldedToOneSpelling(t *testing.T) {
	for _, s := range []string{
		"0000000A000PB2", "0000000a000pb2", " 0000000 A 000 PB 2 ", "0000000-A-000-PB-2",
		"0000000А000РВ2", "0000000а000рв2", "0000000\u00a0A000\u2011PB2",
	} {
		if got := register.FoldNumber(s); got != "0000000A000PB2" {
			t.Errorf("FoldNumber(%q) = %q", s, got)
		}
	}
}
