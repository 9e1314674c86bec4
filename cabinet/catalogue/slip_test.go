package catalogue

import (
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
)

// slipped are a word with each single slip in it, by its kind.
func slipped(word string) map[string][]string {
	all := map[string][]string{}
	letters := []rune(word)
	for i, letter := range letters {
		if i > 0 && letter != letters[i-1] {
			all["swapped"] = append(all["swapped"], edit(word, i-1, i+1, letter, letters[i-1]))
		}
		all["left out"] = append(all["left out"], edit(word, i, i+1))
		all["doubled"] = append(all["doubled"], edit(word, i, i, letter))
		for _, row := range strings.Fields("йцукенгшщзхъ фывапролджэ ячсмитьбю йцукенгшўзх чсмітьбю qwertyuiop asdfghjkl zxcvbnm") {
			keys := []rune(row)
			at := slices.Index(keys, letter)
			for _, next := range []int{at - 1, at + 1} {
				if at >= 0 && next >= 0 && next < len(keys) {
					all["by its neighbour"] = append(all["by its neighbour"], edit(word, i, i+1, keys[next]))
				}
			}
		}
	}
	return all
}

// With any single slip a word of a service's name finds what it finds without, among the first five; of a hundred tries three may
// be another word.
func TestAnyWordWithASlip(t *testing.T) {
	t.Parallel()
	pool := pgtest.NewCabinet(t)
	if _, err := Import(t.Context(), pool, sample(t), "Anna", may); err != nil {
		t.Fatal(err)
	}
	find := func(typed []string) []Page {
		found := make([]Page, len(typed))
		ask(t, pool, func(b *pgx.Batch) {
			for i, text := range typed {
				Queue(b, Filter{Query: ParseQuery(text), On: Day(may)}, Place{}, 5, &found[i])
			}
		})
		return found
	}
	var meant []string
	for _, s := range sample(t).Services {
		for _, word := range words(strings.ToLower(s.Name.all())) {
			if len([]rune(word)) >= 5 {
				meant = append(meant, word)
			}
		}
	}
	slices.Sort(meant)
	meant = slices.Compact(meant)
	right := find(meant)

	const every = 23 // try in so many is made: all of them take minutes
	tries, amiss := map[string]int{}, map[string][]string{}
	for i, word := range meant {
		if len(right[i].Services) == 0 {
			t.Errorf("%s finds nothing", word)
			continue
		}
		want := right[i].Services[0].Code
		for kind, all := range slipped(word) {
			var typed []string
			for k, slip := range all {
				if (i+k)%every == 0 {
					typed = append(typed, slip)
				}
			}
			for k, page := range find(typed) {
				tries[kind]++
				if !slices.ContainsFunc(page.Services, func(s Service) bool { return s.Code == want }) {
					amiss[kind] = append(amiss[kind], word+" "+typed[k])
				}
			}
		}
	}
	for kind, n := range tries {
		t.Logf("%s: %d of %d amiss: %s", kind, len(amiss[kind]), n, strings.Join(amiss[kind], ", "))
		if n < 100 || 100*len(amiss[kind]) > 3*n {
			t.Errorf("%s: too few are found", kind)
		}
	}

	far := strings.Fields("техосмотр скот самолёт велосипед магазин суббота погода кредит телефон холодильник футбол молоко " +
		"телевизор микроволновка картофель музыка мурашка надвор'е гитара театр танец сахар диета xylophone elephant window weather")
	for i, page := range find(far) {
		if len(page.Services) > 0 {
			t.Errorf("%s, which is like nothing there, finds %s", far[i], page.Services[0].Name.RU)
		}
	}
}

// What has a mask in common with a word is one slip away from it, and what is has one.
func TestMasksAreOneSlipApart(t *testing.T) {
	t.Parallel()
	common := func(typed, meant string) bool {
		known := masks([]string{meant})
		return slices.ContainsFunc(slips(typed), func(mask string) bool { return slices.Contains(known, mask) })
	}
	for kind, all := range slipped("housing") {
		for _, typed := range all {
			if !common(typed, "housing") {
				t.Errorf("%s: %s is not known again", kind, typed)
			}
		}
	}
	for _, typed := range []string{"flatt", "lfat"} { // of a short one no letter may be another
		if !common(typed, "flat") {
			t.Errorf("%s is not known again", typed)
		}
	}
	for _, typed := range []string{"flag", "flt"} {
		if common(typed, "flat") {
			t.Errorf("%s may be anything", typed)
		}
	}
	for _, typed := range []string{"ohusign", "hosuign", "husin", "xhousingx", "mouxing"} {
		if common(typed, "housing") {
			t.Errorf("%s is two slips from housing", typed)
		}
	}
}
