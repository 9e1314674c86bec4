// Package browser is the browsers a person is known to sign in from.
package browser

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Browsers remembers them: a cookie with a random token, and its digest by person.
type Browsers struct {
	Pool   *pgxpool.Pool
	Secure bool
	For    time.Duration // 180 days
	Now    func() time.Time
}

// Known tells whether this browser is known for the person.
func (b *Browsers) Known(ctx context.Context, r *http.Request, person uuid.UUID) (bool, error) {
	panic("unwritten")
}

// Remember makes it known.
func (b *Browsers) Remember(ctx context.Context, w http.ResponseWriter, r *http.Request, person uuid.UUID) error {
	panic("unwritten")
}

// Forget forgets all of a person's browsers.
func (b *Browsers) Forget(ctx context.Context, person uuid.UUID) error { panic("unwritten") }

// Agent names the kind of browser and system of a request, "Firefox, Linux"; never the header itself.
func Agent(r *http.Request) string { panic("unwritten") }
