package operator

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"asoba.example/login/policy"
	"asoba.example/login/register"
	"asoba.example/provider/api"
)

// event handles POST /register/events: what the register tells of one person between its editions.
func (d *Editions) event(w http.ResponseWriter, r *http.Request) error {
	by, client, err := d.enter(w, r, 2*policy.FreshFor.In(d.Policies))
	if err != nil {
		return err
	}
	event, err := api.DecodeDocumented[register.Event](w, r)
	if err != nil {
		return err
	}
	event.By, event.ClientID, event.ToldAt = by, client, d.Gate.Now()
	o, err := d.Register.Take(r.Context(), event)
	if err != nil {
		return eventRefusal(err)
	}
	status := http.StatusCreated
	if o.Again {
		status = http.StatusOK
	}
	return api.Write(w, status, struct {
		Person   uuid.UUID `json:"person"`
		Changed  bool      `json:"changed"`
		Again    bool      `json:"again,omitempty"`
		Doubtful bool      `json:"doubtful,omitempty"`
	}{o.Person, o.Changed, o.Again, o.Doubtful})
}

// eventRefusal tells what is wrong with an event by its members.
func eventRefusal(err error) error {
	if bad, ok := errors.AsType[*register.RowError](err); ok {
		name := "/person/" + bad.Column
		if bad.Column == "id" || bad.Column == "former_number" {
			name = "/" + bad.Column
		}
		return invalid([]api.Field{{Name: name, Code: bad.Reason}})
	}
	if errors.Is(err, register.ErrEvent) {
		return invalid([]api.Field{{Name: "/at", Code: "future"}})
	}
	return editionRefusal(err)
}
