package desk_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/uuid"

	"asoba.example/login/clerk"
	"asoba.example/login/desk"
	"asoba.example/provider/seal"
)

// pdf is the least that is a PDF, with something in it.
func pdf(signed []byte) []byte {
	return slices.Concat([]byte("%PDF-1.7\n"), signed, []byte("\n%%EOF\n"))
}

// scan is a paper of n bytes and what is around them.
func scan(t *testing.T, n int) desk.Paper {
	t.Helper()
	p, err := desk.ParsePaper(pdf(bytes.Repeat([]byte("x"), n)))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// What a scan is, is told by what is in it; half a file is none, and neither is what can be no sheet of paper.
func TestAScanIsOfAPaper(t *testing.T) {
	t.Parallel()
	picture := func(w, h int, encode func(*bytes.Buffer, image.Image) error) []byte {
		var b bytes.Buffer
		if err := encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	asPNG := func(b *bytes.Buffer, i image.Image) error { return png.Encode(b, i) }
	asJPEG := func(b *bytes.Buffer, i image.Image) error { return jpeg.Encode(b, i, nil) }
	for name, row := range map[string]struct {
		content []byte
		kind    string
	}{
		"a PDF":                {pdf([]byte("signed")), "application/pdf"},
		"a PDF with no end":    {[]byte("%PDF-1.7\nsigned"), ""},
		"an end far away":      {append(pdf(nil), make([]byte, 2000)...), ""},
		"a PNG":                {picture(300, 400, asPNG), "image/png"},
		"a JPEG":               {picture(400, 300, asJPEG), "image/jpeg"},
		"a PNG's beginning":    {[]byte("\x89PNG\x0D\x0A\x1A\x0A"), ""},
		"a JPEG's beginning":   {[]byte("\xFF\xD8\xFF\xE0"), ""},
		"a dot":                {picture(1, 1, asPNG), ""},
		"a strip":              {picture(3000, 299, asJPEG), ""},
		"a picture that bombs": {picture(15_001, 300, asPNG), ""},
		"a script":             {[]byte("<script>%PDF-%%EOF</script>"), ""},
	} {
		if p, err := desk.ParsePaper(row.content); p.Kind != row.kind || (err == nil) != (row.kind != "") {
			t.Errorf("%s: got %q, %v", name, p.Kind, err)
		}
	}
}

// acted is an act: somebody's identifier was blocked.
func (w *world) acted(t *testing.T) desk.ActDone {
	t.Helper()
	_, id := w.Active(t)
	outcome, err := w.desk.Block(t.Context(), w.by, visit(id))
	if err != nil {
		t.Fatal(err)
	}
	act, err := w.desk.FindAct(t.Context(), outcome.Act)
	if err != nil {
		t.Fatal(err)
	}
	return act
}

// send sends bytes, whatever they are said to be.
func (d *doors) send(t *testing.T, token, method, path, kind string, content []byte) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, bytes.NewReader(content))
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	d.mux.ServeHTTP(w, r)
	return w
}

// The signed paper is kept with every act of the desk, and only sealed.
func TestAPaperIsKeptWithItsAct(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	_, id := d.Person(t)
	token := d.own(t, d.clerk, uuid.New())
	opened := d.asks(t, token, "POST", "/desk/issuances", opening(id, nil), 201, nil)
	_, citizen := d.Active(t)
	done := d.asks(t, token, "POST", "/desk/blocks", body(citizen, nil), 200, nil)

	pdf := pdf([]byte("signed by Каваленка"))
	if w := d.send(t, token, "PUT", "/desk/acts/"+opened["id"].(string)+"/paper", "application/pdf", pdf); w.Code != 404 || !strings.Contains(w.Body.String(), `"unknown_act"`) {
		t.Errorf("with a visit before its end: %d %s", w.Code, w.Body)
	}
	visit := "/desk/issuances/" + opened["id"].(string)
	d.asks(t, token, "POST", visit+"/phone", map[string]any{"code": d.Said("Code")}, 204, nil)
	d.asks(t, token, "POST", visit+"/assign", nil, 200, nil)
	for _, act := range []any{opened["id"], done["act"]} {
		at := "/desk/acts/" + act.(string) + "/paper"
		first := d.send(t, token, "PUT", at, "application/pdf", pdf)
		if again := d.send(t, token, "PUT", at, "application/pdf", pdf); first.Code != 201 || again.Code != 201 || again.Body.String() != first.Body.String() {
			t.Errorf("kept: %d %s; the same again: %d %s", first.Code, first.Body, again.Code, again.Body)
		}
	}
	const recorded = `event WHERE kind = 'paper.kept' AND clerk_id IS NOT NULL AND person_id IS NOT NULL AND office = 'Minsk-1' AND
		detail->>'sha256' = encode(sha256($1), 'hex')`
	if n := d.Count(t, recorded, pdf); n != 2 { // by which it is seen that they are unchanged
		t.Errorf("%d of 2 papers are recorded", n)
	}
	if n := d.Count(t, `paper WHERE position('signed by'::bytea IN content) > 0 OR position('%PDF'::bytea IN content) > 0`); n != 0 {
		t.Error("a paper can be read in the database")
	}
	if _, err := d.Box.Open("paper:content:"+uuid.NewString(), d.content(t, done["act"])); err == nil {
		t.Error("a paper opens in another's place")
	}

	named := d.named(t, "Brest-3")
	_, another := d.Active(t)
	theirs := "/desk/acts/" + d.asks(t, d.system, "POST", "/desk/blocks", body(another, named), 200, nil)["act"].(string) + "/paper"
	for who, row := range map[string]struct {
		token   string
		content []byte
		status  int
		code    string
	}{
		"a clerk of another office": {token, pdf, 404, "unknown_act"},
		"another system":            {d.token(t, map[string]any{"sub": "bank", "client_id": "bank"}), pdf, 404, "unknown_act"},
		"a citizen":                 {d.own(t, citizen, uuid.New()), pdf, 403, ""},
		"no token":                  {"", pdf, 401, "invalid_token"},
		"a script":                  {d.system, []byte("<script>alert(1)</script>"), 415, "not_a_scan"},
		"a program":                 {d.system, []byte("MZ\x90\x00"), 415, "not_a_scan"},
		"nothing":                   {d.system, nil, 415, "not_a_scan"},
		"too much":                  {d.system, scan(t, desk.PaperSize).Content, 413, "too_large"},
	} {
		w := d.send(t, row.token, "PUT", theirs, "application/pdf", row.content)
		if w.Code != row.status || !strings.Contains(w.Body.String(), row.code) {
			t.Errorf("%s: %d %s, want %d %s", who, w.Code, w.Body, row.status, row.code)
		}
	}
	if w := d.send(t, d.system, "PUT", theirs, "text/html", scan(t, desk.PaperSize-len(pdf)+len("signed by Каваленка")).Content); w.Code != 201 { // all that is allowed, whatever it is said to be
		t.Errorf("by the system that acted: %d %s", w.Code, w.Body)
	}
	for role, status := range map[clerk.Role]int{clerk.AtDesk: 404, clerk.Supervisor: 201} { // of the office, but not who did it
		_, id := d.Active(t)
		act := d.asks(t, token, "POST", "/desk/blocks", body(id, nil), 200, nil)["act"].(string)
		_, who := d.world.clerk(t, role)
		if w := d.send(t, d.own(t, who, uuid.New()), "PUT", "/desk/acts/"+act+"/paper", "application/pdf", pdf); w.Code != status {
			t.Errorf("by another %s: %d %s", role, w.Code, w.Body)
		}
	}
	for _, none := range []string{uuid.NewString(), "x"} {
		if w := d.send(t, token, "PUT", "/desk/acts/"+none+"/paper", "application/pdf", pdf); w.Code != 404 {
			t.Errorf("with no act: %d", w.Code)
		}
	}
}

// Each scan counts before it is read, the same once more too, and apart from acts: whoever brings them again and again is stopped, is seen,
// and may act and read all the same. What is read counts as an act.
func TestWhoBringsScansAgainAndAgainIsStopped(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	_, id := d.Active(t)
	token := d.own(t, d.clerk, uuid.New())
	at := "/desk/acts/" + d.asks(t, token, "POST", "/desk/blocks", body(id, nil), 200, nil)["act"].(string) + "/paper"
	const allowed = 120
	for n := range allowed {
		if w := d.send(t, token, "PUT", at, "application/pdf", pdf(nil)); w.Code != 201 || !strings.Contains(w.Body.String(), `"number":1,`) {
			t.Fatalf("scan %d: %d %s", n, w.Code, w.Body)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), "PUT", at, iotest.ErrReader(errors.New("it was read")))
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	if d.mux.ServeHTTP(w, r); w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("one more: %d %s", w.Code, w.Body)
	}
	const alerted = `event WHERE kind = 'desk.alerted' AND detail->>'pattern' = 'too_many_acts' AND detail->>'act' = $1`
	if n := d.Count(t, alerted, "keep_paper"); n != 1 {
		t.Errorf("%d alerts", n)
	}
	_, another := d.Active(t)
	d.asks(t, token, "POST", "/desk/blocks", body(another, nil), 200, nil)

	_, who := d.world.clerk(t, clerk.Auditor)
	auditor := d.own(t, who, uuid.New())
	for range allowed {
		if w := d.send(t, auditor, "GET", at+"?purpose=inquiry", "", nil); w.Code != 200 {
			t.Fatalf("read: %d %s", w.Code, w.Body)
		}
	}
	if w := d.send(t, auditor, "GET", at+"?purpose=inquiry", "", nil); w.Code != 429 || d.Count(t, `event WHERE kind = 'paper.read'`) != allowed {
		t.Errorf("one more is read: %d %s", w.Code, w.Body)
	}
	if n := d.Count(t, alerted, "read_paper"); n != 1 {
		t.Errorf("%d alerts", n)
	}
}

// content is what lies in the database.
func (d *doors) content(t *testing.T, act any) (sealed []byte) {
	t.Helper()
	if err := d.Pool.QueryRow(t.Context(), `SELECT content FROM paper WHERE act_id = $1`, act).Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	return sealed
}

// Staff reads what is a person's for a purpose only, and the person sees it in the journal. Who serves people does not
// read what they have signed; a supervisor reads it of the own office, and an auditor of each.
func TestAPaperIsReadForAPurpose(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	act := d.acted(t)
	kept := scan(t, 1000)
	if _, err := d.desk.KeepPaper(t.Context(), d.by, act, kept); err != nil {
		t.Fatal(err)
	}
	bare := d.acted(t)
	at := "/desk/acts/" + act.ID.String() + "/paper"
	member := func(role clerk.Role, office string) string {
		by, id := d.world.clerk(t, role)
		d.Exec(t, `UPDATE clerk SET office = $2 WHERE person_id = $1`, by.Person, office)
		return d.own(t, id, uuid.New())
	}
	supervisor := member(clerk.Supervisor, "Minsk-1")
	read := 0
	for who, row := range map[string]struct {
		token, path string
		status      int
		code        string
	}{
		"a supervisor of the office":    {supervisor, at + "?purpose=complaint", 200, ""},
		"an auditor":                    {member(clerk.Auditor, "Audit"), at + "?purpose=inquiry", 200, ""},
		"a supervisor of another":       {member(clerk.Supervisor, "Homel-2"), at + "?purpose=complaint", 404, "unknown_act"},
		"an operator":                   {member(clerk.Operator, "Minsk-1"), at + "?purpose=complaint", 403, "wrong_role"},
		"the clerk":                     {d.own(t, d.clerk, uuid.New()), at + "?purpose=complaint", 403, "wrong_role"},
		"a system":                      {d.system, at + "?purpose=complaint", 403, "not_a_clerk"},
		"for no purpose":                {supervisor, at, 400, "invalid_parameter"},
		"for a purpose that is none":    {supervisor, at + "?purpose=curiosity", 400, "invalid_parameter"},
		"of an act without one":         {supervisor, "/desk/acts/" + bare.ID.String() + "/paper?purpose=complaint", 404, "no_paper"},
		"of no act":                     {supervisor, "/desk/acts/" + uuid.NewString() + "/paper?purpose=complaint", 404, "unknown_act"},
		"of what is no act's name":      {supervisor, "/desk/acts/x/paper?purpose=complaint", 404, "unknown_act"},
		"by a password and no more":     {d.token(t, map[string]any{"sub": d.clerk.Reveal(), "client_id": "page", "gid": uuid.NewString(), "auth_time": d.now.Unix(), "acr": "low"}), at + "?purpose=complaint", 401, "insufficient_user_authentication"},
		"without the scope of a desk's": {d.token(t, map[string]any{"sub": "post", "client_id": "post", "scope": "openid"}), at + "?purpose=complaint", 403, "insufficient_scope"},
	} {
		w := d.send(t, row.token, "GET", row.path, "", nil)
		if w.Code != row.status || !strings.Contains(w.Body.String(), row.code) {
			t.Errorf("%s: %d %s, want %d %s", who, w.Code, w.Body, row.status, row.code)
		}
		h := w.Header()
		if w.Code != 200 {
			continue
		}
		read++
		if !bytes.Equal(w.Body.Bytes(), kept.Content) || h.Get("Content-Type") != "application/pdf" || h.Get("Content-Disposition") != "attachment" ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s is given %d bytes with %v", who, w.Body.Len(), h)
		}
	}
	if n := d.Count(t, `event WHERE kind = 'paper.read' AND person_id = $1 AND clerk_id IS NOT NULL AND detail->>'purpose' IN ('complaint', 'inquiry')`, act.Person); n != read {
		t.Errorf("%d of %d readings are recorded", n, read)
	}
}

// Nobody keeps or reads the paper of an act upon himself, a supervisor neither; whoever watches is told.
func TestNobodyKeepsOrReadsAPaperOfHisOwn(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	supervisor, id := d.world.clerk(t, clerk.Supervisor)
	token := d.own(t, d.clerk, uuid.New())
	change := d.asks(t, token, "POST", "/desk/phone-changes", body(id, map[string]any{"phone": "8 029 491-19-25", "attested": []string{"holder", "phone"}}), 201, nil)["id"].(string)
	d.asks(t, token, "POST", "/desk/phone-changes/"+change+"/phone", map[string]any{"code": d.Said("Code")}, 204, nil)
	d.asks(t, token, "POST", "/desk/phone-changes/"+change+"/assign", nil, 200, nil)
	at := "/desk/acts/" + change + "/paper"
	kept := pdf([]byte("signed"))
	if w := d.send(t, token, "PUT", at, "application/pdf", kept); w.Code != 201 {
		t.Fatalf("by the clerk: %d %s", w.Code, w.Body)
	}
	own := d.own(t, id, uuid.New())
	for method, address := range map[string]string{"PUT": at, "GET": at + "?purpose=inquiry"} {
		if w := d.send(t, own, method, address, "application/pdf", pdf([]byte("another"))); w.Code != 409 || !strings.Contains(w.Body.String(), `"g9"`) {
			t.Errorf("%s of his own: %d %s", method, w.Code, w.Body)
		}
	}
	if n := d.Count(t, `event WHERE kind = 'desk.refused' AND clerk_id = $1 AND detail->>'code' = 'g9'`, supervisor.Person); n != 2 {
		t.Errorf("%d of 2 refusals are recorded", n)
	}
	if n := d.Count(t, `event WHERE kind = 'desk.alerted' AND clerk_id = $1 AND detail->>'pattern' = 'own_identifier'`, supervisor.Person); n != 1 { // within the hour
		t.Errorf("%d alerts", n)
	}
	if d.Count(t, "superseded_paper") != 0 || d.Count(t, `event WHERE kind = 'paper.read'`) != 0 {
		t.Error("it was kept or read")
	}
}

// What cannot be recorded is not read.
func TestAPaperIsNotReadUnseen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	act := w.acted(t)
	if _, err := w.desk.KeepPaper(t.Context(), w.by, act, scan(t, 9)); err != nil {
		t.Fatal(err)
	}
	w.Trips.FailAt(2)
	p, err := w.desk.ReadPaper(t.Context(), w.by, act, 0, desk.Complaint)
	w.Trips.FailAt(0)
	if err == nil || w.Count(t, `event WHERE kind = 'paper.read'`) != 0 {
		t.Errorf("read without a record: %s, %v", p.Kind, err)
	}
}

func TestKeepingAPaperBrokenAnywhereLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	act := w.acted(t)
	for n := range 2 { // the second puts the first right
		w.BreakEach(t, func() error { _, err := w.desk.KeepPaper(t.Context(), w.by, act, scan(t, n)); return err })
		if n, want := w.Count(t, `event WHERE kind = 'paper.kept'`), n+1; n != want {
			t.Errorf("%d are recorded, want %d", n, want)
		}
	}
}

// Two who bring a paper to one act at one moment: of the same, both are told of the one that is kept; of two, both are kept.
func TestOfTwoPapersNoneIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, row := range map[string]struct {
		papers [2]desk.Paper
		kept   int
	}{
		"the same": {[2]desk.Paper{scan(t, 7), scan(t, 7)}, 1},
		"two":      {[2]desk.Paper{scan(t, 7), scan(t, 8)}, 2},
	} {
		act := w.acted(t)
		var (
			errs   [2]error
			number [2]int
			both   sync.WaitGroup
		)
		for n := range row.papers {
			both.Go(func() { number[n], errs[n] = w.desk.KeepPaper(t.Context(), w.by, act, row.papers[n]) })
		}
		both.Wait()
		if errs != [2]error{} || min(number[0], number[1]) != 1 || max(number[0], number[1]) != row.kept {
			t.Errorf("%s: %v, %v", name, number, errs)
		}
		if n := w.Count(t, `event WHERE kind = 'paper.kept' AND person_id = $1`, act.Person); n != row.kept {
			t.Errorf("%s: %d are recorded", name, n)
		}
	}
}

// A wrong scan is put right by another one, by a clerk up to five, and then by a supervisor: all are kept, the newest is read first, and leads
// to those before it.
func TestAWrongScanIsPutRightByAnother(t *testing.T) {
	t.Parallel()
	d := newDoors(t)
	token := d.own(t, d.clerk, uuid.New())
	person, id := d.Active(t)
	at := "/desk/acts/" + d.asks(t, token, "POST", "/desk/blocks", body(id, nil), 200, nil)["act"].(string) + "/paper"
	wrong, right, other := pdf([]byte("of another")), pdf([]byte("signed")), pdf([]byte("of a third"))
	for _, row := range []struct {
		content []byte
		status  int
		code    string
	}{
		{wrong, 201, `{"number":1,"most":5}`},
		{right, 201, `{"number":2,"most":5}`},
		{right, 201, `{"number":2,"most":5}`},
		{wrong, 201, `{"number":3,"most":5}`},
		{other, 201, `{"number":4,"most":5}`},
		{right, 201, `{"number":5,"most":5}`},
		{right, 201, `{"number":5,"most":5}`},
		{wrong, 409, "too_many_papers"},
	} {
		if w := d.send(t, token, "PUT", at, "application/pdf", row.content); w.Code != row.status || !strings.Contains(w.Body.String(), row.code) {
			t.Errorf("%s: %d %s, want %d %s", row.content, w.Code, w.Body, row.status, row.code)
		}
	}
	_, who := d.world.clerk(t, clerk.Supervisor)
	supervisor := d.own(t, who, uuid.New())
	address := at + "?purpose=complaint"
	for n, want := range [][]byte{right, other, wrong, right, wrong} { // from the newest
		w := d.send(t, supervisor, "GET", address, "", nil)
		if w.Code != 200 || !bytes.Equal(w.Body.Bytes(), want) {
			t.Fatalf("%s gives %d %s, want %s", address, w.Code, w.Body, want)
		}
		before, more := strings.CutSuffix(w.Header().Get("Link"), `>; rel="predecessor-version"`)
		if more != (n < 4) {
			t.Errorf("%s leads to %q", address, w.Header().Get("Link"))
		}
		address = at + strings.TrimPrefix(before, "<")
	}
	for number, status := range map[string]int{"6": 404, "0": 400, "-1": 400, "first": 400} {
		if w := d.send(t, supervisor, "GET", at+"?purpose=complaint&number="+number, "", nil); w.Code != status {
			t.Errorf("number %s: %d, want %d", number, w.Code, status)
		}
	}
	for number := range 5 {
		for _, kind := range []string{"paper.kept", "paper.read"} {
			if n := d.Count(t, `event WHERE kind = $1 AND person_id = $2 AND detail->>'number' = $3`, kind, person, strconv.Itoa(number+1)); n != 1 {
				t.Errorf("%s of number %d is recorded %d times", kind, number+1, n)
			}
		}
	}
	if n := d.Count(t, `superseded_paper WHERE superseded_at >= kept_at AND clerk_id IS NOT NULL`); n != 4 {
		t.Errorf("%d of 4 are superseded", n)
	}
	for number := 6; number <= 11; number++ {
		code, said := 201, fmt.Sprintf(`{"number":%d,"most":10}`, number)
		if number > 10 {
			code, said = 409, "too_many_papers"
		}
		w := d.send(t, supervisor, "PUT", at, "application/pdf", pdf([]byte(strconv.Itoa(number))))
		if w.Code != code || !strings.Contains(w.Body.String(), said) {
			t.Errorf("number %d by a supervisor: %d %s", number, w.Code, w.Body)
		}
	}
}

// Whatever scans an act has open as they did once they are sealed anew by another key, and none in another's place.
func TestEveryScanIsSealedAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	act := w.acted(t)
	for n := range 3 {
		if _, err := w.desk.KeepPaper(t.Context(), w.by, act, scan(t, n)); err != nil {
			t.Fatal(err)
		}
	}
	const sealedBy = `SELECT count(DISTINCT substring(content FROM 1 FOR 5)), count(*) FILTER (WHERE substring(content FROM 1 FOR 5) = $1)
		FROM (SELECT content FROM paper UNION ALL SELECT content FROM superseded_paper) AS scans`
	former, err := w.Box.Seal("", nil)
	if err != nil {
		t.Fatal(err)
	}
	for n, done := 1, false; !done; n++ {
		if done, err = w.Box.Rotate(t.Context(), w.now.Add(time.Duration(n)*seal.Lead)); err != nil {
			t.Fatal(err)
		}
	}
	anew := 0
	for _, c := range desk.Sealed {
		if err := w.Box.Reseal(t.Context(), c, func() { anew++ }); err != nil {
			t.Fatal(err)
		}
	}
	var keys, old int
	if err := w.Pool.QueryRow(t.Context(), sealedBy, former[:5]).Scan(&keys, &old); err != nil || keys != 1 || old != 0 || anew != 4 { // and what the act rests on
		t.Errorf("%d are sealed anew, by %d keys; %d are not; %v", anew, keys, old, err)
	}
	for n := range 3 {
		p, err := w.desk.ReadPaper(t.Context(), w.by, act, n+1, desk.Complaint)
		if err != nil || !bytes.Equal(p.Content, scan(t, n).Content) {
			t.Errorf("number %d: %v", n+1, err)
		}
	}
	w.Exec(t, `UPDATE superseded_paper SET content = (SELECT content FROM superseded_paper WHERE number = 2) WHERE number = 1`)
	if _, err := w.desk.ReadPaper(t.Context(), w.by, act, 1, desk.Complaint); err == nil {
		t.Error("a scan opens in another's place")
	}
}

// The program that was there before keeps a paper and reads the newest while both run.
func TestTheFormerProgramKeepsAndReadsPapers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	act := w.acted(t)
	const insert = `
		INSERT INTO paper (issuance_id, desk_act_id, kind, content, clerk_id, kept_at)
		VALUES (NULL, $1, 'application/pdf', $2, $3, $4)
		ON CONFLICT (act_id) DO NOTHING`
	const find = `SELECT content FROM paper WHERE act_id = $1`
	place := "paper:content:" + act.ID.String()
	sealed, err := w.Box.Seal(place, scan(t, 1).Content)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.Exec(t, insert, act.ID, sealed, w.by.Person, w.now)
	}
	if number, err := w.desk.KeepPaper(t.Context(), w.by, act, scan(t, 2)); err != nil || number != 2 {
		t.Fatalf("beside the former's: %d, %v", number, err)
	}
	if err := w.Pool.QueryRow(t.Context(), find, act.ID).Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Box.Open(place, sealed); err != nil || !bytes.Equal(got, scan(t, 2).Content) {
		t.Errorf("the former reads another than the newest: %v", err)
	}
	if p, err := w.desk.ReadPaper(t.Context(), w.by, act, 1, desk.Complaint); err != nil || !bytes.Equal(p.Content, scan(t, 1).Content) {
		t.Errorf("the former's own: %v", err)
	}
}
