// Package pagetest holds rooms that show pages to their words and to the form of good pages.
package pagetest

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"asoba.example/provider/page"
)

// forms are the plurals that a language has (CLDR); a word that counts has all of them.
var forms = map[string][]string{
	"ru": {"few", "many", "one", "other"},
	"be": {"few", "many", "one", "other"},
	"en": {"one", "other"},
}

// foreign are letters that a language does not have: a word that has one was not translated, or mistyped.
var foreign = map[string]*regexp.Regexp{
	"ru": regexp.MustCompile(`[іўІЎ]`),
	"be": regexp.MustCompile(`[ищъИЩЪ]`),
	"en": regexp.MustCompile(`\p{Cyrillic}`),
}

var (
	placeholder = regexp.MustCompile(`\{\{\.(\w+)\}\}`)
	quoted      = regexp.MustCompile(`"([a-z][a-z0-9._-]*)"`)
	field       = regexp.MustCompile(`field \. "([^"]+)"`)
)

// Words holds the words of the room whose directory is dir ("." from its own test) to this: every key stands in
// every language, with the same placeholders, in that language's letters and plurals; each is used by the room's
// templates or code; and every key that its code names exists.
func Words(t *testing.T, dir string) {
	t.Helper()
	room := read(t, os.DirFS(dir))
	shared := read(t, page.Own().FS)
	named, used := namedInCode(t, dir), namedInTemplates(t, dir)
	for key := range room["ru"] {
		check(t, room, key)
		if !used.has(key) && !named.literals.has(key) {
			t.Errorf("%q: nothing uses it", key)
		}
	}
	for _, language := range page.Languages {
		for key := range room[language] {
			if _, ok := room["ru"][key]; !ok {
				t.Errorf("%q: stands in %s and not in ru", key, language)
			}
		}
	}
	for key, at := range named.keys {
		_, ours := room["ru"][key]
		_, everybodys := shared["ru"][key]
		if !ours && !everybodys {
			t.Errorf("%s: no word %q", at, key)
		}
	}
}

// check compares one word in the three languages.
func check(t *testing.T, room words, key string) {
	t.Helper()
	var want []string
	for _, language := range page.Languages {
		word, ok := room[language][key]
		if !ok {
			t.Errorf("%q: missing in %s", key, language)
			continue
		}
		if _, plain := word[""]; !plain && !slices.Equal(slices.Sorted(maps.Keys(word)), forms[language]) {
			t.Errorf("%q in %s: has the plurals %v, want %v", key, language, slices.Sorted(maps.Keys(word)), forms[language])
		}
		var got []string
		for _, text := range word {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%q in %s: says nothing", key, language)
			}
			if letter := foreign[language].FindString(text); letter != "" {
				t.Errorf("%q in %s: %q has the letter %s", key, language, text, letter)
			}
			for _, m := range placeholder.FindAllStringSubmatch(text, -1) {
				got = append(got, m[1])
			}
		}
		slices.Sort(got)
		got = slices.Compact(got)
		if language == page.Languages[0] {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q in %s: has the placeholders %v, want %v", key, language, got, want)
		}
	}
}

// words are texts by language, key and plural; a word that does not count has the plural "".
type words map[string]map[string]map[string]string

func read(t *testing.T, room fs.FS) words {
	t.Helper()
	all := words{}
	for _, language := range page.Languages {
		all[language] = map[string]map[string]string{}
		text, err := fs.ReadFile(room, "words/"+language+".json")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var keys map[string]json.RawMessage
		if err := json.Unmarshal(text, &keys); err != nil {
			t.Fatalf("%s: %v", language, err)
		}
		for key, raw := range keys {
			var plain string
			plurals := map[string]string{}
			if json.Unmarshal(raw, &plain) == nil {
				plurals[""] = plain
			} else if err := json.Unmarshal(raw, &plurals); err != nil {
				t.Fatalf("%q in %s: neither a text nor texts by plural", key, language)
			}
			all[language][key] = plurals
		}
	}
	return all
}

// used are keys, and beginnings of keys that the rest is added to ("state."). A word that is used may have a title.
type used map[string]bool

func (u used) has(key string) bool {
	if u[key] || u[strings.TrimSuffix(key, ".title")] {
		return true
	}
	for i := range key {
		if key[i] == '.' && u[key[:i+1]] {
			return true
		}
	}
	return false
}

func namedInTemplates(t *testing.T, dir string) used {
	t.Helper()
	// The layout's own, which every program brings.
	all := used{"site.name": true, "site.help": true}
	for _, folder := range []string{"pages", "parts"} {
		files, err := filepath.Glob(filepath.Join(dir, folder, "*.html"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			all[strings.TrimSuffix(filepath.Base(file), ".html")+".title"] = true
			for _, m := range quoted.FindAllSubmatch(text, -1) {
				all[string(m[1])] = true
			}
			for _, m := range field.FindAllSubmatch(text, -1) {
				all["field."+string(m[1])], all["field."+string(m[1])+".hint"] = true, true
			}
		}
	}
	return all
}

type inCode struct {
	literals used              // every string of the code: keys are passed about
	keys     map[string]string // those that are surely keys, and where they stand
}

// namedInCode reads the Go files of a room and of those within it that have no words of their own.
func namedInCode(t *testing.T, dir string) inCode {
	t.Helper()
	code := inCode{used{}, map[string]string{}}
	files := token.NewFileSet()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && path != dir {
			if _, own := os.Stat(filepath.Join(path, "words")); own == nil {
				return fs.SkipDir
			}
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		key := func(e ast.Expr) {
			if s, ok := text(e); ok {
				code.keys[s] = files.Position(e.Pos()).String()
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if s, ok := text(n); ok {
					code.literals[s] = true
				}
			case *ast.KeyValueExpr:
				if name, ok := n.Key.(*ast.Ident); ok && name.Name == "Word" {
					key(n.Value)
				}
			case *ast.CallExpr:
				f, ok := n.Fun.(*ast.SelectorExpr)
				if !ok || len(n.Args) != 3 {
					break
				}
				from, _ := f.X.(*ast.Ident)
				if f.Sel.Name == "Say" || f.Sel.Name == "Refuse" && from != nil && from.Name == "page" {
					key(n.Args[1])
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// text is the value of a string written in the code.
func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}
