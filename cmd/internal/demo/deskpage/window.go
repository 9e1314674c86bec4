package deskpage

import (
	"cmp"
	"crypto/rand"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"asoba.example/cmd/internal/demo/cast"
	"asoba.example/cmd/internal/demo/management"
	"asoba.example/provider/page"
)

// A task is an operation for a visitor, or an issuance that somebody goes on with and knows by its paper alone.
type task struct {
	Visitor   cast.Person // nobody, where it is known by its paper
	Operation operation
	Address   string // of its page
	Caption   string // names whom it is for
	Back      string
}

// at is a door of one operation for one visitor.
func (d *Page) at(h func(http.ResponseWriter, *http.Request, *visit, task) error) func(http.ResponseWriter, *http.Request, *visit) error {
	return func(w http.ResponseWriter, r *http.Request, v *visit) error {
		p, known := find(r.PathValue("key"))
		o, possible := findOperation(r.PathValue("operation"))
		if !known || !possible {
			return page.Refuse(http.StatusNotFound, "error.not_found", nil)
		}
		t := task{p, o, address(p, o), d.caption(r, v, p), "/desk/visitors/" + p.Key}
		if on, begun := d.read(v, t); begun && p.Key == other { // another window may have asked about the next one since
			t.Caption = on.Form.Identifier
		}
		return h(w, r, v, t)
	}
}

// address is the page of an operation for a visitor.
func address(p cast.Person, o operation) string { return "/desk/visitors/" + p.Key + "/" + o.Name }

// read gives what is on the desk; where nothing is, an unwritten form.
func (d *Page) read(v *visit, t task) (w work, begun bool) {
	d.mu.Lock()
	w, begun = v.works[t.Address]
	d.mu.Unlock()
	if !begun {
		w.Form = unwritten(d.asked(v, t.Visitor), t)
	}
	return w, begun
}

// put leaves the work on the desk. How the identifier stands is to be asked anew once something was done.
func (d *Page) put(v *visit, t task, done work) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v.works[t.Address] = done
	if l, asked := v.lookups[t.Visitor.Key]; asked && done.Step() == "done" {
		l.Standing = nil
		v.lookups[t.Visitor.Key] = l
	}
}

// leave leaves the work on the desk, and shows it.
func (d *Page) leave(w http.ResponseWriter, r *http.Request, v *visit, t task, done work) error {
	d.put(v, t, done)
	http.Redirect(w, r, t.Address, http.StatusSeeOther)
	return nil
}

// work handles GET /desk/visitors/KEY/OPERATION.
func (d *Page) work(w http.ResponseWriter, r *http.Request, v *visit, t task) error {
	on, _ := d.read(v, t)
	if on.Step() == "done" && on.Visit != "" { // the message may have arrived meanwhile
		var now struct{ SMS string }
		if err := v.api.Call(r.Context(), http.MethodGet, on.Visit, nil, &now); err == nil {
			on.Done.SMS = now.SMS
		}
	}
	language := d.Site.Language(r)
	kinds := []page.Option{}
	for _, kind := range []string{"passport", "id_card", "residence_permit", "refugee_certificate"} {
		kinds = append(kinds, page.Option{Value: kind, Text: d.Site.Say(language, "document."+kind, nil)})
	}
	type attestation struct {
		Value string
		Given bool
	}
	attested := []attestation{}
	for _, a := range t.Operation.Attested {
		attested = append(attested, attestation{a, slices.Contains(on.Form.Attested, a)})
	}
	said := on.wrong(t.Operation)
	return d.show(w, r, page.View{
		Name: "work-" + on.Step(), Title: "operation." + t.Operation.Name, Back: t.Back,
		Errors: told(r, said), Script: "desk.js",
		Data: struct {
			task
			work
			Kinds    []page.Option
			Attested []attestation
			Missing  bool // of what must be attested
		}{t, on, kinds, attested, slices.ContainsFunc(said, func(e page.FieldError) bool { return e.Field == "attested" })},
	})
}

// act handles POST /desk/visitors/KEY/OPERATION: what the clerk decided.
func (d *Page) act(w http.ResponseWriter, r *http.Request, v *visit, t task) error {
	on, _ := d.read(v, t)
	decision := r.PostFormValue("decision")
	switch {
	case decision == "anew" && t.Visitor.Key != "":
		return d.leave(w, r, v, t, work{Form: unwritten(d.asked(v, t.Visitor), t)})
	case decision == "ask" && on.Step() == "form":
		on.Form, on.Key = written(r, t.Operation), cmp.Or(on.Key, rand.Text())
	case (decision == "confirm" || decision == "resend") && on.Step() == "code":
	case decision == "resume" && on.Step() == "pending":
		on.Form.Attested = attested(r, t.Operation)
	case decision == "withdraw" && on.Step() == "pending":
	default: // another window was quicker
		return d.leave(w, r, v, t, on)
	}
	on.Refused = nil
	d.put(v, t, on) // whatever becomes of it, what is written stays
	if !v.token.Valid() {
		again(w, r, t.Address+"?"+unsent)
		return nil
	}
	var err error
	switch decision {
	case "ask":
		err = on.ask(r, v.api, t.Operation)
	case "resend":
		err = on.resend(r, v.api)
	case "resume":
		err = on.resume(r, v.api)
	case "withdraw":
		err = on.withdraw(r, v.api)
	case "confirm":
		err = on.confirm(r, v.api)
	}
	if err != nil {
		return err
	}
	if t.Visitor.Key != "" && on.Refused != nil && slices.Contains([]string{"visit_over", "unknown_visit", "idempotency_key_reused"}, on.Refused.Code) {
		on.Visit, on.Key, on.Done = "", "", outcome{} // to be begun anew, with what is written
	}
	return d.leave(w, r, v, t, on)
}

// ask has the operation done, or a visit opened where a phone is brought.
func (w *work) ask(r *http.Request, api management.Caller, o operation) (err error) {
	var answer struct {
		ID string
		outcome
	}
	api.Key = w.Key
	w.Refused, err = refusal(api.Call(r.Context(), http.MethodPost, o.at, w.Form.body(o), &answer))
	if w.Refused != nil && w.Refused.Code == "invalid" {
		w.Refused.Fields = append(w.Refused.Fields, w.Form.unfilled(o)...)
	}
	if answer.ID != "" {
		w.Visit = o.at + "/" + url.PathEscape(answer.ID)
	}
	w.Done = answer.outcome
	if w.Step() == "pending" { // who comes again is attested anew
		w.Form.Attested = nil
	}
	return err
}

// resume goes on with what was saved while a register could not answer (resolution 792 ¶4): it may be so still.
func (w *work) resume(r *http.Request, api management.Caller) (err error) {
	attested := map[string]any{"attested": w.Form.Attested}
	var now struct{ Stage string }
	w.Refused, err = refusal(api.Call(r.Context(), http.MethodPost, w.Visit+"/resume", attested, &now))
	w.Away = time.Time{}
	if err == nil && w.Refused == nil {
		w.Done.Stage = now.Stage
		if w.Step() == "pending" { // who comes again is attested anew
			w.Away, w.Form.Attested = time.Now(), nil
		}
	}
	return err
}

// withdraw gives up what was saved: the person has gone, or it was of somebody else.
func (w *work) withdraw(r *http.Request, api management.Caller) (err error) {
	w.Refused, err = refusal(api.Call(r.Context(), http.MethodPost, w.Visit+"/withdraw", nil, nil))
	w.Away = time.Time{}
	if err == nil && w.Refused == nil {
		w.Done.Stage = "withdrawn"
	}
	return err
}

// resend has another code sent.
func (w *work) resend(r *http.Request, api management.Caller) (err error) {
	w.Refused, err = refusal(api.Call(r.Context(), http.MethodPost, w.Visit+"/code", nil, nil))
	if w.Resent = (time.Time{}); err == nil && w.Refused == nil {
		w.Resent = time.Now()
	}
	return err
}

// confirm confirms the phone by the code that the visitor says aloud, and ends the visit.
func (w *work) confirm(r *http.Request, api management.Caller) (err error) {
	w.Resent = time.Time{}
	code := map[string]string{"code": strings.TrimSpace(r.PostFormValue("code"))}
	w.Refused, err = refusal(api.Call(r.Context(), http.MethodPost, w.Visit+"/phone", code, nil))
	if err == nil && w.Refused == nil {
		w.Refused, err = refusal(api.Call(r.Context(), http.MethodPost, w.Visit+"/assign", nil, &w.Done))
	}
	return err
}

// application handles POST /desk/visitors/KEY/OPERATION/application: the form to be signed, in a window of its own.
func (d *Page) application(w http.ResponseWriter, r *http.Request, v *visit, t task) error {
	form := written(r, t.Operation)
	body := form.body(t.Operation)
	delete(body, "attested")
	body["errand"], body["names"], body["language"] = t.Operation.Name, form.names(), r.PostFormValue("language")
	return d.print(w, r, v, http.MethodPost, "/desk/application-forms", body, func(refused *management.Refusal) error {
		on, _ := d.read(v, t)
		if on.Step() == "form" { // or else another window was quicker
			on.Form, on.Refused = form, refused
		}
		return d.leave(w, r, v, t, on)
	})
}

// slip handles GET /desk/refusals/ID/slip/LANGUAGE.
func (d *Page) slip(w http.ResponseWriter, r *http.Request, v *visit) error {
	at := "/desk/refusals/" + url.PathEscape(r.PathValue("id")) + "/slip?language=" + url.QueryEscape(r.PathValue("language"))
	return d.print(w, r, v, http.MethodGet, at, nil, func(refused *management.Refusal) error {
		return page.Refuse(http.StatusNotFound, "error.not_found", refused)
	})
}

// print shows what the API prints, as it is.
func (d *Page) print(w http.ResponseWriter, r *http.Request, v *visit, method, at string, body any, otherwise func(*management.Refusal) error) error {
	answer, err := v.api.SendJSON(r.Context(), method, at, body)
	refused, err := refusal(err)
	switch {
	case err != nil:
		return err
	case refused != nil:
		return otherwise(refused)
	}
	defer answer.Body.Close()
	for _, name := range []string{"Content-Type", "Content-Disposition", "Content-Language", "Content-Security-Policy", "Cache-Control", "Referrer-Policy", "X-Content-Type-Options"} {
		if value := answer.Header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	_, err = io.Copy(w, answer.Body)
	return err
}

// scanSize is more than a scan has, with the form around it, in bytes.
const scanSize = 3 << 20

// uploading reads a form that brings a file, which is larger than the site's forms are.
func uploading(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, scanSize)
		_ = r.ParseMultipartForm(scanSize) //nolint:gosec // bounded above; what there is not is missed later
		next.ServeHTTP(w, r)
	})
}

// keep handles POST /desk/visitors/KEY/OPERATION/paper: the signed paper, scanned, is kept with the act.
func (d *Page) keep(w http.ResponseWriter, r *http.Request, v *visit, t task) error {
	on, _ := d.read(v, t)
	if on.Step() != "done" {
		return d.leave(w, r, v, t, on)
	}
	scan, err := uploaded(r)
	switch {
	case err != nil:
		on.Refused = &management.Refusal{Code: "no_file"}
	case !v.token.Valid():
		again(w, r, t.Address+"?"+unsent)
		return nil
	default:
		if on.Kept, on.Refused, err = v.keepScan(r, on.Done.Act, scan); err != nil {
			return err
		}
	}
	return d.leave(w, r, v, t, on)
}
