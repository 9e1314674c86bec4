package seal_test

import (
	"bytes"
	"errors"
	"strconv"
	"testing"
	"time"

	"asoba.example/migrations/pgtest"
	"asoba.example/provider/seal"
)

// A new key seals once every node knows it; what was sealed before opens as it did, and can be sealed anew, in its place.
func TestWhatSealsIsRotated(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *seal.Box {
		t.Helper()
		box, err := seal.Open(t.Context(), pool, master, noon)
		if err != nil {
			t.Fatal(err)
		}
		return box
	}
	box, other := open(), open()
	exec(`CREATE TABLE drawer (id bigint PRIMARY KEY, thing bytea)`)
	const rows = 1234
	for i := range rows {
		sealed, err := box.Seal("drawer:thing:"+strconv.Itoa(i), []byte("thing"))
		if err != nil {
			t.Fatal(err)
		}
		exec(`INSERT INTO drawer VALUES ($1, $2)`, i, sealed)
	}
	exec(`INSERT INTO drawer VALUES ($1, NULL)`, rows)
	mark := func(b *seal.Box) []byte {
		t.Helper()
		sealed, err := b.Seal("", nil)
		if err != nil {
			t.Fatal(err)
		}
		return sealed[:5]
	}
	old := mark(box)

	if done, err := box.Rotate(t.Context(), noon); err != nil || done {
		t.Fatalf("the first time: %t, %v", done, err)
	}
	if !bytes.Equal(mark(box), old) {
		t.Error("a key seals that other nodes do not know")
	}
	if _, err := box.Rotate(t.Context(), noon.Add(seal.Lead-1)); !errors.Is(err, seal.ErrTooSoon) {
		t.Errorf("too soon: %v", err)
	}
	if err := other.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if done, err := box.Rotate(t.Context(), noon.Add(seal.Lead)); err != nil || !done {
		t.Fatalf("after its time: %t, %v", done, err)
	}
	if bytes.Equal(mark(box), old) || !bytes.Equal(mark(other), old) {
		t.Error("the new key does not seal here, or seals elsewhere already")
	}
	sealed, err := box.Seal("drawer:thing:0", []byte("new"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := other.Open("drawer:thing:0", sealed); err != nil || string(plain) != "new" {
		t.Errorf("a node that does not seal by it yet: %s, %v", plain, err)
	}

	told := 0
	for range 2 { // the second time there is nothing left
		if err := box.Reseal(t.Context(), seal.Column{Table: "drawer", Name: "thing", Row: "id"}, func() { told++ }); err != nil {
			t.Fatal(err)
		}
	}
	var left int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM drawer WHERE substring(thing FROM 1 FOR 5) = $1`, old).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if told != rows || left != 0 {
		t.Errorf("%d of %d were sealed anew, %d are under the old key", told, rows, left)
	}
	var last []byte
	if err := pool.QueryRow(t.Context(), `SELECT thing FROM drawer WHERE id = $1`, rows-1).Scan(&last); err != nil {
		t.Fatal(err)
	}
	if plain, err := open().Open("drawer:thing:"+strconv.Itoa(rows-1), last); err != nil || string(plain) != "thing" {
		t.Errorf("after it was sealed anew: %s, %v", plain, err)
	}
}

// A former key opens nothing any more once all is sealed anew and its time is over, and not before. A rotation that was broken off goes on
// with the key that it has made.
func TestAFormerKeyIsRetired(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	box, err := seal.Open(t.Context(), pool, master, noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), `CREATE TABLE drawer (id bigint PRIMARY KEY, thing bytea)`); err != nil {
		t.Fatal(err)
	}
	sealed, err := box.Seal("drawer:thing:1", []byte("thing"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(t.Context(), `INSERT INTO drawer VALUES (1, $1), (2, NULL)`, sealed); err != nil {
		t.Fatal(err)
	}
	drawer := seal.Column{Table: "drawer", Name: "thing", Row: "id"}
	retire := func(at time.Time, want int, meaning error) {
		t.Helper()
		if gone, err := box.Retire(t.Context(), []seal.Column{drawer}, at); gone != want || !errors.Is(err, meaning) {
			t.Errorf("got %d, %v, want %d, %v", gone, err, want, meaning)
		}
	}
	retire(noon.Add(seal.Keep), 0, nil) // there is none
	since := noon.Add(seal.Lead)
	for n, want := range []bool{false, true, true, true} { // what is broken off from here on is gone on with
		if done, err := box.Rotate(t.Context(), noon.Add(time.Duration(n)*seal.Lead)); err != nil || done != want {
			t.Fatalf("time %d: %t, %v", n, done, err)
		}
	}
	retire(since.Add(seal.Keep), 0, seal.ErrNeeded) // for what is not sealed anew
	if err := box.Reseal(t.Context(), drawer, func() {}); err != nil {
		t.Fatal(err)
	}
	retire(since.Add(seal.Keep-1), 0, seal.ErrNeeded) // for what lies elsewhere
	if _, err := box.Open("drawer:thing:1", sealed); err != nil {
		t.Errorf("while it is needed: %v", err)
	}
	retire(since.Add(seal.Keep), 1, nil)
	if _, err := box.Open("drawer:thing:1", sealed); err == nil {
		t.Error("the former key opens what it has sealed")
	}
	if err := pool.QueryRow(t.Context(), `SELECT thing FROM drawer WHERE id = 1`).Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	if plain, err := box.Open("drawer:thing:1", sealed); err != nil || string(plain) != "thing" {
		t.Errorf("what was sealed anew: %s, %v", plain, err)
	}
	if done, err := box.Rotate(t.Context(), since.Add(seal.Keep)); err != nil || done {
		t.Errorf("another rotation: %t, %v", done, err)
	}
}

// Under another master key all is as it was, and the old one opens nothing any more.
func TestTheMasterKeyIsReplaced(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	box, err := seal.Open(t.Context(), pool, master, noon)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := box.Seal("a:b:c", []byte("thing"))
	if err != nil {
		t.Fatal(err)
	}
	pepper, err := box.Key("pepper")
	if err != nil {
		t.Fatal(err)
	}
	fresh := bytes.Repeat([]byte{2}, seal.MasterKeySize)
	if err := seal.Rewrap(t.Context(), pool, fresh, master); !errors.Is(err, seal.ErrMaster) {
		t.Errorf("from a key that is not the one: %v", err)
	}
	if err := seal.Rewrap(t.Context(), pool, master, fresh); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Open(t.Context(), pool, master, noon); !errors.Is(err, seal.ErrMaster) {
		t.Errorf("the old one: %v", err)
	}
	again, err := seal.Open(t.Context(), pool, fresh, noon)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := again.Open("a:b:c", sealed); err != nil || string(plain) != "thing" {
		t.Errorf("got %s, %v", plain, err)
	}
	if same, err := again.Key("pepper"); err != nil || !bytes.Equal(same, pepper) {
		t.Errorf("the pepper is another: %v", err)
	}
}
