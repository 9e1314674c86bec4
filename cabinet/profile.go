package cabinet

import (
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"asoba.example/cabinet/profile"
)

// profile handles GET /profile.
func (c *Cabinet) profile(w http.ResponseWriter, r *http.Request) error {
	var mine profile.Profile
	v, in, err := c.visit(w, r, func(b *pgx.Batch, subject string) { profile.Queue(b, subject, &mine) })
	if err != nil || !in {
		return err
	}
	return c.show(w, r, "profile", profilePage{
		Identifier: v.Token.Subject, Profile: mine,
		Born: wholeDate(mine.BirthDate), BornAbout: partialDate(mine.BirthDate),
		Citizenship: c.value("citizenship", mine.Citizenship, c.site.Language(r)),
	})
}

// wholeDate reads a date of which the day is known, nil for any other.
func wholeDate(s string) *time.Time {
	if at, err := time.Parse(time.DateOnly, s); err == nil {
		return &at
	}
	return nil
}

// partialDate writes a date of less than a day's precision as people do: 03.1956, 1956.
func partialDate(s string) string {
	year, month, ok := strings.Cut(s, "-")
	if !ok {
		return year
	}
	return month + "." + year
}
