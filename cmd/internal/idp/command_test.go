package idp

import (
	"bytes"
	"strings"
	"testing"
)

// A command that there is not is refused, at every depth; a group alone tells what it has.
func TestUnknownCommandsAreRefused(t *testing.T) {
	t.Parallel()
	if err := Run(t.Context(), nil, nil, new(bytes.Buffer), "nonsense"); err == nil {
		t.Error("idp nonsense went well")
	}
	for _, group := range []string{"client", "clerk", "block", "key", "register", "policy", "audit"} {
		if err := Run(t.Context(), nil, nil, new(bytes.Buffer), group, "nonsense"); err == nil || !strings.Contains(err.Error(), "nonsense") {
			t.Errorf("idp %s nonsense: got %v", group, err)
		}
		var help bytes.Buffer
		if err := Run(t.Context(), nil, nil, &help, group); err != nil || !strings.Contains(help.String(), "Available Commands") {
			t.Errorf("idp %s: %v\n%s", group, err, &help)
		}
	}
}

// A value rests on a document: who leaves that out is told so before the house is opened.
func TestAValueIsProposedOnADocument(t *testing.T) {
	t.Parallel()
	err := Run(t.Context(), nil, nil, new(bytes.Buffer), "policy", "propose", "desk.clerk", "100", "--by", "x")
	const want = "required flag(s) \"date\", \"number\", \"title\" not set\nusage: idp policy propose NAME VALUE [flags]"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Who restores somebody on an act whose number is none is told what one looks like, before the house is opened.
func TestARestorationRestsOnTheNumberOfAnAct(t *testing.T) {
	t.Parallel()
	for _, number := range []string{"court 7", "No 7", "seven", "+375291234567", "1010130K001PB9"} {
		err := Run(t.Context(), nil, nil, new(bytes.Buffer), "register", "restore", "propose", "--by", "x", "--person", "y", "--number", number, "--date", "2026-01-02")
		const want = "--number, --date: not the number and the date of a paper: its number is one word with a digit in it, as 12-5/2026, " +
			"and nobody's phone or identifier, and its date has come"
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", number, err, want)
		}
	}
	var help bytes.Buffer
	if err := Run(t.Context(), nil, nil, &help, "register", "restore", "propose", "--help"); err != nil || !strings.Contains(help.String(), "one word with a digit in it, as 12-5/2026") {
		t.Errorf("%v: %s", err, &help)
	}
}
