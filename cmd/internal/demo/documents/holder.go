package documents

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/provider/api"
)

// Source is the register, at an address, as the cabinet's CABINET_SOURCES names it.
func Source(at string) string {
	type words map[string]string
	text, _ := json.Marshal([]any{struct { // of strings alone, which always marshal
		Name   string   `json:"name"`
		Title  words    `json:"title"`
		Basis  words    `json:"basis"`
		URL    string   `json:"url"`
		Values []string `json:"values"`
	}{
		Name:   "document_register",
		Title:  words{"ru": "Реестр документов", "be": "Рэестр дакументаў", "en": "Register of documents"},
		Basis:  words{"ru": "приказ №\u00a082, п.\u00a012", "be": "загад №\u00a082, п.\u00a012", "en": "order No. 82, item 12"},
		URL:    at,
		Values: []string{"name_ru", "document_number", "document_valid_till"},
	}})
	return string(text)
}

// Holder handles POST /holders: what the documents of a person say, as far as the cabinet asks. Of one that was lost it tells the name alone.
func Holder(now func() time.Time) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		q, err := api.Decode[struct {
			Number   string   `json:"identification_number"`
			Occasion string   `json:"occasion"`
			Values   []string `json:"values"`
		}](w, r)
		if err != nil {
			return err
		}
		values := map[string]string{}
		for _, p := range cast.All() {
			if p.IdentificationNumber != q.Number {
				continue
			}
			values["name_ru"] = p.Name()
			if !p.DocumentLost {
				values["document_number"], values["document_valid_till"] = p.Document.Number, p.Document.ValidTill
			}
		}
		for name := range values {
			if !slices.Contains(q.Values, name) {
				delete(values, name)
			}
		}
		return api.Write(w, http.StatusOK, struct {
			At     time.Time         `json:"at"`
			Values map[string]string `json:"values"`
		}{now().UTC(), values})
	}
}
