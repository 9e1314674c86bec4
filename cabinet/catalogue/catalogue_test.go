package catalogue

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/text/unicode/norm"

	"asoba.example/migrations/pgtest"
)

var may = time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)

// edition is small as another edition, with services for each of the names.
func edition(t *testing.T, number int, date string, names ...string) Edition {
	t.Helper()
	head, service, _ := strings.Cut(small, "  - code")
	head = strings.Replace(head, "number: 1", fmt.Sprint("number: ", number), 1)
	text := strings.Replace(head, "2026-05-01", date, 1)
	for _, name := range names {
		code, called, _ := strings.Cut(name, " ")
		text += "  - code" + strings.NewReplacer(`"1.1"`, `"`+code+`"`, "ru: Справка", "ru: "+called).Replace(service)
	}
	e, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return e
}

// find asks as the doors do: for the edition, and then for what it has.
func find(t *testing.T, x *Index, f Filter, from Place, limit int) Page {
	t.Helper()
	var edition int
	ask(t, x.Pool, func(b *pgx.Batch) { QueueEdition(b, &edition) })
	found, err := x.Find(t.Context(), edition, f, from, limit)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func ask(t *testing.T, pool *pgxpool.Pool, queue func(b *pgx.Batch)) {
	t.Helper()
	var b pgx.Batch
	queue(&b)
	if err := pool.SendBatch(t.Context(), &b).Close(); err != nil {
		t.Fatal(err)
	}
}

// told is a report in a line.
func told(r Report) string {
	if r.Again {
		return "again, of " + r.By
	}
	var all []string
	for _, c := range r.Changes {
		all = append(all, strings.TrimSpace(fmt.Sprint(c.Act, " ", c.Code, " ", strings.Join(c.Fields, ","))))
	}
	return strings.Join(append(all, fmt.Sprint("same ", r.Same)), "; ")
}

// An edition does what doc.go draws, and is told beforehand what it will do. Nothing goes away, and nothing goes back.
func TestTheLifeOfAService(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	index := &Index{Pool: pool}
	for _, step := range []struct {
		story   string
		edition Edition
		told    string
		err     error
		listed  string
	}{
		{"the first, of a number too far", edition(t, 202606, "2026-05-01", "1.9 Девять"), "", ErrFar, ""},
		{"the first", edition(t, 1, "2026-05-01", "1.9 Девять", "1.10 Десять"), "added 1.9; added 1.10; same 0", nil, "1.9 1.10"},
		{"the same", edition(t, 1, "2026-05-01", "1.9 Девять", "1.10 Десять"), "again, of Anna", nil, "1.9 1.10"},
		{"another of its number", edition(t, 1, "2026-05-01", "1.9 Девять"), "", ErrTaken, "1.9 1.10"},
		{"of a day to come", edition(t, 2, "2026-05-13", "1.9 Девять"), "", ErrEarly, "1.9 1.10"},
		{"of an earlier day", edition(t, 2, "2026-04-30", "1.9 Девять"), "", ErrOld, "1.9 1.10"},
		{"one changes, one goes, one comes", edition(t, 3, "2026-05-12", "1.9 Девятка", "1.11 Одиннадцать"), "changed 1.9 name; closed 1.10; added 1.11; same 0", nil, "1.9 1.11"},
		{"of a lower number", edition(t, 2, "2026-05-12", "1.9 Девять"), "", ErrOld, "1.9 1.11"},
		{"nothing but a number", edition(t, 4, "2026-05-12", "1.9 Девятка", "1.11 Одиннадцать"), "same 2", nil, "1.9 1.11"},
		{"of a number too far", edition(t, 105, "2026-05-12", "1.9 Девятка", "1.11 Одиннадцать"), "", ErrFar, "1.9 1.11"},
		{"it comes back", edition(t, 5, "2026-05-12", "1.9 Девятка", "1.10 Десять", "1.11 Одиннадцать"), "restored 1.10 valid_from,valid_till; same 2", nil, "1.9 1.10 1.11"},
		{"the day it came it goes", edition(t, 105, "2026-05-12", "1.9 Девятка"), "closed 1.10; closed 1.11; same 1", nil, "1.9"},
	} {
		foretold, err := Diff(t.Context(), pool, step.edition, may)
		if !errors.Is(err, step.err) || err == nil && told(foretold) != step.told {
			t.Errorf("%s: foretold %q, %v", step.story, told(foretold), err)
		}
		closes := foretold.Count(Closed)
		if _, err := Import(t.Context(), pool, step.edition, closes+1, "Anna", may); step.err == nil && !foretold.Again && !errors.Is(err, ErrClose) {
			t.Errorf("%s: %d are closed, and %d taken: %v", step.story, closes, closes+1, err)
		}
		done, err := Import(t.Context(), pool, step.edition, closes, "Anna", may)
		if !errors.Is(err, step.err) || err == nil && told(done) != step.told {
			t.Errorf("%s: got %q, %v, want %q, %v", step.story, told(done), err, step.told, step.err)
		}
		if got := codes(t, index, Filter{On: Day(may)}); got != step.listed {
			t.Errorf("%s: listed %s, want %s", step.story, got, step.listed)
		}
	}
	var closed, unknown Service
	ask(t, pool, func(b *pgx.Batch) { QueueService(b, "1.10", &closed); QueueService(b, "1.12", &unknown) })
	if closed.Name.RU != "Десять" || closed.ValidTill == nil || closed.On(Day(may)) || unknown.Code != "" {
		t.Errorf("what was closed: %+v; what never was: %+v", closed, unknown)
	}

	// Of two at once one does it, and the other has nothing left to do.
	next := edition(t, 106, "2026-05-12", "1.9 Девять")
	var (
		both    sync.WaitGroup
		reports [2]Report
		errs    [2]error
	)
	for i := range reports {
		both.Go(func() { reports[i], errs[i] = Import(t.Context(), pool, next, 0, "Anna", may) })
	}
	both.Wait()
	if err := errors.Join(errs[:]...); err != nil || reports[0].Again == reports[1].Again {
		t.Errorf("two at once: %q and %q, %v", told(reports[0]), told(reports[1]), err)
	}
	if _, err := pool.Exec(t.Context(), `DELETE FROM catalogue_edition`); err == nil {
		t.Error("the record of an edition was removed")
	}
}

// An edition whose record, or one of whose services, cannot be written does nothing; afterwards it does all.
func TestImportLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	e := edition(t, 1, "2026-05-01", "1.9 Девять")
	for _, table := range []string{"service", "catalogue_edition"} {
		heal := pgtest.FailOn(t, pool, "INSERT", table)
		if _, err := Import(t.Context(), pool, e, 0, "Anna", may); err == nil {
			t.Fatalf("imported over a broken table %s", table)
		}
		heal()
		var left int
		const count = `SELECT (SELECT count(*) FROM catalogue_edition) + (SELECT count(*) FROM service) + (SELECT count(*) FROM body)`
		if err := pool.QueryRow(t.Context(), count).Scan(&left); err != nil || left != 0 {
			t.Errorf("a broken table %s left %d rows, %v", table, left, err)
		}
	}
	if r, err := Import(t.Context(), pool, e, 0, "Anna", may); err != nil || told(r) != "added 1.9; same 0" {
		t.Errorf("healed: %q, %v", told(r), err)
	}
}

// codes are those of a list, read by small pages, which join without a seam.
func codes(t *testing.T, x *Index, f Filter) string {
	t.Helper()
	var all []string
	for from, more := (Place{}), true; more; {
		found := find(t, x, f, from, 2)
		for _, s := range found.Services {
			all = append(all, string(s.Code))
		}
		from, more = found.Next, !found.Next.IsZero()
	}
	return strings.Join(all, " ")
}

// What people type finds what they want, first.
func TestSearch(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	index := &Index{Pool: pool}
	if _, err := Import(t.Context(), pool, sample(t), 0, "Anna", may); err != nil {
		t.Fatal(err)
	}
	on := Day(may)
	for typed, want := range map[string]Code{
		// As it is called, in three languages.
		"справка о составе семьи":  "200.1.1",
		"Даведка аб складзе сям'і": "200.1.1",
		"household certificate":    "200.1.1",
		"регистрация рождения":     "200.5.1",
		"рэгістрацыя шлюбу":        "200.5.2",
		"divorce":                  "200.5.3",
		// In other forms.
		"замены паспорта":          "200.8.1",
		"паспортом потеряли":       "200.8.2",
		"субсидию на коммунальные": "200.1.7",
		"субсідый":                 "200.1.7",
		"беспрацоўных рэгістрацыя": "200.2.2",
		"пенсию по инвалидности":   "200.3.2",
		"дзіцячага садка":          "200.6.1",
		// As people say it.
		"садик":    "200.6.1",
		"развод":   "200.5.3",
		"прописка": "200.8.5",
		"как мне поменять права":            "200.9.1",
		"хочу стать на очередь на квартиру": "200.1.4",
		"умер родственник":                  "200.5.4",
		"самозанятый":                       "200.11.4",
		"талон к врачу":                     "200.7.2",
		"спилить дерево":                    "200.13.1",
		"вяселле":                           "200.5.2",
		"сдать на права":                    "200.9.2",
		"lost passport":                     "200.8.2",
		"штраф гаи":                         "200.9.5",
		"построить дом":                     "200.10.4",
		// With slips.
		"паспарт замена":                  "200.8.1",
		"субсидя":                         "200.1.7",
		"расторжение бракка":              "200.5.3",
		"водительское удостоверние обмен": "200.9.1",
		"декларацыя":                      "200.11.2",
		"kindregarten":                    "200.6.1",
		"опикун":                          "200.4.1",
		// Letters that the keyboard has not, and ё.
		"регистрация рожденія":  "200.5.1",
		"перепланировка жилья":  "200.1.6",
		"жильё ребенка продажа": "200.4.3",
		"рэгiстрацыя шлюбу":     "200.5.2",
		// The keyboard in the wrong layout.
		"gfcgjhn": "200.8.1",
		"hfpdjl":  "200.5.3",
		"cj,frf":  "200.13.2",
		"вшмщксу": "200.5.3",
		"cflbr":   "200.6.1",
		// As far as it is typed.
		"пасп":     "200.8.1",
		"перепл":   "200.1.6",
		"ID-карта": "200.8.3",
	} {
		found := find(t, index, Filter{Query: ParseQuery(typed), On: on}, Place{}, 5)
		var got []string
		for _, s := range found.Services {
			got = append(got, string(s.Code)+" "+s.Name.RU)
		}
		if len(got) == 0 || !strings.HasPrefix(got[0], string(want)+" ") {
			t.Errorf("%q: want %s first, got %s", typed, want, strings.Join(got, "; "))
		}
	}
	for russian, belarusian := range map[string]string{"паспорт": "пашпарт", "паспорта": "пашпарта", "замена паспорта": "замена пашпарта"} {
		got, want := codes(t, index, Filter{Query: ParseQuery(belarusian), On: on}), codes(t, index, Filter{Query: ParseQuery(russian), On: on})
		if got != want || want == "" {
			t.Errorf("%q finds %s, %q %s", belarusian, got, russian, want)
		}
	}
	for _, typed := range []string{"абракадабра", "xyzzy", "🙂", "и", "' OR 1=1 --", "a & b | !c:*", strings.Repeat("ы", 5000)} {
		if got := codes(t, index, Filter{Query: ParseQuery(typed), On: on, Kind: "none"}); got != "" {
			t.Errorf("%q of no kind: got %s", typed, got)
		}
	}
	for name, f := range map[string]Filter{
		"of a kind":      {Kind: EService},
		"of a body":      {Body: "clinic"},
		"in a situation": {Situation: "transport"},
		"found":          {Query: ParseQuery("справка")},
		"all":            {},
	} {
		f.On = on
		whole := find(t, index, f, Place{}, 500)
		var want []string
		for _, s := range whole.Services {
			want = append(want, string(s.Code))
		}
		if got := codes(t, index, f); got != strings.Join(want, " ") || len(want) < 4 {
			t.Errorf("%s: by pages %s, whole %s", name, got, want)
		}
	}
}

// Who knows the code, or how it begins, finds what has it, in the order of codes and nothing else, whatever the keyboard makes of the dot.
func TestSearchByCode(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	index := &Index{Pool: pool}
	e := edition(t, 1, "2026-05-01", "1.9 Девять", "1.9.1 Одна", "1.10 Десять", "200.1 Форма 1.9")
	e.Bodies = append(e.Bodies, Body{Code: "shop", Name: Words{RU: "Лавка"}})
	e.Services[2].Body = "shop"
	if _, err := Import(t.Context(), pool, e, 0, "Anna", may); err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{"": "1.10", "shop": "1.10", "office": "1.9 200.1"} {
		if got := codes(t, index, Filter{Query: ParseQuery("девять 1.10"), Body: body, On: Day(may)}); got != want {
			t.Errorf("of the body %q: got %s, want %s", body, got, want)
		}
	}
	for typed, want := range map[string]string{
		"1.10":        "1.10",
		"1.9":         "1.9 1.9.1",
		" 1.1 ":       "1.10",
		"1,9":         "1.9 1.9.1",
		"1/9":         "1.9 1.9.1",
		"1ю10":        "1.10",
		"1.9.1.":      "1.9.1",
		"№1.10":       "1.10",
		"услуга 1.10": "1.10",
		"200":         "200.1",
		"1.11":        "",
		"1.9.1.1":     "",
		"девять":      "1.9",

		"девять 2026":        "1.9",
		"девять 086":         "1.9",
		"01.01.2026 девять":  "1.9",
		"девять за 1.1.2026": "1.9 200.1",

		// What is no service's code is a house, a rate, a day.
		"девять дом 12/2":          "1.9",
		"девять 3,5":               "1.9",
		"12.11 девять":             "1.9",
		"девять дом 12/2 код 1.10": "1.10",
		"одна 7.7":                 "1.9.1",
	} {
		if got := codes(t, index, Filter{Query: ParseQuery(typed), On: Day(may)}); got != want {
			t.Errorf("%q: got %s, want %s", typed, got, want)
		}
	}
}

// What was copied may have й, ё and ў of two characters, and signs between letters that nobody sees: they part no word and no code.
func TestWhatIsCopiedIsReadAsItIsSeen(t *testing.T) {
	t.Parallel()
	for typed, seen := range map[string]string{
		norm.NFD.String("Найти займ"): "найти займ", norm.NFD.String("жильё"): "жильё", norm.NFD.String("перапланіроўка"): "перапланіроўка",
		"пас\u00adпорт": "паспорт", "пас\u200bпорт": "паспорт", "\ufeffпас\u2060порт": "паспорт", "па\u0301спорт": "паспорт", "200.\u200b8.1": "200.8.1",
		norm.NFD.String("хъйсн"): "хъйсн", "\u200b\u00ad": "",
	} {
		if got, want := ParseQuery(typed), ParseQuery(seen); !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %+v, want %+v", typed, got, want)
		}
		if got, want := fold(typed), fold(seen); got != want {
			t.Errorf("%q is folded to %q", typed, got)
		}
	}
}

// Whatever form of a word is typed, with whatever slip, by whatever layout, what it asks for is among the first three.
func TestFormsAndSlips(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	index := &Index{Pool: pool}
	if _, err := Import(t.Context(), pool, sample(t), 0, "Anna", may); err != nil {
		t.Fatal(err)
	}
	for want, all := range map[Code][]string{
		"200.2.4":  {"ребёнок", "ребенка", "дети", "детей", "детьми", "дзіця", "дзіцяці", "дзяцей", "дзеці", "ребенк", "рибенок", "ltnb", "child", "children", "kids", "пособие на ребёнка", "дапамога на дзяцей"},
		"200.8.1":  {"паспорт", "паспортом", "паспарт", "паспартом", "пашпартам", "пашпарты", "паспрот", "gfcgjhnjv", "passports", "зфыызщке", "200.8.1", "паспорта 200ю8ю1"},
		"200.8.2":  {"утеря паспорта", "потеряла паспорт", "паспорт украли", "згублены пашпарт", "lost my passport"},
		"200.8.4":  {"загранпаспорт", "дети паспорт", "пашпарт для дзяцей"},
		"200.8.5":  {"переехал", "переехали", "переезжаем", "пераехалі", "прописаться", "прапісацца", "прописку", "propiska address"},
		"200.8.7":  {"гражданства", "грамадзянствам", "гражднство", "citizenships"},
		"200.5.1":  {"родилась дочь", "родила", "родили", "нарадзілася", "родился ребенок", "нарадзілася дзіця", "рождении", "нараджэннем", "birth certificates", "born"},
		"200.5.2":  {"женились", "женюсь", "ажаніліся", "женитьба", "шлюбам", "браки", "cdflm,f", "getting married", "вяселля"},
		"200.5.3":  {"развестись", "разводиться", "разводе", "ltdjhwt развод", "divorced"},
		"200.5.4":  {"умерла мама", "памёр", "смертью", "смярцю", "died"},
		"200.5.5":  {"поменять фамилию", "прозвішчам", "сменить имя"},
		"200.5.7":  {"отцовство", "бацькоўства", "отцовства"},
		"200.3.1":  {"пенсию", "пенсий", "пенсіяй", "пенсионное", "пенися", "gtycbz", "pensions", "выйти на пенсию"},
		"200.4.1":  {"опеку", "апекай", "опекунство", "апекуном"},
		"200.1.1":  {"составом семьи", "складу сям'і", "семьи справка состав"},
		"200.1.6":  {"перепланировку", "перапланіроўкай", "перепланеровка", "renovating"},
		"200.1.7":  {"субсидий", "субсідыяй", "субсидея", "ыгиышвн", "subsidies"},
		"200.2.2":  {"безработным", "беспрацоўнаму", "ищу работу", "unemployment register", "безроботный"},
		"200.2.6":  {"многодетных", "шматдзетнай", "многодетна"},
		"200.6.1":  {"детском саду", "дзіцячага садка", "садика", "очередь в садик", "kindergartens"},
		"200.6.2":  {"первого класса", "першы клас", "школы"},
		"200.7.2":  {"врачом", "урачу", "врочу", "doctors", "r dhfxe"},
		"200.7.4":  {"прививок", "прышчэпкамі", "превивки", "vaccinated"},
		"200.9.1":  {"правами водительскими", "вадзіцельскія правы", "водительское", "dflwbhf удостоверение", "driver license"},
		"200.9.3":  {"машину", "машын", "автомобилем", "vehicles", "мошина"},
		"200.9.5":  {"штрафом", "штрафаў", "штрав", "fined"},
		"200.10.3": {"землю", "зямлі", "земли", "участков"},
		"200.10.5": {"200.10.5", "200,10,5", "эксплуатации", "эксплуатацыяй"},
		"200.11.1": {"налогом", "падаткамі", "доходах"},
		"200.11.2": {"декларациями", "дэкларацый", "диклорация", "tax returns"},
		"200.12.1": {"предпринимателем", "прадпрымальнікам", "открыть ип", "entrepreneurs"},
		"200.13.1": {"деревьев", "дрэвы", "деревя", "trees", "200.13.1", "200/13"},
		"200.13.2": {"собаку", "сабакі", "собакой", "сабаке", "dogs", "сабока"},
		"200.14.2": {"похоронам", "пахаванню", "погребения", "funerals", "погрибение"},
	} {
		for _, typed := range all {
			found := find(t, index, Filter{Query: ParseQuery(typed), On: Day(may)}, Place{}, 3)
			var got []Code
			for _, s := range found.Services {
				got = append(got, s.Code)
			}
			if !slices.Contains(got, want) {
				t.Errorf("%q: want %s, got %s", typed, want, got)
			}
		}
	}
	for _, forms := range [][]string{
		{"ребёнок", "ребёнка", "детей", "дзіцяці", "дзяцей"}, {"паспорт", "паспартом", "пашпарта"}, {"пенсия", "пенсій"}, {"брак", "браком"},
	} {
		for _, form := range forms {
			got, want := codes(t, index, Filter{Query: ParseQuery(form), On: Day(may)}), codes(t, index, Filter{Query: ParseQuery(forms[0]), On: Day(may)})
			if got != want || want == "" {
				t.Errorf("%q finds %s, %q %s", form, got, forms[0], want)
			}
		}
	}
	for _, wordless := range []string{"%", "_", "?!", "🙂", "и", "the", "zzzzz", "ыыыыы"} {
		if got := codes(t, index, Filter{Query: ParseQuery(wordless), On: Day(may)}); got != "" {
			t.Errorf("%q, in which there is nothing to look for, finds %s", wordless, got)
		}
	}
}

// Every node lists what the edition in force has on that day, whoever brought it.
func TestEveryNodeFollowsTheEdition(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	nodes := []*Index{{Pool: pool}, {Pool: pool}}
	first, second := edition(t, 1, "2026-05-01", "1.1 Паспорт"), edition(t, 2, "2026-05-12", "1.2 Паспорт", "1.3 Паспорт")
	second.Services[1].ValidTill = new(Day(may))
	check := func(on time.Time, want string) {
		t.Helper()
		for i, node := range nodes {
			if got := codes(t, node, Filter{Query: ParseQuery("паспрот"), On: on}); got != want {
				t.Errorf("node %d on %s: got %q, want %q", i, on.Format(time.DateOnly), got, want)
			}
		}
	}
	check(Day(may), "")
	if _, err := Import(t.Context(), pool, first, 0, "Anna", may); err != nil {
		t.Fatal(err)
	}
	check(Day(may), "1.1")
	if _, err := Import(t.Context(), pool, second, 1, "Anna", may); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := nodes[0].Find(gone, 2, Filter{On: Day(may)}, Place{}, 1); err == nil {
		t.Error("found what was not read")
	}
	check(Day(may), "1.2 1.3")
	check(Day(may).AddDate(0, 0, 1), "1.2")
	check(Day(may), "1.2 1.3")
}

// A service that is closed stands in nobody's way: its body is listed no more, and a word that it alone has is taken for a slip.
func TestWhatIsClosedIsInNobodysWay(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	index := &Index{Pool: pool}
	first := edition(t, 1, "2026-05-01", "1.1 Паспорт", "1.2 Паспотр")
	first.Bodies = append(first.Bodies, Body{Code: "shop", Name: Words{RU: "Лавка"}})
	first.Services[1].Body = "shop"
	for _, step := range []struct {
		edition       Edition
		closes        int
		bodies, found string
	}{
		{first, 0, "office shop", "1.2"},
		{edition(t, 2, "2026-05-12", "1.1 Паспорт"), 1, "office", "1.1"},
	} {
		if _, err := Import(t.Context(), pool, step.edition, step.closes, "Anna", may); err != nil {
			t.Fatal(err)
		}
		var (
			bodies []Body
			listed []string
		)
		ask(t, pool, func(b *pgx.Batch) { QueueBodies(b, Day(may), "", 10, &bodies) })
		for _, body := range bodies {
			listed = append(listed, body.Code)
		}
		found := codes(t, index, Filter{Query: ParseQuery("паспотр"), On: Day(may)})
		if got := strings.Join(listed, " "); got != step.bodies || found != step.found {
			t.Errorf("edition %d: bodies %s, found %s; want %s, %s", step.edition.Number, got, found, step.bodies, step.found)
		}
	}
}

// A place is read back as it was written, and nothing else is a place.
func TestPlaces(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"0-200.1.1", "12345-1.1"} {
		if p, err := ParsePlace(s); err != nil || p.String() != s {
			t.Errorf("%s: got %s, %v", s, p, err)
		}
	}
	for _, s := range []string{"", "0", "0-", "-1-1.1", "01-1.1", "+1-1.1", "0-1.01", "0-1.1 ", "99999999999999999999-1.1", "0-1.9999999"} {
		if p, err := ParsePlace(s); err == nil {
			t.Errorf("%q is the place %s", s, p)
		}
	}
}

// Whatever is typed, words of letters and digits are what is looked for, and not too many.
func FuzzParseQuery(f *testing.F) {
	for _, typed := range []string{"паспорт", "cj,frf", "a:* & !b", "сям'і", "\xff\x00", "İ", "ﬃ", "x̂"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		q := ParseQuery(typed)
		for _, word := range slices.Concat(q.words...) {
			if strings.ContainsAny(word.folded, " :*&|!()<>'\\\x00") {
				t.Errorf("%q: looks for %q", typed, word.folded)
			}
		}
	})
}
