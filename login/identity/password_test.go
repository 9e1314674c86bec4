package identity

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"

	"asoba.example/login/hashing"
)

func TestATemporaryPasswordIsReadableAndFresh(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	count := map[rune]int{}
	for range 3100 {
		p := formTemporary(10)
		if len(p) != 11 || p[5] != '-' || strings.Trim(p[:5]+p[6:], symbols) != "" {
			t.Fatalf("%q is not XXXXX-XXXXX", p)
		}
		if seen[p] {
			t.Fatalf("%q came twice", p)
		}
		seen[p] = true
		for _, c := range foldTemporary(p) {
			count[c]++
		}
	}
	for _, c := range symbols { // 1000 of each are expected; a quarter more or less is eight deviations
		if n := count[c]; n < 750 || n > 1250 {
			t.Errorf("%c came %d times of 31000", c, n)
		}
	}
}

// A temporary password of any length that can be settled stands in groups of five, and is known again in a static one
// (OWASP ASVS 5.0 6.4.1).
func TestATemporaryPasswordOfAnyLengthIsReadableAndKnownAgain(t *testing.T) {
	t.Parallel()
	for n, form := range map[int]string{10: "XXXXX-XXXXX", 11: "XXXXX-XXXXX-X", 14: "XXXXX-XXXXX-XXXX", 15: "XXXXX-XXXXX-XXXXX"} {
		p := formTemporary(n)
		masked := strings.Map(func(c rune) rune {
			if strings.ContainsRune(symbols, c) {
				return 'X'
			}
			return c
		}, p)
		if masked != form {
			t.Errorf("%q is not %s", p, form)
		}
		folded := foldTemporary(strings.ToLower(p))
		if len(folded) != n {
			t.Errorf("%q is read as %q", p, folded)
		}
		for _, static := range []string{p, "мой " + p, strings.ToLower(p) + "!!"} {
			if !slices.Contains(derived(static), folded) {
				t.Errorf("%q is not known in %q", p, static)
			}
		}
	}
}

func TestAHashIsGoodForOnePersonOnly(t *testing.T) {
	t.Parallel()
	h := newHasher([]byte("pepper"), usual, hashing.Here{}, 2)
	person, other := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	hash, err := h.hash(t.Context(), person, "right")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("kept as %s", hash)
	}
	kept, peppered := []string{hash}, newHasher([]byte("another"), usual, hashing.Here{}, 2)
	for what, got := range map[string]func() (bool, error){
		"the right one":    func() (bool, error) { return h.matches(t.Context(), person, true, kept, "right") },
		"one of two":       func() (bool, error) { return h.matches(t.Context(), person, false, kept, "wrong", "right") },
		"a wrong one":      func() (bool, error) { return h.matches(t.Context(), person, true, kept, "wrong") },
		"another person's": func() (bool, error) { return h.matches(t.Context(), other, true, kept, "right") },
		"another pepper's": func() (bool, error) { return peppered.matches(t.Context(), person, true, kept, "right") },
		"nobody's":         func() (bool, error) { return h.matches(t.Context(), person, true, h.against("", nil), "right") },
	} {
		want := what == "the right one" || what == "one of two"
		if ok, err := got(); err != nil || ok != want {
			t.Errorf("%s: %v, %v", what, ok, err)
		}
	}
}

// A storm of strangers leaves a place for people at their own browsers, and nobody waits without end.
func TestStrangersDoNotFillTheGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate{t, newHasher([]byte("pepper"), usual, hashing.Here{}, 2)}
		leave := g.enter(false, 1)
		g.full(false, 1)
		leaveKnown := g.enter(true, 1)
		g.full(true, 1)
		leave()
		leaveKnown()
		for range 10 { // every place was given back
			g.enter(false, 1)()
		}
	})
}

// Each lane is a processor, and takes a place as a password of one lane does; those that have more of them than there are places take all, and a
// stranger's all but one.
func TestEachLaneTakesAPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := gate{t, newHasher([]byte("pepper"), func() Cost { return Cost{Memory: 19, Passes: 2, Lanes: 4} }, hashing.Here{}, 4)}
		leave := g.enter(true, 3)
		g.full(true, 2)
		one := g.enter(true, 1)
		leave()
		g.full(true, 4)
		one()
		all := g.enter(true, 4)
		g.full(true, 1)
		all()
		storm := g.enter(false, 4)
		g.full(false, 1)
		own := g.enter(true, 1)
		for _, leave := range []func(){own, storm} {
			began := time.Now()
			if _, err := g.hashNow(uuid.Nil, "any"); !errors.Is(err, ErrBusy) || !time.Now().Equal(began) {
				t.Errorf("hashed where no place was free, or waited %v: %v", time.Since(began), err)
			}
			leave()
		}
		wide := dummy("m=1024,t=1,p=4")
		last := g.enter(true, 1)
		if _, err := g.matches(t.Context(), uuid.Nil, true, []string{wide}, "any"); !errors.Is(err, ErrBusy) {
			t.Errorf("four lanes were compared at three places: %v", err)
		}
		last()
		if right, err := g.matches(t.Context(), uuid.Nil, true, []string{wide}, "any"); right || err != nil {
			t.Errorf("at four places: %t, %v", right, err)
		}
	})
}

// A gate is the places of a hasher.
type gate struct {
	*testing.T
	*hasher
}

func (g gate) enter(known bool, lanes int) (leave func()) {
	g.Helper()
	leave, err := g.hasher.enter(g.Context(), known, lanes)
	if err != nil {
		g.Fatal(err)
	}
	return leave
}

// full waits in vain.
func (g gate) full(known bool, lanes int) {
	g.Helper()
	if _, err := g.hasher.enter(g.Context(), known, lanes); !errors.Is(err, ErrBusy) {
		g.Fatalf("one too many came in: %v", err)
	}
}

func TestAStaticPasswordIsLongAndOnesOwn(t *testing.T) {
	t.Parallel()
	common, err := readCommon()
	if err != nil {
		t.Fatal(err)
	}
	id, err := ParseIdentifier("7000001A000PB8")
	if err != nil {
		t.Fatal(err)
	}
	phone, err := ParsePhone("+375294911911")
	if err != nil {
		t.Fatal(err)
	}
	words := about(Identity{
		Identifier: id, Phone: phone,
		Names: Names{Family: "Каваленка", Given: "Алена", Middle: "Пятроўна"},
	}, "1956-03-08")
	for password, want := range map[string]string{
		"бусел ляціць на поўдзень":      "",
		"correct horse battery":         "",
		"Kh7#mQ2!vZp9":                  "",
		"люблю свой старый велосипед":   "",
		"мой пароль от портала длинный": "",
		"короткий":                      wordShort,
		"elevenchars":                   wordShort,
		strings.Repeat("ўё", 64) + "a":  wordLong,
		"":                              wordShort,
		"qwertyuiop123":                 wordCommon,
		"Passwordpassword":              wordCommon,
		"ghbdtnrfrltkf":                 wordCommon,
		"приветкакдела":                 wordCommon, // the same keys
		"112233445566":                  wordCommon,
		"ab1ab1ab1ab1ab1":               wordSimple,
		"абвабвабвабвабв":               wordSimple,
		"bcdefghijklmno":                wordSimple,
		"каваленка1956":                 wordPersonal,
		"Kavalenka-Alena":               wordPersonal,
		"rfdfktyrf08031956":             wordPersonal, // Каваленка on the other layout
		"7000001a000pb8":                wordPersonal,
		"+375294911911":                 wordPersonal,
		"parol4911911parol":             wordPersonal,
		"Беларусь-Мінск-08.03":          wordPersonal,
		"7000001 a-000 pb8":             wordPersonal, // as people write them
		"7000001А000РВ8":                wordPersonal, // in Cyrillic letters
		"7000001А000ПБ8":                wordPersonal, // by their sounds
		"7000001Ф000ЗИ8":                wordPersonal, // on the other layout
		"7ooooo1AOOOPB8":                wordPersonal, // in letters that look like digits
		"7OOOOOIAOOOРВ8":                wordPersonal,
		"8BP000A1000007":                wordPersonal, // backwards
		"８ВР-000-А-1000007":             wordPersonal,
		"7_0_0_0_0_0_1_A_0_0_0_P_B_8":   wordPersonal,
		"11 91 194 92 573":              wordPersonal,
		"акнелавак-1956":                wordPersonal,
		"+375 (29) 491-19-11":           wordPersonal,
		"8 029/491/19/11":               wordPersonal,
		"08.03.1956-08.03.56":           wordPersonal,
		"MP 1234567 пароль":             wordPersonal, // anybody's document
		"К а в а л е н к а":             wordPersonal,
		"P@ssw0rd2026!":                 wordPersonal, // in signs that look like letters
		"К@в@ленк@-!!!":                 wordPersonal,
		"!@#$%^&*()_+":                  wordSimple, // with Shift held
		`!"№;%:?*()_+`:                  wordSimple,
	} {
		if got := (strength{twelve, many, common, readWords()}).judge(password, words); got != want {
			t.Errorf("%q: got %q, want %q", password, got, want)
		}
	}
	settled := strength{func() int { return 15 }, func() int { return 64 }, common, readWords()}
	if got := settled.judge("Kh7#mQ2!vZp9aB", words); got != wordShort {
		t.Errorf("fourteen where fifteen are settled: got %q", got)
	}
	if got := settled.judge(strings.Repeat("Kh7#mQ2!vZp9aB ", 5), words); got != wordLong {
		t.Errorf("seventy-five where sixty-four are settled: got %q", got)
	}
}

// What is made of a word or two that many choose is what many choose (NIST SP 800-63B-4 §3.1.1.2): repeated, joined, with digits and signs, in
// either language, spelling and layout, forwards and backwards. A phrase is not, though each of its words be common.
func TestAWordOrTwoThatManyChooseAreNoPassword(t *testing.T) {
	t.Parallel()
	s := strength{twelve, many, nil, readWords()}
	for _, password := range []string{
		"россияроссия", "hjccbzhjccbz", "rossiyarossiya", "яиссоряиссор",
		"телефонтелефон", "ntktajyntktajy", "Телефон-Телефон!", "12.34.56.телефон", "телефон12345я",
		"александр12345", "fktrcfylh12345", "Алёнка и Вова 2010", "Аленка-и-Вова-2010",
		"ятебялюблютебя", "люблюмамуипапу", "якахаюкахаюякахаю",
		"динамоминск1", "лето2024зима2025", "путинвладимир", "йцукен12345йцукен",
		"сонейка-2007-зорачка", "воўк-зубр-воўк-2024", "нёманнёман123456", "неман123456неман",
		"monkeydragon1", "ьщтлунвкфпщт1", "пр1вет-пр1вет", "sonechny-sakavik-77", "monkeydr@gon",
	} {
		if got := s.judge(password, nil); got != wordWords {
			t.Errorf("%q: got %q", password, got)
		}
	}
	for _, password := range []string{
		"мама, велосипед и дождь", "солнце море дом я", "зима весна лето осень", "воўк мядзведзь заяц ліса",
		"семь зелёных яблок на столе", "зимой кошка спит на печке", "кава з малаком раніцай", "сонца ўзышло над Нёманам",
		"телефон чебурек", "александр ходит пешком", "847392017465", "россия-Kh7mQ", "8473-9201-7465-5012",
	} {
		if got := s.judge(password, nil); got != "" {
			t.Errorf("%q: got %q", password, got)
		}
	}
}

// Walks over the keys are few, and what is said again is no longer for it (NIST SP 800-63B-4 §3.1.1.2). What is put together of words that are its
// person's own, or by chance, is neither.
func TestWalksOverTheKeysAndWhatIsSaidAgainAreNoPassword(t *testing.T) {
	t.Parallel()
	common, err := readCommon()
	if err != nil {
		t.Fatal(err)
	}
	s := strength{twelve, many, common, readWords()}
	for _, password := range []string{
		"1234qwerQWER", "147258369147", "147-258-369-741", "!@#$uhb^&*(okm", "фывапролджэ-йцу", "йфяцычувс321", "789456123789", "zse4rfvcde3x", "asdfgzxcvb567",
		"trustno1trust", "чебурекчебурек", "elephant-elephant", "ветразь2ветразь", "Жаўрук і жаўрук",
	} {
		if got := s.judge(password, nil); got == "" {
			t.Errorf("%q is taken", password)
		}
	}
	good := func(password string) {
		t.Helper()
		if got := s.judge(password, nil); got != "" {
			t.Errorf("%q: got %q", password, got)
		}
	}
	for _, words := range [][]string{
		{"ровар", "жаўрук", "палатно", "гарбуз", "хмара", "цвік", "талерка", "бераг"},
		{"велосипед", "жаворонок", "полотно", "тыква", "туча", "гвоздь", "ложка", "берег"},
		{"bicycle", "skylark", "canvas", "pumpkin", "cloud", "hammer", "spoon", "shore"},
	} {
		for i, first := range words {
			for j, second := range words {
				for k, third := range words {
					if i != j && j != k && k != i {
						good(first + " " + second + " " + third)
						good(first + second + third + words[(k+1)%len(words)])
					}
				}
			}
		}
	}
	good("}{~|>+*<\\`}?")
	chance := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		for _, signs := range []string{"0123456789", "abcdefghijklmnopqrstuvwxyz", "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"} {
			password := make([]byte, 14)
			for i := range password {
				password[i] = signs[chance.IntN(len(signs))]
			}
			if s.judge(string(password), nil) == wordSimple {
				t.Errorf("%q is simple", password)
			}
		}
	}
}

func twelve() int { return 12 }
func many() int   { return 128 }

func usual() Cost { return Cost{Memory: 19, Passes: 2, Lanes: 1} }

// No password is cheaper to try than OWASP ASVS 5.0 appendix C allows, and none so dear that a few of them fill a node.
func TestACostHasItsBounds(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"19MiB t=2 p=1", "46MiB t=1 p=1", "12MiB t=3 p=1", "64MiB t=3 p=4", "32MiB t=6 p=1"} {
		if c, err := ParseCost(s); err != nil || c.String() != s {
			t.Errorf("%s: %v, %v", s, c, err)
		}
	}
	for _, s := range []string{
		"18MiB t=2 p=1", "45MiB t=1 p=1", "11MiB t=6 p=1", "19MiB t=1 p=1", "65MiB t=1 p=1", "64MiB t=4 p=1", "19MiB t=7 p=1", "19MiB t=2 p=5", "19MiB t=2 p=0",
		"-19MiB t=-2 p=1", "+19MiB t=2 p=1", "019MiB t=2 p=1", "19MiB  t=2 p=1", "19MiB t=2 p=1 ", "19 t=2 p=1", "19GiB t=2 p=1", "99999999999999999999MiB t=2 p=1", "",
	} {
		if c, err := ParseCost(s); !errors.Is(err, ErrCost) || c != (Cost{}) {
			t.Errorf("%q: %v, %v", s, c, err)
		}
	}
}

// Nobody is told apart by the time (OWASP ASVS 5.0 6.3.8): neither who has no password, nor who has not had it hashed anew since another cost was
// settled. Each is compared once at every cost that there is.
func TestEveryPasswordCostsAsMuch(t *testing.T) {
	t.Parallel()
	const former, now, next = "m=12288,t=3,p=2", "m=19456,t=2,p=1", "m=47104,t=1,p=1"
	cost := usual()
	h := newHasher([]byte("pepper"), func() Cost { return cost }, hashing.Here{}, 2)
	for _, settled := range []struct {
		cost Cost
		all  []string
	}{
		{usual(), []string{former, now}},
		{Cost{Memory: 46, Passes: 1, Lanes: 1}, []string{former, now, next}},
	} {
		cost = settled.cost
		for _, hash := range []string{"", dummy(former), dummy(now)} {
			against := h.against(hash, []string{former, now})
			var all []string
			for _, hash := range against {
				_, salt, key, err := argon2id.DecodeHash(hash)
				if err != nil || len(salt) != 16 || len(key) != 32 {
					t.Errorf("a dummy %s: %v", hash, err)
				}
				all = append(all, paramsOf(hash))
			}
			slices.Sort(all)
			if !slices.Equal(all, settled.all) {
				t.Errorf("a hash of %q is compared at %q, want %q", paramsOf(hash), all, settled.all)
			}
			if hash != "" && against[0] != hash {
				t.Errorf("%s is not among them, the first", hash)
			}
		}
	}
}

func FuzzAnyPasswordCanBeJudged(f *testing.F) {
	f.Add("бусел ляціць на поўдзень", "Каваленка")
	f.Add("\xff\xfe aaaaaaaaaaaaaa", "")
	f.Fuzz(func(t *testing.T, password, name string) {
		words := about(Identity{Names: Names{Family: name}}, "1956-03-08")
		_ = strength{shortest: twelve, longest: many, words: readWords()}.judge(password, words)
		for _, p := range derived(password) {
			if len(p) < FewestSymbols || len(p) > MostSymbols {
				t.Errorf("%q is no temporary password", p)
			}
		}
	})
}
