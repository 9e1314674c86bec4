package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	textparser "github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

// Languages of the pages. The first is spoken to those who ask for none of them.
var Languages = [...]string{"ru", "be", "en"}

// readWords takes the words of all rooms; a key belongs to one room and stands in every language.
func (s *Site) readWords(rooms []Room) error {
	var wrong []error
	bundle := i18n.NewBundle(language.MustParse(Languages[0]))
	s.known, s.words = map[string]bool{}, map[string]*i18n.Localizer{}
	for _, room := range rooms {
		in := map[string]int{} // in how many languages a key stands
		for _, tongue := range Languages {
			text, err := fs.ReadFile(room.FS, "words/"+tongue+".json")
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			messages, err := bundle.ParseMessageBytes(language.MustParse(tongue), text, json.Unmarshal)
			if err != nil {
				return fmt.Errorf("%s: %w", tongue, err)
			}
			for _, m := range messages {
				in[m.ID]++
			}
		}
		for key, n := range in {
			if s.known[key] {
				wrong = append(wrong, fmt.Errorf("%q: two rooms bring it", key))
			}
			if n != len(Languages) {
				wrong = append(wrong, fmt.Errorf("%q: missing in a language", key))
			}
			s.known[key] = true
		}
	}
	for _, tongue := range Languages {
		s.words[tongue] = i18n.NewLocalizer(bundle, tongue)
	}
	return errors.Join(wrong...)
}

// wordParser refuses a word whose argument was not given, rather than saying "<no value>".
var wordParser = &textparser.TextParser{Option: "missingkey=error"}

// Say gives a word in a language, for texts that are not pages: SMS. Rooms' tests hold that every key they name
// is there (pagetest), so an unknown one is a fault of the program and panics.
func (s *Site) Say(language, key string, args map[string]any) string {
	text, err := s.word(language, key, args)
	if err != nil {
		panic(err)
	}
	return text
}

// Has tells whether there is a word of a key.
func (s *Site) Has(key string) bool { return s.known[key] }

// say takes the arguments as templates give them: name, value, name, value.
func (s *Site) say(language, key string, pairs []any) (string, error) {
	args := map[string]any{}
	if len(pairs)%2 != 0 {
		return "", fmt.Errorf("%s: an argument without a value", key)
	}
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return "", fmt.Errorf("%s: the name of an argument is a %T", key, pairs[i])
		}
		args[name] = pairs[i+1]
	}
	return s.word(language, key, args)
}

func (s *Site) word(language, key string, args map[string]any) (string, error) {
	localizer := s.words[language]
	if localizer == nil {
		localizer = s.words[Languages[0]]
	}
	text, err := localizer.Localize(&i18n.LocalizeConfig{
		MessageID: key, TemplateData: args, PluralCount: args["Count"], TemplateParser: wordParser,
	})
	if err != nil {
		return "", fmt.Errorf("word %q in %s: %w", key, language, err)
	}
	return text, nil
}

// keysNamedIn lists the keys that a template names in so many words: t "key", and the labels of fields.
func keysNamedIn(t *template.Template) []string {
	if t.Tree == nil {
		return nil
	}
	return keysNamedUnder(t.Tree.Root)
}
