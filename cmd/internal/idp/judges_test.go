package idp

import (
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"asoba.example/login/clerk"
	"asoba.example/login/identity/identitytest"
)

// What bodies propose is judged by operators, as the room of the staff knows them: by no other of the staff, and by nobody made up.
func TestOperatorsJudgeWhatBodiesPropose(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	clerks := &clerk.Clerks{Pool: w.Pool}
	staff := func(role clerk.Role) uuid.UUID {
		person, _ := w.Active(t)
		if err := clerks.Add(t.Context(), clerk.Clerk{Person: person, Office: "Centre", Role: role}, uuid.Nil, identitytest.Noon); err != nil {
			t.Fatal(err)
		}
		return person
	}
	citizen, _ := w.Active(t)
	specimen := staff(clerk.Operator)
	w.Exec(t, `UPDATE person SET identification_number = '0000001A001PB2' WHERE id = $1`, specimen)
	for who, row := range map[string]struct {
		person uuid.UUID
		want   bool
	}{
		"an operator":  {staff(clerk.Operator), true},
		"a clerk":      {staff(clerk.AtDesk), false},
		"a supervisor": {staff(clerk.Supervisor), false},
		"an auditor":   {staff(clerk.Auditor), false},
		"a citizen":    {citizen, false},
		"a specimen":   {specimen, false},
	} {
		var got bool
		err := pgx.BeginFunc(t.Context(), w.Pool, func(tx pgx.Tx) (err error) {
			got, err = judges(t.Context(), tx, row.person)
			return err
		})
		if err != nil || got != row.want {
			t.Errorf("%s: %t, %v", who, got, err)
		}
	}
}
