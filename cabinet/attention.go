package cabinet

import (
	"time"

	"asoba.example/cabinet/contact"
	"asoba.example/cabinet/journal"
	"asoba.example/provider/api"
)

// newsFor is how long an entry of the journal is worth a look for itself.
const newsFor = 7 * 24 * time.Hour

// A matter is what the citizen should look at, or see to.
type matter struct {
	Name  string // the rest of its words' keys, after "attention."
	Word  string // key of what the entry of the journal says, which it is then
	Field string // key of the value that it is about; "" for none
	To    string
	At    time.Time // the last time
	Count int       // of those that are counted
}

// attention gives what needs the citizen's, by the news in the journal, newest first, what was told of how to reach them, and the level of the
// sign-in. What they do not recognise they have seen to.
func (c *Cabinet) attention(latest []journal.News, given contact.Contact, acr string) (all []matter) {
	seen := map[journal.Kind]bool{}
	for _, e := range latest {
		seen[e.Kind] = true
		switch {
		case e.ReportedAt != nil, e.Kind == "phone_change.cancelled":
		case e.Kind == "sign_in.refused":
			if e.Detail["browser"] != "known" { // those are their own slips
				all = append(all, matter{Name: "refused", To: "/journal?about=" + string(journal.SignIns), At: e.At, Count: e.Times})
			}
		case e.Kind == "phone_change.asked":
			if !seen["phone_change.cancelled"] && !seen["phone.changed"] {
				all = append(all, matter{Name: "phone", To: c.securityPage(), At: e.At})
			}
		case e.Kind == journal.ProfileChanged:
			all = append(all, matter{Name: "changed", To: "/profile", At: e.At})
		case e.Kind == journal.DisputeAnswered:
			field := e.Detail["field"]
			all = append(all, matter{Name: "answered", Field: fieldWord(field), To: "/profile/values/" + field, At: e.At})
		default:
			all = append(all, matter{Name: "entry", Word: "kind." + string(e.Kind), To: "/journal/" + e.ID.String(), At: e.At})
		}
	}
	if acr == api.Low {
		all = append(all, matter{Name: "level", To: c.securityPage()})
	}
	if given.Email == "" && given.Phone == "" {
		all = append(all, matter{Name: "contact", To: "/settings"})
	}
	return all
}
