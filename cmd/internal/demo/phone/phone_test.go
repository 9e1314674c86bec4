package phone_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"asoba.example/cmd/internal/demo/phone"
)

const to = "+375294000001"

func network(t *testing.T, path string) *phone.Network {
	t.Helper()
	n, err := phone.Open(path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	return n
}

func send(t *testing.T, n *phone.Network, id, text string) {
	t.Helper()
	w := httptest.NewRecorder()
	body := `{"id":"` + id + `","kind":"code","to":"` + to + `","text":"` + text + `"}`
	n.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body)))
	if w.Code != http.StatusNoContent {
		t.Fatalf("the gateway answered %d", w.Code)
	}
}

// A message that is sent again, because the answer was lost, stands on the phone once.
func TestAMessageStandsOnce(t *testing.T) {
	t.Parallel()
	n := network(t, "")
	send(t, n, "1", "first")
	send(t, n, "2", "second")
	send(t, n, "1", "first")
	got := n.On(to)
	if len(got) != 2 || got[0].Text != "second" || got[1].Text != "first" {
		t.Errorf("on the phone: %+v", got)
	}
	if others := n.On("+375294000002"); len(others) != 0 {
		t.Errorf("on another phone: %+v", others)
	}
}

// Messages outlive a run, and one that was killed while writing spoils no other message.
func TestMessagesAreKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sms")
	before := network(t, path)
	send(t, before, "1", "first")
	before.Close()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteString("\n{\"id\":\"2\",\"to"); err != nil {
		t.Fatal(err)
	}
	file.Close()
	send(t, network(t, path), "3", "third")
	after := network(t, path)
	send(t, after, "1", "first")
	if got := after.On(to); len(got) != 2 || got[0].Text != "third" || got[1].Text != "first" {
		t.Errorf("on the phone: %+v", got)
	}
}

// Codes and temporary passwords of every length can be read out of a text in any language, beside other numbers.
func TestSecretsAreReadOutOfTexts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ kind, code, password string }{
		"Единый вход: код 042137. Никому его не говорите.":                              {"code", "042137", ""},
		"Single sign-in: code 00421379, good for 5 minutes. Do not tell it to anybody.": {"code", "00421379", ""},
		"Single sign-in: temporary password K7QWE-9PDXM, good until 25.11 14:00.":       {"temporary_password", "", "K7QWE-9PDXM"},
		"Часовы пароль 23456-78923, да 25.11 14:00. Тэл. 1234567":                       {"temporary_password", "", "23456-78923"},
		"Часовы пароль 23456-78923-K, да 25.11 14:00.":                                  {"temporary_password", "", "23456-78923-K"},
		"Временный пароль K7QWE-9PDXM-23456, до 25.11 14:00.":                           {"temporary_password", "", "K7QWE-9PDXM-23456"},
		"Ваш идентификатор заблокирован 22.11 15:04. Тел. 1234567":                      {"notice", "", ""},
	} {
		m := phone.Message{Kind: want.kind, Text: text}
		if m.Code() != want.code || m.TemporaryPassword() != want.password {
			t.Errorf("%s: got %q and %q", text, m.Code(), m.TemporaryPassword())
		}
	}
}
