package dispute

// Queries are those that read disputes, by the index that each goes by.
var Queries = map[string]struct {
	SQL  string
	Args []any
}{
	"dispute_person":  {disputes, []any{""}},
	"dispute_waiting": {waiting, nil},
}
