package cmd_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "asoba.example/"

// leaves are what the provider shares with the other rooms. Those that hold no
// key of the provider serve the cabinet too.
var (
	keyless = []string{"provider/answer", "provider/api", "provider/page", "provider/seal", "provider/fetch", "provider/chain", "provider/bulk"}
	leaves  = append(slices.Clone(keyless),
		"provider/audit", "provider/backchannel", "provider/body", "provider/clients", "provider/grant", "provider/keys", "provider/limit", "provider/pair", "provider/session")
)

// directions say which of our packages those of a room may import, besides their
// own. The first line that fits a package holds.
var directions = []struct {
	room string
	may  []string
}{
	{"provider/manage", leaves},
	{"provider/tokens", leaves},
	{"provider/dashboard", append(slices.Clone(leaves), "provider")}, // pages wait at the provider's door
	{"provider/...", leaves},                                         // a leaf knows neither the protocol nor another room
	{"provider", append(slices.Clone(leaves), "provider/tokens")},

	{"login/hashing", nil},
	{"login/register", leaves},
	{"login/identity", append(slices.Clone(leaves), "login/hashing", "login/register", "login/place")},
	{"login/account", append(slices.Clone(leaves), "login/identity", "provider")}, // the provider's Accounts
	{"login/...", append(slices.Clone(leaves), "login/...")},
	{"login", append(slices.Clone(leaves), "login/...", "provider")},
	{"consent/...", append(slices.Clone(leaves), "consent/...", "provider")},
	{"consent", append(slices.Clone(leaves), "consent/...", "provider")},
	{"cabinet/...", append(slices.Clone(keyless), "cabinet/...")},
	{"cabinet", append(slices.Clone(keyless), "cabinet/...")},
	{"migrations/...", []string{"migrations", "migrations/..."}},
	{"migrations", nil},

	// The programs: wiring. The cabinet is apart from the provider in its program
	// too; the sample e-service is what a stranger would write.
	{"cmd/internal/run", []string{"provider/api"}}, // to whose doors it says when the program stops
	{"cmd/internal/settings", nil},
	{"cmd/internal/stores", []string{"migrations"}},
	{"cmd/internal/cabinet", append(slices.Clone(keyless), "cabinet", "cabinet/...", "migrations", "cmd/internal/stores", "cmd/internal/run", "cmd/internal/settings")},
	{"cmd/internal/eservice/...", []string{"cmd/internal/eservice/..."}},
	{"cmd/internal/eservice", []string{"cmd/internal/eservice/...", "cmd/internal/run", "cmd/internal/settings"}},
	{"cmd/internal/idp", []string{
		"provider", "provider/...", "login", "login/...", "consent", "consent/...",
		"migrations", "cmd/internal/stores", "cmd/internal/run", "cmd/internal/settings",
	}},
	{"cmd/internal/demo/...", append(slices.Clone(keyless), "cmd/internal/demo/...")},
	{"cmd/internal/demo", append(slices.Clone(keyless), "cmd/internal/...", "migrations", "migrations/localpg")},
	{"cmd/idp", []string{"cmd/internal/idp"}},
	{"cmd/cabinet", []string{"cmd/internal/cabinet"}},
	{"cmd/eservice", []string{"cmd/internal/eservice"}},
	{"cmd/demo", []string{"cmd/internal/demo"}},
	{"cmd", nil},
}

// aloof are packages of others that only these rooms may import.
var aloof = map[string][]string{
	// A protocol skeleton that nobody maintains: it must be replaceable in one room.
	"github.com/ory/fosite": {"provider", "provider/tokens"},
	// Redis of the demo: its clock does not run by itself.
	"github.com/alicebob/miniredis/v2": {"cmd/internal/demo"},
}

// absent are packages that no program links.
var absent = []string{
	"google.golang.org/grpc",
	module + "migrations/pgtest",
	module + "migrations/redistest",
}

type listed struct {
	ImportPath string
	Name       string
	Imports    []string
	Deps       []string
}

func TestRoomsKeepTheirDirections(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		room := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			for foreign, rooms := range aloof {
				if within(imported, foreign) && !slices.Contains(rooms, room) {
					t.Errorf("%s imports %s, which is for %s only", room, imported, rooms)
				}
			}
		}
		if p.Name == "main" {
			for _, foreign := range absent {
				if i := slices.IndexFunc(p.Deps, func(d string) bool { return within(d, foreign) }); i >= 0 {
					t.Errorf("%s links %s", room, p.Deps[i])
				}
			}
		}
		if strings.HasSuffix(room, "test") {
			continue // help for tests stands where it helps
		}
		i := slices.IndexFunc(directions, func(d struct {
			room string
			may  []string
		},
		) bool {
			return fits(room, d.room)
		})
		if i < 0 {
			t.Errorf("%s has no direction: add it to the table, or find it another place", room)
			continue
		}
		for _, imported := range p.Imports {
			imported, ours := strings.CutPrefix(imported, module)
			if ours && !slices.ContainsFunc(directions[i].may, func(may string) bool { return fits(imported, may) }) {
				t.Errorf("%s imports %s", room, imported)
			}
		}
	}
}

// Goroutines are kept by run alone, and rooms are told the time.
func TestGoAndTheClockAreWrittenWhereTheyBelong(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		room := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), "../"))
		helps := strings.HasSuffix(room, "test")
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: go is written in cmd/internal/run only", files.Position(n.Pos()))
			case *ast.SelectorExpr:
				of, ok := n.X.(*ast.Ident)
				if !ok {
					break
				}
				switch of.Name + "." + n.Sel.Name {
				case "sync.WaitGroup", "errgroup.Group", "errgroup.WithContext", "time.AfterFunc":
					ends := n.Sel.Name == "AfterFunc" && room == "cabinet/follow" // a wait, and begins nothing
					if room != "cmd/internal/run" && !ends {
						t.Errorf("%s: goroutines are kept by cmd/internal/run", files.Position(n.Pos()))
					}
				case "time.Now", "time.Since", "time.Until":
					if !helps && room != "cmd" && !strings.HasPrefix(room, "cmd/") {
						t.Errorf("%s: time is an argument", files.Position(n.Pos()))
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// fits tells whether a package is meant by a name; "login/..." is every room of login.
func fits(room, name string) bool {
	if parent, all := strings.CutSuffix(name, "/..."); all {
		return strings.HasPrefix(room, parent+"/")
	}
	return room == name
}

func within(path, parent string) bool {
	return path == parent || strings.HasPrefix(path, parent+"/")
}

func list(t *testing.T) (all []listed) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Name,Imports,Deps", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
