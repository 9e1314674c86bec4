package identity_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"asoba.example/login/identity"
	"asoba.example/login/identity/identitytest"
	"asoba.example/provider/seal"
)

// Phones, names and documents are sealed anew by another key: they are read as they were without the former one, and found by the same digests.
func TestWhatIsPersonalOutlivesTheKeyThatSealedIt(t *testing.T) {
	t.Parallel()
	w := identitytest.New(t)
	person, id := w.Active(t)
	presented := w.Assignment(t, person, 1)
	if err := w.Registry.AskPhone(t.Context(), person, w.Phone(t, 7777), identitytest.Act(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for n, done := 1, false; !done; n++ {
		var err error
		if done, err = w.Box.Rotate(t.Context(), identitytest.Noon.Add(time.Duration(n)*seal.Lead)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range identity.Sealed {
		anew := 0
		if err := w.Box.Reseal(t.Context(), c, func() { anew++ }); err != nil || anew != 1 {
			t.Errorf("%s.%s: %d sealed anew, %v", c.Table, c.Name, anew, err)
		}
	}
	destroyFormerKeys(t, w)

	who, err := w.Registry.Of(t.Context(), person)
	if err != nil || who.Phone != presented.Phone || who.Names != presented.Names {
		t.Errorf("phone and names are read as %v, %v: %v", who.Phone == presented.Phone, who.Names == presented.Names, err)
	}
	if asked, err := w.Registry.PhoneChangeOf(t.Context(), person); err != nil || asked.Phone != w.Phone(t, 7777) {
		t.Errorf("the phone that is asked for: %v", err)
	}
	var sealed []byte
	if err := w.Pool.QueryRow(t.Context(), `SELECT document FROM identity WHERE person_id = $1`, person).Scan(&sealed); err != nil {
		t.Fatal(err)
	}
	if document, err := w.Box.Open("identity:document:"+person.String(), sealed); err != nil || !strings.Contains(string(document), presented.Document.Number) {
		t.Errorf("the document: %v", err)
	}
	if found, err := w.Registry.Match(t.Context(), id, presented.Document.Number); err != nil || found.Person != person {
		t.Errorf("by the document: %v", err)
	}
	other, _ := w.Person(t)
	if err := w.Registry.Issue(t.Context(), w.Assignment(t, other, 1), identitytest.Act(time.Hour)); !errors.Is(err, identity.ErrPhoneTaken) {
		t.Errorf("the phone once more: %v", err)
	}
}

// destroyFormerKeys leaves but the key that seals.
func destroyFormerKeys(t *testing.T, w *identitytest.World) {
	t.Helper()
	place := []byte("key_set:wrapped:aead")
	master, err := subtle.NewAESGCM(make([]byte, seal.MasterKeySize))
	if err != nil {
		t.Fatal(err)
	}
	var wrapped []byte
	if err := w.Pool.QueryRow(t.Context(), `SELECT wrapped FROM key_set WHERE name = 'aead'`).Scan(&wrapped); err != nil {
		t.Fatal(err)
	}
	set, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(wrapped)), master, place)
	if err != nil {
		t.Fatal(err)
	}
	manager, former := keyset.NewManagerFromHandle(set), 0
	for _, key := range set.KeysetInfo().GetKeyInfo() {
		if key.GetKeyId() == set.KeysetInfo().GetPrimaryKeyId() {
			continue
		}
		if err := manager.Delete(key.GetKeyId()); err != nil {
			t.Fatal(err)
		}
		former++
	}
	if set, err = manager.Handle(); err != nil || former != 1 {
		t.Fatalf("%d former keys, %v", former, err)
	}
	var rest bytes.Buffer
	if err := set.WriteWithAssociatedData(keyset.NewBinaryWriter(&rest), master, place); err != nil {
		t.Fatal(err)
	}
	w.Exec(t, `UPDATE key_set SET wrapped = $1 WHERE name = 'aead'`, rest.Bytes())
	if err := w.Box.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}
