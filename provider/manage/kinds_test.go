package manage_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/uuid"

	"asoba.example/provider/audit"
	"asoba.example/provider/manage"
)

// The document tells the kinds that the feed gives, and no others: one event of each kind there is is recorded, and what comes is read.
func TestTheFeedGivesTheKindsThatAreDocumented(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	source, err := os.ReadFile("../audit/audit.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []audit.Event
	for _, kind := range regexp.MustCompile(`\bKind = "([^"]+)"`).FindAllSubmatch(source, -1) {
		all = append(all, audit.Event{Kind: audit.Kind(kind[1]), At: noon, Person: uuid.New()})
	}
	if len(all) < 80 {
		t.Fatalf("%d kinds are found", len(all))
	}
	if err := audit.Record(t.Context(), w.pool, all...); err != nil {
		t.Fatal(err)
	}
	w.seal(t)
	entries, _, err := w.feed.After(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, len(entries))
	for i, e := range entries {
		got[i] = string(e.Kind)
	}

	var document struct {
		Components struct {
			Schemas struct {
				Entry struct {
					Properties struct {
						Kind struct{ Enum []string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(manage.Document, &document); err != nil {
		t.Fatal(err)
	}
	want := document.Components.Schemas.Entry.Properties.Kind.Enum
	slices.Sort(got)
	slices.Sort(want)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("the feed gives\n%q\nthe document says\n%q", got, want)
	}
}
