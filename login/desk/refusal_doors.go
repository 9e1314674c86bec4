package desk

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"asoba.example/login/code"
	"asoba.example/login/identity"
	"asoba.example/login/register"
	"asoba.example/provider/api"
	"asoba.example/provider/audit"
)

// An answer is what the doors say where one of the desk's meanings stands in the way.
type answer struct {
	means  error
	status int
	code   string // "" where it is that on record
	fields []api.Field
}

// answers are the whole vocabulary of refusals.
var answers = []answer{
	{means: ErrGuard, status: http.StatusConflict},
	{means: register.ErrUnknown, status: http.StatusNotFound},
	{means: identity.ErrUnknown, status: http.StatusNotFound},
	{means: identity.ErrState, status: http.StatusConflict},
	{means: ErrReissues, status: http.StatusTooManyRequests},

	{means: ErrNoVisit, status: http.StatusNotFound, code: "unknown_visit"},
	{means: ErrNoRefusal, status: http.StatusNotFound, code: "unknown_refusal"},
	{means: ErrNoAct, status: http.StatusNotFound, code: "unknown_act"},
	{means: ErrNoPaper, status: http.StatusNotFound, code: "no_paper"},
	{means: ErrPaper, status: http.StatusUnsupportedMediaType, code: "not_a_scan"},
	{means: ErrPapers, status: http.StatusConflict, code: "too_many_papers"},
	{means: ErrReused, status: http.StatusUnprocessableEntity, code: "idempotency_key_reused"},
	{means: ErrOver, status: http.StatusGone, code: "visit_over"},
	{means: audit.ErrCursor, status: http.StatusBadRequest, code: "invalid_cursor", fields: []api.Field{{Name: "/after", Code: "invalid"}}},
	{means: code.ErrWrong, status: http.StatusUnprocessableEntity, code: "wrong_code", fields: []api.Field{{Name: "/code", Code: "wrong"}}},
	{means: code.ErrOver, status: http.StatusUnprocessableEntity, code: "code_over", fields: []api.Field{{Name: "/code", Code: "over"}}},
	{means: code.ErrWait, status: http.StatusTooManyRequests, code: "wait"},
	{means: ErrRate, status: http.StatusTooManyRequests, code: "too_many_acts"},
	{means: ErrAway, status: http.StatusServiceUnavailable, code: "register_away"},
	{means: identity.ErrBusy, status: http.StatusServiceUnavailable, code: "busy"},
}

// refusal answers what the desk's rules say. A refusal on record has a name, which can be quoted (RFC 9457 §3.1.5).
func (d *Doors) refusal(w http.ResponseWriter, err error) error {
	i := slices.IndexFunc(answers, func(a answer) bool { return errors.Is(err, a.means) })
	if i < 0 {
		return err // no meaning: it stays with us
	}
	a := answers[i]
	if after := d.after(err); after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(after))
	}
	said := api.Refuse(a.status, cmp.Or(a.code, decided(err)), err, a.fields...)
	recorded, ok := errors.AsType[*RefusedError](err)
	if problem, told := errors.AsType[*api.Problem](said); ok && told {
		problem.Instance = "/desk/refusals/" + recorded.ID.String()
	}
	return said
}

// after is in how many seconds it is worth asking again; 0 where waiting mends nothing.
func (d *Doors) after(err error) int {
	var (
		wait    *code.WaitError
		rate    *RateError
		reissue *ReissueError
		left    time.Duration
	)
	switch {
	case errors.As(err, &wait):
		left = wait.Till.Sub(d.Gate.Now())
	case errors.As(err, &rate):
		left = rate.Wait
	case errors.As(err, &reissue):
		left = reissue.Till.Sub(d.Gate.Now())
	case errors.Is(err, ErrAway):
		return 60
	case errors.Is(err, identity.ErrBusy):
		return 10
	default:
		return 0
	}
	return max(int(left.Seconds())+1, 1)
}
