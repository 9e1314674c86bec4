// Package clerk is the desk's staff: people with an identifier, an office and a role.
package clerk

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrUnknown says that the person is no clerk.
var ErrUnknown = errors.New("no such clerk")

// A Clerk acts at a desk.
type Clerk struct {
	Person uuid.UUID
	Office string
	Role   string // clerk, supervisor, operator, auditor
}

// Clerks keeps them.
type Clerks struct {
	Pool *pgxpool.Pool
}

// Add makes a person a clerk.
func (c *Clerks) Add(ctx context.Context, clerk Clerk, at time.Time) error { panic("unwritten") }

// Find gives a clerk or ErrUnknown.
func (c *Clerks) Find(ctx context.Context, person uuid.UUID) (Clerk, error) { panic("unwritten") }
