//go:build pkcs11

package keys_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/keys"
)

// softHSM is a token of Debian's softhsm2, a hardware module without hardware, for this test alone.
func softHSM(t *testing.T) keys.HSM {
	t.Helper()
	libraries, _ := filepath.Glob("/usr/lib/*/softhsm/libsofthsm2.so")
	if len(libraries) == 0 {
		t.Fatal("apt-get install softhsm2")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+dir+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	create := exec.CommandContext(t.Context(), "softhsm2-util", "--init-token", "--free", "--label", "idp", "--so-pin", "12345678", "--pin", "1234")
	if out, err := create.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := keys.OpenPKCS11(keys.PKCS11{Module: libraries[0], Token: "other", PIN: "1234"}); err == nil {
		t.Error("a token that there is not was opened")
	}
	hsm, err := keys.OpenPKCS11(keys.PKCS11{Module: libraries[0], Token: "idp", PIN: "1234"})
	if err != nil {
		t.Fatal(err)
	}
	return hsm
}

// Private keys are made in the module and stay there: every node signs with them, none has them, the database has their
// labels; and once a key has retired and all nodes have followed, the module destroys it.
func TestAModuleHoldsThePrivateKeys(t *testing.T) {
	hsm := softHSM(t)
	pool := pgtest.New(t)
	cfg := config(t, pool)
	clock := noon
	cfg.HSM, cfg.Now = hsm, func() time.Time { return clock }
	node, other := newRing(t, cfg), newRing(t, cfg)
	sealed := func() (algs []string) {
		rows, _ := pool.Query(t.Context(), `SELECT DISTINCT alg FROM signing_key WHERE private_key IS NOT NULL`)
		algs, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return algs
	}
	if got := sealed(); !slices.Equal(got, []string{"EdDSA"}) {
		t.Errorf("sealed in the database are %v, want those alone that the module cannot make", got)
	}
	for _, alg := range keys.Algorithms {
		signed, _ := sign(t, node, alg)
		if err := verify(t.Context(), other, signed); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}

	if err := node.Tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(time.Hour)
	old := label(t, node, keys.Active)
	if err := node.Rotate(t.Context(), keys.Rotation{Alg: jose.ES256}); err != nil {
		t.Fatal(err)
	}
	signed, _ := sign(t, other, jose.ES256) // it has not seen the rotation yet
	if err := verify(t.Context(), node, signed); err != nil {
		t.Errorf("a node that is behind: %v", err)
	}
	tend := func() error {
		t.Helper()
		err := node.Tend(t.Context())
		if _, lost := hsm.Find(label(t, node, keys.Active)); lost != nil {
			t.Errorf("the active key is lost: %v", lost)
		}
		return err
	}
	if err := tend(); err != nil || label(t, node, keys.Retired) != old {
		t.Errorf("destroyed before all nodes can have followed, or %v", err)
	}
	clock = clock.Add(time.Minute)
	heal := pgtest.FailOn(t, pool, "INSERT", "event")
	if tend() == nil || label(t, node, keys.Retired) != old {
		t.Error("forgotten without a record")
	}
	heal()
	if err := tend(); err != nil || label(t, node, keys.Retired) != "" {
		t.Errorf("not forgotten: %v", err)
	}
	if _, err := hsm.Find(old); err == nil {
		t.Error("the module still has the retired key")
	}

	cfg.HSM = nil
	if _, err := keys.New(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "hardware security module") {
		t.Errorf("without the module: got %v", err)
	}
}

// label is that of the ES256 key in a state.
func label(t *testing.T, ring *keys.Ring, state keys.State) string {
	t.Helper()
	all, err := ring.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all {
		if k.Alg == jose.ES256 && k.State == state {
			return k.Label
		}
	}
	t.Fatalf("no ES256 key is %s", state)
	return ""
}
