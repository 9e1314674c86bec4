package deskpage

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"asoba.example/cmd/internal/demo/management"
	"asoba.example/provider/page"
)

// A kept scan is the last that was brought to an act: which it is of those of the act, and how many there may come to be.
type kept struct {
	Number, Most int
}

// keepScan has a scan kept with an act.
func (v *visit) keepScan(r *http.Request, act string, scan []byte) (k kept, refused *management.Refusal, err error) {
	answer, err := v.api.Send(r.Context(), http.MethodPut, paperOf(act), "application/octet-stream", bytes.NewReader(scan))
	if refused, err = refusal(err); err != nil || refused != nil {
		if refused != nil && refused.Code == "too_many_papers" && v.supervises { // whom there is nobody above
			refused.Code = "no_more_papers"
		}
		return kept{}, refused, err
	}
	defer answer.Body.Close()
	err = json.NewDecoder(answer.Body).Decode(&k)
	return k, nil, err
}

// paperOf is where the API keeps the paper of an act.
func paperOf(act string) string { return "/desk/acts/" + url.PathEscape(act) + "/paper" }

// uploaded is the file that a form brings.
func uploaded(r *http.Request) ([]byte, error) {
	file, _, err := r.FormFile("paper")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(file)
	if err == nil && len(content) == 0 {
		err = errors.New("an empty file")
	}
	return content, err
}

// A search is for the scans of an act of the office, by its number.
type search struct {
	Act, Number, Purpose string
	Refused              *management.Refusal // the last time
	Kept                 kept
}

// wrong says what was refused.
func (s search) wrong() []page.FieldError {
	return wrong(s.Refused, map[string]string{
		"unknown_act": "act", "no_paper": "act",
		"not_a_scan": "paper", "too_large": "paper", "no_more_papers": "paper", "no_file": "paper",
	})
}

// scans is how many scans an act may come to have, for the choice of one.
const scans = 10

// papers handles GET /desk/papers: a supervisor reads what was signed, and keeps another scan of it; an auditor reads.
func (d *Page) papers(w http.ResponseWriter, r *http.Request, v *visit) error {
	d.mu.Lock()
	s := v.search
	d.mu.Unlock()
	numbers := []page.Option{{Text: d.Site.Say(d.Site.Language(r), "papers.newest", nil)}}
	for n := range scans {
		numbers = append(numbers, page.Option{Value: strconv.Itoa(n + 1), Text: strconv.Itoa(n + 1)})
	}
	return d.show(w, r, page.View{Name: "papers", Back: "/desk", Errors: told(r, s.wrong()), Script: "desk.js", Data: struct {
		Search            search
		Numbers, Purposes []page.Option
		Keeps             bool
	}{s, numbers, d.purposes(r), v.supervises && !v.oversees}})
}

// paper handles POST /desk/papers. What is read comes as a file, and the page stays.
func (d *Page) paper(w http.ResponseWriter, r *http.Request, v *visit) error {
	written := func(name string) string { return strings.TrimSpace(r.PostFormValue(name)) }
	s := search{Act: written("act"), Number: written("number"), Purpose: written("purpose")}
	scan, err := uploaded(r)
	d.look(v, s)
	switch {
	case !v.token.Valid():
		again(w, r, "/desk/papers?"+unsent)
		return nil
	case written("decision") == "read":
		asked := url.Values{"purpose": {s.Purpose}}
		if s.Number != "" {
			asked.Set("number", s.Number)
		}
		return d.print(w, r, v, http.MethodGet, paperOf(s.Act)+"?"+asked.Encode(), nil, func(refused *management.Refusal) error {
			s.Refused = refused
			return d.found(w, r, v, s)
		})
	case err != nil:
		s.Refused = &management.Refusal{Code: "no_file"}
	default:
		if s.Kept, s.Refused, err = v.keepScan(r, s.Act, scan); err != nil {
			return err
		}
	}
	return d.found(w, r, v, s)
}

// look remembers a search, and found shows it.
func (d *Page) look(v *visit, s search) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v.search = s
}

func (d *Page) found(w http.ResponseWriter, r *http.Request, v *visit, s search) error {
	d.look(v, s)
	http.Redirect(w, r, "/desk/papers", http.StatusSeeOther)
	return nil
}
