package factor

import (
	"context"
	"fmt"

	"github.com/google/uuid"
)

// Rename gives a passkey of a person's another name, which nobody else sees. One that is gone, or another's, stays as it is.
func (p *Passkeys) Rename(ctx context.Context, person, id uuid.UUID, name string) error {
	rows, err := p.rows(ctx, person)
	if err != nil {
		return err
	}
	const update = `UPDATE passkey SET credential = $3 WHERE id = $1 AND credential = $2`
	for _, w := range rows {
		if w.ID != id {
			continue
		}
		c, err := p.open(w)
		if err != nil {
			return err
		}
		c.Name = name
		sealed, err := p.seal(id, c)
		if err != nil {
			return err
		}
		if _, err := p.pool.Exec(ctx, update, id, w.Credential, sealed); err != nil {
			return fmt.Errorf("rename passkey %s: %w", id, err)
		}
	}
	return nil
}
