package login

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/policy"
	"asoba.example/provider/api"
	"asoba.example/provider/pair"
)

// Rulings are the doors of the management API where the operator's staff settle what the law leaves to the operator: one proposes, another
// approves. A token that no person's sign-in gave settles nothing.
type Rulings struct {
	Policies *policy.Policies
	Gate     clerk.Gate
}

// Mount opens the doors.
func (s Rulings) Mount(mux api.Mux) {
	mux.Handle("GET /policies", api.Handler(s.list))
	mux.Handle("POST /policies/proposals", api.Handler(s.propose))
	mux.Handle("POST /policies/proposals/{id}/approve", api.Handler(s.decide(s.Policies.Approve)))
	mux.Handle("POST /policies/proposals/{id}/refuse", api.Handler(s.decide(s.Policies.Refuse)))
}

const managePolicies = "policy:manage"

// A settled value, as it is told.
type settled struct {
	ID          uuid.UUID  `json:"id"`
	Name        string     `json:"name"`
	Value       string     `json:"value"`
	InForceFrom time.Time  `json:"in_force_from"`
	Ground      ground     `json:"ground"`
	State       pair.State `json:"state"`
	Author      uuid.UUID  `json:"author"`
	ProposedAt  time.Time  `json:"proposed_at"`
	DecidedBy   *uuid.UUID `json:"decided_by,omitempty"`
	DecidedAt   *time.Time `json:"decided_at,omitempty"`
}

type ground struct {
	Title  string `json:"title"`
	Number string `json:"number"`
	Date   string `json:"date"`
}

func tell(row policy.Row) settled {
	return settled{
		ID: row.ID, Name: row.Name, Value: row.Value, InForceFrom: row.InForceFrom, State: row.State, Author: row.Author,
		Ground:     ground{row.Ground.Title, row.Ground.Number, row.Ground.Date.Format(time.DateOnly)},
		ProposedAt: row.ProposedAt, DecidedBy: row.DecidedBy, DecidedAt: row.DecidedAt,
	}
}

// list handles GET /policies: every item with what is in force, and all that was ever proposed.
func (s Rulings) list(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.Gate.Tokens.Require(w, r, managePolicies); err != nil {
		return err
	}
	rows, err := s.Policies.InForce(r.Context())
	if err != nil {
		return err
	}
	history, err := s.Policies.History(r.Context())
	if err != nil {
		return err
	}
	inForce := map[string]string{}
	for _, row := range rows {
		inForce[row.Name] = row.Value
	}
	type item struct {
		Name    string `json:"name"`
		Default string `json:"default"`
		InForce string `json:"in_force"`
	}
	answer := struct {
		Items     []item    `json:"items"`
		Proposals []settled `json:"proposals"`
	}{Proposals: make([]settled, len(history))}
	for _, i := range policy.Items {
		value, ok := inForce[i.Name()]
		if !ok {
			value = i.Default()
		}
		answer.Items = append(answer.Items, item{i.Name(), i.Default(), value})
	}
	for i, row := range history {
		answer.Proposals[i] = tell(row)
	}
	return api.Write(w, http.StatusOK, answer)
}

// propose handles POST /policies/proposals.
func (s Rulings) propose(w http.ResponseWriter, r *http.Request) error {
	by, err := s.staff(w, r)
	if err != nil {
		return err
	}
	body, err := api.DecodeDocumented[struct {
		Name        string    `json:"name"`
		Value       string    `json:"value"`
		InForceFrom time.Time `json:"in_force_from"`
		Ground      ground    `json:"ground"`
	}](w, r)
	if err != nil {
		return err
	}
	date, err := time.Parse(time.DateOnly, body.Ground.Date)
	if err != nil {
		return api.Refuse(http.StatusUnprocessableEntity, "invalid", err, api.Field{Name: "/ground/date", Code: "not_a_date"})
	}
	row, err := s.Policies.Propose(r.Context(), by.Person, body.Name, body.Value, body.InForceFrom, policy.Ground{Title: body.Ground.Title, Number: body.Ground.Number, Date: date})
	if err != nil {
		return refusalOfPolicy(err)
	}
	return api.Write(w, http.StatusCreated, tell(row))
}

// decide handles POST /policies/proposals/{id}/approve and /refuse.
func (s Rulings) decide(act func(ctx context.Context, id, by uuid.UUID) (policy.Row, error)) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		by, err := s.staff(w, r)
		if err != nil {
			return err
		}
		id, err := uuid.Parse(r.PathValue("id"))
		if err != nil {
			return refusalOfPolicy(policy.ErrUnknown)
		}
		row, err := act(r.Context(), id, by.Person)
		if err != nil {
			return refusalOfPolicy(err)
		}
		return api.Write(w, http.StatusOK, tell(row))
	}
}

// staff is who of the operator's staff acts, having signed in a moment ago, as for the pages of grave acts.
func (s Rulings) staff(w http.ResponseWriter, r *http.Request) (clerk.Clerk, error) {
	return s.Gate.Enter(w, r, managePolicies, clerk.Settle, 2*policy.FreshFor.In(s.Policies))
}

// refusalOfPolicy is the whole vocabulary of refusals of what the rules of policy say.
func refusalOfPolicy(err error) error {
	var decided *pair.DecidedError
	switch {
	case errors.Is(err, policy.ErrUnknown):
		return api.Refuse(http.StatusNotFound, "unknown_policy", err)
	case errors.Is(err, clerk.ErrRole):
		return api.Refuse(http.StatusForbidden, "wrong_role", err)
	case errors.Is(err, pair.ErrOwn):
		return api.Refuse(http.StatusForbidden, "own_proposal", err)
	case errors.As(err, &decided):
		return api.Explain(http.StatusConflict, "decided", decided, err)
	case errors.Is(err, policy.ErrValue):
		return api.Refuse(http.StatusUnprocessableEntity, "invalid", err, api.Field{Name: "/value", Code: "not_allowed"})
	case errors.Is(err, policy.ErrDate):
		return api.Refuse(http.StatusUnprocessableEntity, "invalid", err, api.Field{Name: "/in_force_from", Code: "not_allowed"})
	case errors.Is(err, policy.ErrGround):
		return api.Refuse(http.StatusUnprocessableEntity, "invalid", err, api.Field{Name: "/ground", Code: "missing"})
	}
	return err
}
