package page

import (
	"strconv"
	"time"
)

// day says a date as people write it: 12 мая 2026 года.
func (s *Site) day(language string, at time.Time) (string, error) {
	at = at.In(s.minsk)
	month, err := s.word(language, "month."+strconv.Itoa(int(at.Month())), nil)
	if err != nil {
		return "", err
	}
	return s.word(language, "day", map[string]any{"Day": at.Day(), "Month": month, "Year": at.Year()})
}

// Day says a date as the pages do, for texts that are not templates. As with Say, its words are there.
func (s *Site) Day(language string, at time.Time) string {
	text, err := s.day(language, at)
	if err != nil {
		panic(err)
	}
	return text
}

// moment says a date with the time in Minsk.
func (s *Site) moment(language string, at time.Time) (string, error) {
	day, err := s.day(language, at)
	if err != nil {
		return "", err
	}
	return s.word(language, "moment", map[string]any{"Day": day, "Time": at.In(s.minsk).Format("15:04")})
}

// InWords says a wait as people do: in seconds up to a minute, then in minutes, then in hours; never too short.
func InWords(wait time.Duration) (unit string, count int) {
	switch {
	case wait <= time.Minute:
		return "seconds", roundUp(wait, time.Second)
	case wait <= 90*time.Minute:
		return "minutes", roundUp(wait, time.Minute)
	default:
		return "hours", roundUp(wait, time.Hour)
	}
}

func roundUp(wait, unit time.Duration) int { return int((wait + unit - 1) / unit) }
