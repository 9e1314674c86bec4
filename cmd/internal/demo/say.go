package demo

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"asoba.example/cmd/internal/demo/cast"
)

// A teller tells the person at the terminal how far it is.
type teller struct {
	begun time.Time

	mu    sync.Mutex // keeps lines whole
	out   io.Writer
	steps int
}

func newTeller(out io.Writer) *teller { return &teller{begun: time.Now(), out: out} }

// step names what is being done now, on one growing line.
func (t *teller) step(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.steps++; t.steps == 1 {
		fmt.Fprint(t.out, "\nStarting: ", name)
		return
	}
	fmt.Fprint(t.out, ", ", name)
}

// line says something on a line of its own.
func (t *teller) line(text string) {
	t.end()
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintln(t.out, text)
}

// end ends the growing line, if there is one.
func (t *teller) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.steps > 0 {
		fmt.Fprintln(t.out)
		t.steps = 0
	}
}

// welcome says what to open and whom to sign in as.
func (d *demo) welcome() {
	took := time.Since(d.say.begun).Round(100 * time.Millisecond)
	d.say.line("")
	t := tabwriter.NewWriter(d.say.out, 0, 0, 3, ' ', 0)
	at := d.addresses()
	fmt.Fprintf(t, "Ready in %s. Open\n\n", took)
	fmt.Fprintf(t, "  %s\tthe workbench: people, their phones, clients\n", at.Workbench)
	fmt.Fprintf(t, "  %s\tan e-service to sign in at\n", at.EService)
	fmt.Fprintf(t, "  %s\tthe personal cabinet\n", at.Cabinet)
	fmt.Fprintf(t, "  %s/security\tpassword and block, at the provider\n", at.Issuer)
	fmt.Fprintf(t, "  %s/desk\tthe desk\n", at.Workbench)
	_ = t.Flush()
	fmt.Fprint(d.say.out, "\nand sign in as\n\n")
	for _, who := range []struct {
		as    string
		suits func(p cast.Person, state string) bool
	}{
		{"a citizen", func(p cast.Person, state string) bool { return state == "active" && p.Role == "" }},
		{"a citizen, for the first time", func(_ cast.Person, state string) bool { return state == "temporary" }},
		{"a clerk, at the desk", func(p cast.Person, state string) bool { return state == "active" && p.AtDesk() }},
	} {
		for _, p := range cast.All() {
			password := d.bench.Password(p)
			if password != "" && who.suits(p, d.follower.Of(p.IdentificationNumber).State) {
				fmt.Fprintf(t, "  %s\t%s\t%s\n", p.IdentificationNumber, password, who.as)
				break
			}
		}
	}
	_ = t.Flush()
	fmt.Fprint(d.say.out, d.missing())
	if d.idp.Relaxed {
		fmt.Fprintln(d.say.out, "\nLimits on attempts, SMS and clients are lifted, and outgoing calls to this machine are allowed (--relaxed).")
	}
	fmt.Fprintf(d.say.out, "\nThe programs' log is %s. Ctrl-C ends everything%s.\n", filepath.Join(d.dir, "log"), d.fate())
}

// missing says of how many people the data does not know: an earlier version of the demo brought its register.
func (d *demo) missing() string {
	missing := slices.DeleteFunc(cast.All(), func(p cast.Person) bool { return d.follower.Met(p.IdentificationNumber) })
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf("\nAn earlier version of the demo made %s: of the people on the workbench %d are not in it. A new directory has everybody.\n", d.dir, len(missing))
}

// fate says what becomes of it all.
func (d *demo) fate() string {
	if d.Data != "" {
		return "; the data is kept"
	}
	return " and throws the data away (--data DIR keeps it)"
}
