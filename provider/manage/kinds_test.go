package manage_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/uuid"

	"asoba.example/provider/audit"
	"asoba.example/provider/manage"
)

// The document tells all kinds of events; and of the feed those that it gives, and no others: one event of each kind is recorded, and what comes is read.
func TestTheFeedGivesTheKindsThatAreDocumented(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all []audit.Event
	for _, kind := range audit.Kinds {
		all = append(all, audit.Event{Kind: kind, At: noon, Person: uuid.New()})
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
				Kind  struct{ Enum []audit.Kind }
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
	if got := document.Components.Schemas.Kind.Enum; !slices.Equal(got, audit.Kinds) {
		t.Errorf("the document tells\n%q\nthere are\n%q", got, audit.Kinds)
	}
	want := document.Components.Schemas.Entry.Properties.Kind.Enum
	slices.Sort(got)
	slices.Sort(want)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("the feed gives\n%q\nthe document says\n%q", got, want)
	}
}
