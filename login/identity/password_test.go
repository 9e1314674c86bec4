package identity

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"
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
	h := newHasher([]byte("pepper"), usual, 2)
	person, other := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	hash, err := h.hash(t.Context(), person, "right")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("kept as %s", hash)
	}
	peppered := newHasher([]byte("another"), usual, 2)
	for what, got := range map[string]func() (bool, error){
		"the right one":    func() (bool, error) { return h.matches(t.Context(), person, hash, true, "right") },
		"one of two":       func() (bool, error) { return h.matches(t.Context(), person, hash, false, "wrong", "right") },
		"a wrong one":      func() (bool, error) { return h.matches(t.Context(), person, hash, true, "wrong") },
		"another person's": func() (bool, error) { return h.matches(t.Context(), other, hash, true, "right") },
		"another pepper's": func() (bool, error) { return peppered.matches(t.Context(), person, hash, true, "right") },
		"nobody's":         func() (bool, error) { return h.matches(t.Context(), person, "", true, "right") },
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
	h := newHasher([]byte("pepper"), usual, 2)
	leave, err := h.enter(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.enter(gone, false); !errors.Is(err, context.Canceled) {
		t.Fatalf("a second stranger came in: %v", err)
	}
	leaveKnown, err := h.enter(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.enter(gone, true); !errors.Is(err, context.Canceled) {
		t.Fatalf("a third one came in: %v", err)
	}
	leave()
	leaveKnown()
	for range 10 { // every place was given back
		leave, err := h.enter(t.Context(), false)
		if err != nil {
			t.Fatal(err)
		}
		leave()
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
	} {
		if got := (strength{twelve, many, common}).judge(password, words); got != want {
			t.Errorf("%q: got %q, want %q", password, got, want)
		}
	}
	settled := strength{func() int { return 15 }, func() int { return 64 }, common}
	if got := settled.judge("Kh7#mQ2!vZp9aB", words); got != wordShort {
		t.Errorf("fourteen where fifteen are settled: got %q", got)
	}
	if got := settled.judge(strings.Repeat("Kh7#mQ2!vZp9aB ", 5), words); got != wordLong {
		t.Errorf("seventy-five where sixty-four are settled: got %q", got)
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

// Whoever has no password is compared at the cost that is settled, so that nobody is told apart by the time.
func TestNobodysPasswordCostsAsMuch(t *testing.T) {
	t.Parallel()
	cost := Cost{Memory: 12, Passes: 3, Lanes: 2}
	h := newHasher([]byte("pepper"), func() Cost { return cost }, 2)
	for range 2 {
		made, salt, key, err := argon2id.DecodeHash(h.dummy())
		if err != nil || *made != *h.params() || len(salt) != 16 || len(key) != 32 {
			t.Errorf("a dummy of %+v: %+v, %v", cost, made, err)
		}
		if ok, err := h.matches(t.Context(), uuid.New(), "", true, "any"); ok || err != nil {
			t.Errorf("it matches: %t, %v", ok, err)
		}
		cost = usual()
	}
}

func FuzzAnyPasswordCanBeJudged(f *testing.F) {
	f.Add("бусел ляціць на поўдзень", "Каваленка")
	f.Add("\xff\xfe aaaaaaaaaaaaaa", "")
	f.Fuzz(func(t *testing.T, password, name string) {
		words := about(Identity{Names: Names{Family: name}}, "1956-03-08")
		_ = strength{shortest: twelve, longest: many}.judge(password, words)
		for _, p := range derived(password) {
			if len(p) < FewestSymbols || len(p) > MostSymbols {
				t.Errorf("%q is no temporary password", p)
			}
		}
	})
}
