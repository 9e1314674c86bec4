package settings

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// Help is the manual of the settings: name, default and comment of each field of
// the struct Config in a Go source file, which the program embeds.
func Help(source string) (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", source, parser.ParseComments)
	if err != nil {
		return "", fmt.Errorf("read the comments of Config: %w", err)
	}
	var fields []*ast.Field
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "Config" {
			return true
		}
		if body, ok := spec.Type.(*ast.StructType); ok {
			fields = body.Fields.List
		}
		return false
	})

	var help strings.Builder
	names := map[string]string{} // of Go: in the environment
	for _, field := range fields {
		if name, _, _ := tags(field); name != "" {
			names[field.Names[0].Name] = name
		}
	}
	for _, field := range fields {
		name, standard, required := tags(field)
		if name == "" {
			continue
		}
		switch {
		case required:
			fmt.Fprintf(&help, "%s (required)\n", name)
		case standard != "":
			fmt.Fprintf(&help, "%s (default %s)\n", name, standard)
		default:
			fmt.Fprintf(&help, "%s\n", name)
		}
		for line := range strings.Lines(spoken(field.Doc.Text(), field.Names[0].Name, names)) {
			help.WriteString("    " + line)
		}
		help.WriteString("\n")
	}
	help.WriteString("Any setting NAME may instead stand in a file that NAME_FILE names: use that for secrets.\n")
	return help.String(), nil
}

// tags gives a field's name in the environment, its default, and whether it must be set.
func tags(field *ast.Field) (name, standard string, required bool) {
	if field.Tag == nil || len(field.Names) == 0 {
		return "", "", false
	}
	text, err := strconv.Unquote(field.Tag.Value)
	if err != nil {
		return "", "", false
	}
	tag := reflect.StructTag(text)
	name, options, _ := strings.Cut(tag.Get("env"), ",")
	return name, tag.Get("envDefault"), strings.Contains(options, "required") || strings.Contains(options, "notEmpty")
}

// compound is a Go name that is no English word.
var compound = regexp.MustCompile(`\b[A-Z]+[a-z]+[A-Z]\w*|\b[A-Z]{2,}[a-z]\w*`)

// spoken puts the environment's names where the comment has Go's.
func spoken(doc, field string, names map[string]string) string {
	if rest, ok := strings.CutPrefix(doc, field+" "); ok {
		doc = names[field] + " " + rest
	}
	return compound.ReplaceAllStringFunc(doc, func(word string) string {
		if name, ok := names[word]; ok {
			return name
		}
		return word
	})
}
