// Package wall keeps what is one citizen's, or one e-service's, from whoever asks for another, a second time: each statement of a door
// looks for one subject's rows, or one client's, and where one did not, PostgreSQL would still give no others (row-level security).
//
//	a door's connection ── sees nobody's rows
//	   └─ Queue(subject, client) ── the rest of that batch sees, and writes, theirs alone
//
// What is said ends with the transaction, so that nothing of it is left to the connection's next one. The program's own work, for
// all citizens, goes by other connections, which see all. A superuser's role looks over the wall: it is none to run a program by.
package wall

import (
	"cmp"

	"github.com/jackc/pgx/v5"
)

// nobody is a subject, and a client, that nobody is.
const nobody = "nobody"

// Settings are those of connections that see nobody's rows until they are told whose.
func Settings() map[string]string {
	return map[string]string{"cabinet.subject": nobody, "cabinet.client": nobody}
}

// Queue has the rest of a batch see what is a subject's, and what is a client's; "" is nobody.
func Queue(b *pgx.Batch, subject, client string) {
	const say = `SELECT set_config('cabinet.subject', $1, true), set_config('cabinet.client', $2, true)`

	b.Queue(say, cmp.Or(subject, nobody), cmp.Or(client, nobody))
}
