package idp

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"asoba.example/cmd/internal/settings"
)

// A report is of an office that there is: where nothing was done is told apart from where nobody works.
func TestAReportIsOfAnOffice(t *testing.T) {
	t.Parallel()
	environ := errandEnviron(t)
	cfg, err := settings.Read[Config](environ)
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.New(t.Context(), cfg.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	const staff = `
		WITH somebody AS (
			INSERT INTO person (id, identification_number, sex, birth_date, citizenship, changed_in)
			VALUES (gen_random_uuid(), '2140584A001PB7', 'F', '1984-05-14', 'BY', 1) RETURNING id
		)
		INSERT INTO clerk (person_id, office, role, added_at) SELECT id, 'Centre', 'clerk', now() FROM somebody`
	if _, err := pool.Exec(t.Context(), staff); err != nil {
		t.Fatal(err)
	}
	for story, row := range map[string]struct {
		args []string
		want string // of the error; "" is none
	}{
		"nothing was done": {[]string{"--office", "Centre"}, ""},
		"nobody works":     {[]string{"--office", "Center"}, `--office: nobody works at "Center"`},
		"none":             {nil, "--office"},
		"no name":          {[]string{"--office", "\a"}, "--office"},
	} {
		var out bytes.Buffer
		err := Run(t.Context(), environ, nil, &out, append([]string{"clerk", "report"}, row.args...)...)
		switch {
		case row.want == "" && (err != nil || strings.Count(out.String(), "\n") != 1):
			t.Errorf("%s: %v\n%s", story, err, &out)
		case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want) || out.Len() > 0):
			t.Errorf("%s: %v, want %s\n%s", story, err, row.want, &out)
		}
	}
}
