package cmd_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"asoba.example/migrations/debian"
)

// A browser is a Chromium with a profile of its own, so one that nobody has seen before.
// It does what a person does: opens, fills, presses, reads.
type browser struct {
	t   *testing.T
	ctx context.Context
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	return startBrowser(t, chromedp.Flag("disable-back-forward-cache", true)) // Back asks anew, as it does where memory is short
}

// startBrowser is newBrowser, by options of one's own.
func startBrowser(t *testing.T, own ...chromedp.ExecAllocatorOption) *browser {
	t.Helper()
	// The browser keeps a socket in it, of whose path the system takes 107 bytes (unix(7)); TempDir has the test's long name in its own.
	dir, err := os.MkdirTemp("", "b") //nolint:usetesting // as said above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) }) // what the browser leaves there goes with the test
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)),
		chromedp.NoSandbox, // Debian's Chromium will not sandbox for root
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("accept-lang", "en"),
		chromedp.Env("TMPDIR="+dir),
	)
	allocator, release := chromedp.NewExecAllocator(t.Context(), append(options, own...)...)
	t.Cleanup(release)
	tab, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(tab, 2*time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil { // there is no page to show yet
		t.Fatalf("start the browser: %v", err)
	}
	return &browser{t, ctx}
}

// scriptless has the browser run no page's scripts.
func (b *browser) scriptless() { b.t.Helper(); b.scripts(false) }

// scripts sets whether it runs them.
func (b *browser) scripts(run bool) {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !run}); err != nil {
		b.t.Fatal(err)
	}
}

// slow has the browser hear nothing earlier than so many milliseconds after it has asked.
func (b *browser) slow(latency float64) { b.t.Helper(); b.line(network.Conditions{Latency: latency}) }

// line sets what the browser's line is like.
func (b *browser) line(is network.Conditions) {
	b.t.Helper()
	is.DownloadThroughput, is.UploadThroughput = -1, -1 // as fast as it goes
	b.do("set the line", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, t, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{&is},
		})
		return err
	}))
}

// chromium finds the browser, installs Debian's as root, or says in one line what to install.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	say := func(line string) { t.Log(line) }
	if err := debian.Install(t.Context(), say, "chromium"); err != nil {
		t.Fatal(err)
	}
	return "/usr/bin/chromium"
}

func (b *browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.page())
	}
}

// open goes to an address; the answer may be any status.
func (b *browser) open(address string) {
	b.t.Helper()
	b.do("open "+address, chromedp.Navigate(address))
}

// fill types into the field a password manager would fill: username, current-password, new-password, one-time-code.
// What Clear changes of a field chromedp.SendKeys reads without a lock.
func (b *browser) fill(autocomplete, value string) {
	b.t.Helper()
	all := chromedp.CSSAll(`input[autocomplete~="` + autocomplete + `"]`)
	fields, err := chromedp.Run(b.ctx, chromedp.QueryNodeIDs(all, chromedp.AtLeast(0)))
	if err != nil || len(fields) == 0 {
		b.t.Fatalf("no field for %s: %v\n%s", autocomplete, err, b.page())
	}
	for i := range fields { // both fields, where a value is repeated
		b.do("fill "+autocomplete, chromedp.Clear(fields[i:i+1]), chromedp.Focus(fields[i:i+1]), chromedp.KeyEvent(value))
	}
}

// press presses what the selector names and waits for the page it leads to.
func (b *browser) press(selector string) {
	b.t.Helper()
	if _, err := chromedp.RunResponse(b.ctx, chromedp.Click(chromedp.CSS(selector))); err != nil {
		b.t.Fatalf("press %s: %v\n%s", selector, err, b.page())
	}
}

// submit presses the page's one primary button.
func (b *browser) submit() {
	b.t.Helper()
	b.press(`main form button[type="submit"]`)
}

// decide presses a choice.
func (b *browser) decide(decision string) {
	b.t.Helper()
	b.press(`button[name="decision"][value="` + decision + `"]`)
}

// see fails unless the page comes to show every one of the texts: right after its address it may be empty still.
func (b *browser) see(texts ...string) {
	b.t.Helper()
	eventually(b.t, "the page", func() error {
		page := b.page()
		for _, text := range texts {
			if !strings.Contains(page, text) {
				return fmt.Errorf("it does not say %q\n%s", text, page)
			}
		}
		return nil
	})
}

// at fails unless the address starts so.
func (b *browser) at(prefix string) {
	b.t.Helper()
	if location := b.location(); !strings.HasPrefix(location, prefix) {
		b.t.Fatalf("the browser is at %s, want %s\n%s", location, prefix, b.page())
	}
}

func (b *browser) location() string {
	location, err := chromedp.Run(b.ctx, chromedp.Location())
	if err != nil {
		b.t.Fatalf("location: %v", err)
	}
	return location
}

// page is the text of the page, with its address, as a person would read it.
func (b *browser) page() string {
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}
