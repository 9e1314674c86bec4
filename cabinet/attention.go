package cabinet

import (
	"time"

	"asoba.example/cabinet/contact"
	"asoba.example/cabinet/journal"
	"asoba.example/provider/api"
)

const (
	// newsFor is how long an entry of the journal is worth a look for itself.
	newsFor = 7 * 24 * time.Hour
	// mostNews is how many such entries are looked at.
	mostNews = 100
)

// A matter is what the citizen should look at, or see to.
type matter struct {
	Name  string // the rest of its words' keys, after "attention."
	Word  string // key of what the entry of the journal says, which it is then
	To    string
	At    time.Time // the last time
	Count int       // of those that are counted
}

// attention gives what needs the citizen's, by the latest entries of the journal, newest first, what was told of how to reach them, and the level
// of the sign-in. What they do not recognise they have seen to.
func (c *Cabinet) attention(latest []journal.Entry, given contact.Contact, acr string) (all []matter) {
	seen := map[journal.Kind]bool{}
	refused := -1 // its index
	for _, e := range latest {
		first := !seen[e.Kind]
		seen[e.Kind] = true
		switch {
		case e.ReportedAt != nil:
		case e.Kind == "sign_in.refused":
			if e.Detail["browser"] == "known" { // their own slips
				continue
			}
			if refused < 0 {
				refused = len(all)
				all = append(all, matter{Name: "refused", To: "/journal?about=" + string(journal.SignIns), At: e.At})
			}
			all[refused].Count++
		case !first, e.Kind == "phone_change.cancelled":
		case e.Kind == "phone_change.asked":
			if !seen["phone_change.cancelled"] && !seen["phone.changed"] {
				all = append(all, matter{Name: "phone", To: c.securityPage(), At: e.At})
			}
		case e.Kind == journal.ProfileChanged:
			all = append(all, matter{Name: "changed", To: "/profile", At: e.At})
		default:
			all = append(all, matter{Name: "entry", Word: "kind." + string(e.Kind), To: "/journal/" + e.ID.String(), At: e.At})
		}
	}
	if acr == api.Low {
		all = append(all, matter{Name: "level", To: c.securityPage()})
	}
	if given.Email == "" && given.Phone == "" {
		all = append(all, matter{Name: "contact", To: "/profile/contact"})
	}
	return all
}
