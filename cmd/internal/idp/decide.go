package idp

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"asoba.example/cmd/internal/settings"
	"asoba.example/provider/pair"
)

// decideCommand is for one of the operator's staff who decides upon what another has proposed.
func decideCommand[ID any](config reader, use, short string, parse func(string) (ID, error),
	decide func(cmd *cobra.Command, h *house, id ID, by uuid.UUID) error,
) *cobra.Command {
	var by string
	command := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parse(args[0])
			if err != nil {
				return err
			}
			return withHouse(cmd, config, func(h *house) error {
				who, err := h.staff(cmd, "--by", by)
				if err != nil {
					return err
				}
				return h.told(cmd.Context(), decide(cmd, h, id, who))
			})
		},
	}
	command.Flags().StringVar(&by, "by", "", "identification number of the operator's clerk who decides")
	settings.Require(command, "by")
	return command
}

// told names in an error who has decided already by their number, as whoever is at the terminal knows them.
func (h *house) told(ctx context.Context, err error) error {
	decided, ok := errors.AsType[*pair.DecidedError](err)
	if !ok || decided.By == uuid.Nil {
		return err
	}
	who, unknown := h.identities.Of(ctx, decided.By)
	if unknown != nil {
		return err
	}
	return fmt.Errorf("%w: %s by %s", pair.ErrDecided, decided.State, who.Identifier.Reveal())
}

// proposalArgument reads the id of a proposal; one that cannot be read is unknown.
func proposalArgument(unknown error) func(string) (uuid.UUID, error) {
	return func(arg string) (uuid.UUID, error) {
		id, err := uuid.Parse(arg)
		if err != nil {
			return uuid.Nil, fmt.Errorf("ID: %w", unknown)
		}
		return id, nil
	}
}

// stateFlag reads which proposals to list.
func stateFlag(flag string) (pair.State, error) {
	switch state := pair.State(flag); state {
	case "", pair.Open, pair.Approved, pair.Refused, pair.Withdrawn:
		return state, nil
	default:
		return "", errors.New("--state: neither open, approved, refused nor withdrawn")
	}
}

// dayFlag reads a day.
func dayFlag(name, flag string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, flag)
	if err != nil {
		return day, fmt.Errorf("%s is not a day, such as 2026-12-31", name)
	}
	return day, nil
}
