package catalogue

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// tells tells whether a folded word tells something.
func tells(word string) bool {
	root := root(word)
	return word != "" && !silent[word] && (len([]rune(root)) > 1 || word == root) // яяяяя is no word
}

// fold puts a text as people type it for one another: small letters, digits, and one space between words; ё is е, і и, ў у
// and ъ ь; an apostrophe within a word is left out.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case 'ё':
			return 'е'
		case 'і':
			return 'и'
		case 'ў':
			return 'у'
		case 'ъ':
			return 'ь'
		case '\'', '’', 'ʼ', '`':
			return -1
		}
		return r
	}, strings.Join(spell(text), " "))
}

// clean is a text in which each letter is one character, without what nobody sees or what stands on a letter: й of two characters, a soft
// hyphen, a space of no width, a mark of stress. They come with what is copied, and would part the word.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cf, unicode.Mn) {
			return -1
		}
		return r
	}, norm.NFC.String(text))
}

// spell are the words of a text as they are written, but clean and in small letters.
func spell(text string) []string {
	return strings.FieldsFunc(strings.Map(unicode.ToLower, clean(text)), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("'’ʼ`", r)
	})
}

// root is what the forms of a folded word have in common.
func root(word string) string {
	stem := stem(word)
	if head, ok := heads[stem]; ok {
		return head
	}
	return stem
}

// heard writes a word as both languages sound: дз and ц are the soft д and т of Belarusian, which writes а and я where о and е
// bear no stress.
var heard = strings.NewReplacer("пашпарт", "паспарт", "шч", "щ", "дз", "д", "ц", "т", "о", "а", "ы", "и", "э", "е", "я", "е", "ь", "")

// sound is a folded word as it is heard.
func sound(word string) string { return single(heard.Replace(word)) }

// toOneself ends a verb of what one does to oneself.
var toOneself = regexp.MustCompile(`(ть|т|л|ла|ло|ли|у|ю)с[яь]$|ц(ц)а$`)

// endings of words that were heard, and of English ones: of them the longest is cut off.
var endings, latinEndings = longestFirst(`
	а е и у ю й ам ем им ами еми ими ах ех их ав ев ау еу ай ей ий аю ею ию ие ага ега аму ему ае ее аи еи ую юю ией иею иев ием иех иеу
	ат ет ит ут ют ал ел ил ул ала ела ила али ели или ает еет ует иш еш ете ите иу
	ание ании анием ение ении ением аню ане ани ене ени еню анем енем
`), longestFirst(`s es ed ing ings e er y ies ied ion ions ation ations ate ates ated ating al ment ments`)

func longestFirst(list string) []string {
	all := strings.Fields(list)
	slices.SortStableFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

// least is how many letters of a word are left.
const least = 3

// stem is a folded word without its ending.
func stem(word string) string {
	all := latinEndings
	if strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) {
		if all = endings; strings.HasSuffix(word, "ль") || strings.HasSuffix(word, "ц") {
			all = nil // of a thing, not of an act: автомобиль, месяц
		}
		word = sound(toOneself.ReplaceAllString(word, "$1$2"))
	}
	for _, ending := range all {
		left := least
		if len([]rune(ending)) > 2 {
			left++ // налога is no adjective
		}
		if rest, ok := strings.CutSuffix(word, ending); ok && len([]rune(rest)) >= left {
			word = rest
			break
		}
	}
	// A vowel that comes and goes: участок, участка.
	if letters := []rune(word); len(letters) > least+1 && letters[len(letters)-1] == 'к' && strings.ContainsRune("ае", letters[len(letters)-2]) {
		word = string(letters[:len(letters)-2]) + "к"
	}
	return word
}

// single writes letters once that stand twice.
func single(word string) string {
	return string(slices.Compact([]rune(word)))
}

// families are the forms of words that have no root in common.
var families = []string{
	"ребёнок дитя дети детей детьми детский ребята дзіця дзіцяці дзіцём дзеці дзіцячы",
	"человек люди людей чалавек людзі",
	"год лет гадоў",
	"мать матери маці маткі мама",
	"отец отца бацька",
	"дочь дочери дачка",
	"имя имени имён імені імёнаў",
	"день дня дзень дзён",
	"идти шёл ісці ішоў",
	"искать ищу шукаць",
	"рождение родился родилась родила родить рожала нараджэнне нарадзілася нарадзіць нарадзіўся народжаны рожать",
	"умереть умер умерла умерли смерть умерший памерці памёр смерць памерлы",
	"потерять потеря утеря утерять утерян утеряла утратить утрата утраченный страціць страта страчаны згубіць згублены",
	"украсть украденный украли красть скрасці скралі скрадзены",
	"развод развестись развёлся разводиться",
	"жениться женитьба женился ажаніцца ажаніўся ажаніліся",
	"переезд переехал переехать переезжать пераезд пераехаў пераехаць пераязджаць",
	"брать взять браць узяць",
	"дапамога дапамогу",
	"marriage married marry marries",
	"child children kid",
	"person people",
	"die died dead death dying",
	"lose lost losing loss",
	"buy bought buying",
	"steal stolen stole",
	"born birth",
	"wife wives",
	"man men",
	"woman women",
}

// heads are the root of the first of each family by the stems of all.
var heads = func() map[string]string {
	all := map[string]string{}
	for _, family := range families {
		words := strings.Fields(fold(family))
		for _, word := range words {
			all[stem(word)] = stem(words[0])
		}
	}
	return all
}()

// silent are folded words that stand in too many questions to tell anything.
var silent = func() map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(fold(`
		а без бы был быть в во вы где для до его ее если есть еще же за и из или их к как какой какая какое какие какую ко когда кто куда ли либо
		мне мной можно мой моя мое мои мы на над надо нам нас не нет ни но ну нужен нужна нужно о об он она они от по под при про с
		сам себе себя свой со так то того тоже только у уже хотеть хочу хочет сколько что чтобы это этот я получить оформить подать сделать
		аб ад альбо бо быў быць ва вам вас вы гэта дзе да ёсць ж з за зрабіць і із іх к калі колькі каб ка куды мае мне можна мой мая маё мы на
		над нам не няма ні ну па пад патрэбен патрэбна патрэбны пра пры са свой сябе так таксама толькі трэба у ўжо хачу хто хоча
		ці чаго што як якая якое якую якія які атрымаць аформіць падаць
		a an and any are as at be by can do does for from get getting has have how i if in into is it its me my no not of on one or our
		please so some somebody than that the their them there they this to up want was we what when where which who whom will
		with you your`)) {
		all[word] = true
	}
	return all
}()
