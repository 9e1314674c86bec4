package page

import "fmt"

// A Field of a form, for {{template "input" …}} and {{template "select" …}}.
type Field struct {
	Name, Label, Hint, Error string
	Type, Value              string
	Autocomplete, InputMode  string
	Width                    string // in characters: 2, 3, 4, 5, 10, 20; "" for the whole width
	Options                  []Option
	DescribedBy              string
}

// An Option of a select.
type Option struct{ Value, Text string }

// field reads {{field . "name" "option" value …}}. Options: label, hint (keys of words), value, type, autocomplete,
// inputmode, width, options. What can be told from the autocomplete token is.
func (s *Site) field(sheet Sheet, language, name string, args []any) (Field, error) {
	f := Field{Name: name, Type: "text"}
	label, hint := "field."+name, "field."+name+".hint"
	if !s.known[hint] {
		hint = ""
	}
	if len(args)%2 != 0 {
		return f, fmt.Errorf("field %s: an option without a value", name)
	}
	for i := 0; i < len(args); i += 2 {
		option, value := args[i], fmt.Sprint(args[i+1])
		switch option {
		case "label":
			label = value
		case "hint":
			hint = value
		case "value":
			f.Value = sheet.typed(name, value)
		case "type":
			f.Type = value
		case "autocomplete":
			f.Autocomplete = value
		case "inputmode":
			f.InputMode = value
		case "width":
			f.Width = value
		case "options":
			options, ok := args[i+1].([]Option)
			if !ok {
				return f, fmt.Errorf("field %s: options are %T", name, args[i+1])
			}
			f.Options = options
		default:
			return f, fmt.Errorf("field %s: no option %q", name, option)
		}
	}
	switch f.Autocomplete {
	case "current-password", "new-password":
		f.Type = "password"
	case "one-time-code":
		f.InputMode, f.Width = "numeric", "10"
	case "tel":
		f.Type, f.Width = "tel", "20"
	}
	var err error
	if f.Label, err = s.word(language, label, nil); err != nil {
		return f, err
	}
	if hint != "" {
		if f.Hint, err = s.word(language, hint, nil); err != nil {
			return f, err
		}
		f.DescribedBy = name + "-hint"
	}
	for _, e := range sheet.Errors {
		if e.Field == name {
			f.Error = e.Text
			if f.DescribedBy != "" {
				f.DescribedBy += " "
			}
			f.DescribedBy += name + "-error"
			break
		}
	}
	return f, nil
}
