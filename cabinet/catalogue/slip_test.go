package catalogue

import (
	"slices"
	"strings"
	"testing"
)

// shelf is the sample in memory.
func shelf(t testing.TB) *contents {
	t.Helper()
	e, err := Parse(Sample)
	if err != nil {
		t.Fatal(err)
	}
	c := &contents{services: e.Services}
	c.index()
	return c
}

// edit is a word with other letters from one place to another.
func edit(word []rune, from, to int, letters ...rune) string {
	return string(slices.Replace(slices.Clone(word), from, to, letters...))
}

// slipped are a word with each single slip in it, by its kind.
func slipped(word string) map[string][]string {
	all := map[string][]string{}
	letters := []rune(word)
	for i, letter := range letters {
		if i > 0 && letter != letters[i-1] {
			all["swapped"] = append(all["swapped"], edit(letters, i-1, i+1, letter, letters[i-1]))
		}
		all["dropped"] = append(all["dropped"], edit(letters, i, i+1))
		all["doubled"] = append(all["doubled"], edit(letters, i, i, letter))
		for _, row := range strings.Fields("йцукенгшщзхъ фывапролджэ ячсмитьбю йцукенгшўзх чсмітьбю qwertyuiop asdfghjkl zxcvbnm") {
			keys := []rune(row)
			at := slices.Index(keys, letter)
			for _, next := range []int{at - 1, at + 1} {
				if at >= 0 && next >= 0 && next < len(keys) {
					all["neighbour key"] = append(all["neighbour key"], edit(letters, i, i+1, keys[next]))
				}
			}
		}
	}
	return all
}

// With any single slip, any form of a word finds what it finds without, among the first five; of a hundred tries two may be another word, or a
// form of one.
func TestAnyFormWithASlip(t *testing.T) {
	t.Parallel()
	c := shelf(t)
	const every = 2 // slip of a kind is tried: all of them take minutes with the race detector
	find := func(typed string) Page { return c.page(Filter{Query: ParseQuery(typed)}, Place{}, 5) }
	for language, words := range map[string]string{
		"ru": `школа школе школу школой врач врача врачу врачам врачом земля земле землю землёй кошка кошку кошки кошкой гараж гаража гаражом
			паспорт паспорта паспортом паспортный паспортную безработица безработицы безработицу экзамен экзамены экзаменом права правами правам
			прививка прививку прививки прививками пенсия пенсию пенсией пенсий квартира квартиру квартиры собака собаку собакой справка справку
			справками пособие пособия пособию развод развода разводом субсидия субсидию субсидий машина машину машины штраф штрафы штрафом налог
			налоги налогов декларация декларацию инвалидность инвалидности инвалидностью очередь очереди дерево деревья участок участка участку
			гражданство гражданства свидетельство свидетельством прописка прописку прописаться родился родилась родила женился женились жениться
			переехал переехала переезд водительские водительское многодетная многодетной опека опеку наследство ребёнка`,
		"be": `школа школы школу школай урач урача урачу урачом зямля зямлі зямлю зямлёй пашпарт пашпарта пашпартам пенсія пенсіі пенсію пенсій
			кватэра кватэры кватэру сабака сабаку сабакі даведка даведку даведкі дапамога дапамогі дапамогу шлюб шлюбу шлюбам прышчэпка прышчэпкі
			прышчэпкамі падатак падаткі падаткаў дэкларацыя дэкларацыю дэкларацый экзамен экзамены дрэва дрэвы беспрацоўны беспрацоўнаму
			грамадзянства грамадзянствам прапіска прапіску нарадзіўся нарадзілася пераехаў пераехала пераезд вадзіцельскія вадзіцельскае дзіцяці дзяцей
			інваліднасць інваліднасці субсідыя субсідыю чарга чаргу ўчастак участка`,
		"en": `school schools passport passports pension pensions doctor doctors vaccination vaccinations marriage divorce divorced subsidy
			subsidies vehicle vehicles citizenship guardian driving licence unemployed housing`,
	} {
		tries, amiss := map[string]int{}, map[string][]string{}
		for k, word := range strings.Fields(words) {
			right := find(word)
			if len(right.Services) == 0 || right.ShownFor != nil {
				t.Errorf("%s is not known", word)
				continue
			}
			for kind, all := range slipped(word) {
				for i, typed := range all {
					if (i+k)%every > 0 || len([]rune(typed)) < shortest {
						continue
					}
					tries[kind]++
					if !slices.ContainsFunc(find(typed).Services, func(s Service) bool { return s.Code == right.Services[0].Code }) {
						amiss[kind] = append(amiss[kind], word+" "+typed)
					}
				}
			}
		}
		for kind, n := range tries {
			t.Logf("%s, %s: %d of %d amiss: %s", language, kind, len(amiss[kind]), n, strings.Join(amiss[kind], ", "))
			if n < 50 || 100*len(amiss[kind]) > 2*n {
				t.Errorf("%s, %s: too few are found", language, kind)
			}
		}
	}
}

// What is like nothing there finds nothing, or says that it was guessed.
func TestUnrelatedWords(t *testing.T) {
	t.Parallel()
	c := shelf(t)
	far := append(strings.Fields(`техосмотр скот самолёт велосипед магазин суббота погода кредит телефон холодильник футбол молоко
		телевизор микроволновка картофель музыка мурашка надвор'е гитара театр танец вклад сахар мясо диета коньки monkey xylophone elephant window weather`),
		"weather tomorrow", "как приготовить борщ")
	var guessed []string
	for _, typed := range far {
		page := c.page(Filter{Query: ParseQuery(typed)}, Place{}, 5)
		if len(page.Services) > 0 && page.ShownFor == nil {
			t.Errorf("%s finds %s", typed, page.Services[0].Name.RU)
		}
		if len(page.Services) > 0 {
			guessed = append(guessed, typed+" "+strings.Join(page.ShownFor, "/"))
		}
	}
	if t.Logf("guessed: %s", strings.Join(guessed, ", ")); len(guessed) > 3 {
		t.Error("too many are guessed")
	}
}
