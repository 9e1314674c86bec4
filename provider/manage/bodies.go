package manage

import (
	"encoding/json"
	"net/http"

	"github.com/google/uuid"

	"asoba.example/provider/answer"
	"asoba.example/provider/api"
	"asoba.example/provider/body"
	"asoba.example/provider/clients"
)

// addBody handles POST /bodies.
func (m *Manage) addBody(w http.ResponseWriter, r *http.Request) error {
	token, err := m.bearer.Require(w, r, manageClients)
	if err != nil {
		return err
	}
	text, err := m.document.ReadBody(w, r, "invalid_body")
	if err != nil {
		return err
	}
	var named struct {
		Name       string `json:"name"`
		Belarusian string `json:"name#be"`
		English    string `json:"name#en"`
	}
	if err := json.Unmarshal(text, &named); err != nil {
		return err
	}
	names := clients.Texts{"": named.Name}
	for language, name := range map[string]string{"be": named.Belarusian, "en": named.English} {
		if name != "" {
			names[language] = name
		}
	}
	added, err := m.bodies.Add(r.Context(), names, m.by(token))
	if err != nil {
		return refusal(err)
	}
	return api.Write(w, http.StatusCreated, added.Describe())
}

// listBodies handles GET /bodies: all, for an operator's system; their own, for a person.
func (m *Manage) listBodies(w http.ResponseWriter, r *http.Request) error {
	by, err := m.caller(w, r, today)
	if err != nil {
		return err
	}
	var found []body.Body
	if by.Person == uuid.Nil {
		found, err = m.bodies.List(r.Context())
	} else {
		found, err = m.bodies.Of(r.Context(), by.Person)
	}
	if err != nil {
		return err
	}
	all := make([]map[string]any, len(found))
	for i, b := range found {
		all[i] = b.Describe()
	}
	return api.Write(w, http.StatusOK, struct {
		Bodies []map[string]any `json:"bodies"`
	}{all})
}

// bodyOf gives the body that a request is about to a caller who may see it.
func (m *Manage) bodyOf(r *http.Request, by clients.By) (uuid.UUID, error) {
	id, err := uuid.Parse(r.PathValue("body_id"))
	if err != nil {
		return id, refusal(body.ErrUnknown)
	}
	if by.Person == uuid.Nil {
		_, err = m.bodies.Find(r.Context(), id)
	} else {
		err = m.bodies.Represents(r.Context(), id, by.Person)
	}
	return id, refusal(err)
}

// listRepresentatives handles GET /bodies/{body_id}/representatives.
func (m *Manage) listRepresentatives(w http.ResponseWriter, r *http.Request) error {
	by, err := m.caller(w, r, today)
	if err != nil {
		return err
	}
	id, err := m.bodyOf(r, by)
	if err != nil {
		return err
	}
	people, err := m.bodies.Representatives(r.Context(), id)
	if err != nil {
		return err
	}
	return api.Write(w, http.StatusOK, struct {
		Representatives []body.Representative `json:"representatives"`
	}{people})
}

// nameRepresentative handles POST /bodies/{body_id}/representatives. The identifier comes in the body, since addresses are written down.
func (m *Manage) nameRepresentative(w http.ResponseWriter, r *http.Request) error {
	token, err := m.bearer.Require(w, r, manageClients)
	if err != nil {
		return err
	}
	id, err := m.bodyOf(r, m.by(token))
	if err != nil {
		return err
	}
	text, err := m.document.ReadBody(w, r, "invalid_body")
	if err != nil {
		return err
	}
	var named struct {
		Identifier string `json:"identifier"`
	}
	if err := json.Unmarshal(text, &named); err != nil {
		return err
	}
	person, err := m.whose(r.Context(), named.Identifier)
	if err != nil {
		return refusal(err)
	}
	if err := m.bodies.Name(r.Context(), id, person, m.by(token)); err != nil {
		return refusal(err)
	}
	return api.Write(w, http.StatusCreated, struct {
		Person uuid.UUID `json:"person"`
	}{person})
}

// removeRepresentative handles DELETE /bodies/{body_id}/representatives/{person}.
func (m *Manage) removeRepresentative(w http.ResponseWriter, r *http.Request) error {
	token, err := m.bearer.Require(w, r, manageClients)
	if err != nil {
		return err
	}
	id, err := m.bodyOf(r, m.by(token))
	if err != nil {
		return err
	}
	person, err := uuid.Parse(r.PathValue("person"))
	if err != nil {
		return refusal(body.ErrNobody)
	}
	if err := m.bodies.Remove(r.Context(), id, person, m.by(token)); err != nil {
		return refusal(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// listOwned handles GET /bodies/{body_id}/clients.
func (m *Manage) listOwned(w http.ResponseWriter, r *http.Request) error {
	by, err := m.caller(w, r, today)
	if err != nil {
		return err
	}
	id, err := m.bodyOf(r, by)
	if err != nil {
		return err
	}
	found, err := m.clients.Owned(r.Context(), id)
	if err != nil {
		return err
	}
	all := make([]map[string]any, len(found))
	for i, c := range found {
		if all[i], err = c.Describe("", m.now()); err != nil {
			return err
		}
	}
	return api.Write(w, http.StatusOK, struct {
		Clients []map[string]any `json:"clients"`
	}{all})
}

// registerDraft handles POST /bodies/{body_id}/clients.
func (m *Manage) registerDraft(w http.ResponseWriter, r *http.Request) error {
	by, err := m.caller(w, r, today)
	if err != nil {
		return err
	}
	owner, err := m.bodyOf(r, by)
	if err != nil {
		return err
	}
	metadata, text, err := m.decode(w, r, "")
	if err != nil {
		return err
	}
	return m.answers.Once(w, r, name(by), text, func(keep answer.Keep) error {
		by.Also = m.created(keep)
		_, _, err := m.clients.RegisterDraft(r.Context(), "", owner, metadata, by)
		return refusal(err)
	})
}

// setOwner handles PUT /clients/{client_id}/owner.
func (m *Manage) setOwner(w http.ResponseWriter, r *http.Request) error {
	token, err := m.bearer.Require(w, r, manageClients)
	if err != nil {
		return err
	}
	version, err := seen(r)
	if err != nil {
		return err
	}
	text, err := m.document.ReadBody(w, r, "invalid_body")
	if err != nil {
		return err
	}
	var asked map[string]*string
	if err := json.Unmarshal(text, &asked); err != nil {
		return err
	}
	named, said := asked["body"]
	if !said { // to give a client back is said aloud
		return api.Refuse(http.StatusBadRequest, "invalid_body", nil, api.Field{Name: "/body", Code: "missing"})
	}
	var owner *uuid.UUID
	if named != nil {
		id, err := uuid.Parse(*named)
		if err != nil {
			return refusal(body.ErrUnknown)
		}
		owner = &id
	}
	client, err := m.bodies.Give(r.Context(), r.PathValue("client_id"), version, owner, m.by(token))
	if err != nil {
		return refusal(err)
	}
	return m.tell(w, client, "")
}
