package cabinet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"asoba.example/cabinet/dispute"
	"asoba.example/cabinet/keys"
	"asoba.example/cmd/internal/settings"
)

// disputeCommand is the operator's work with what citizens say is wrong in their profiles.
func disputeCommand(environ []string) *cobra.Command {
	command := &cobra.Command{
		Use: "dispute", Short: "What citizens say is wrong in their profiles: the list, sending it on, the answer", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	command.AddCommand(&cobra.Command{
		Use: "list", Short: "Write which disputes are open, as JSON lines, the earliest first", Args: cobra.NoArgs,
		RunE: withDatabase(environ, func(cmd *cobra.Command, pool *pgxpool.Pool) error {
			found, err := dispute.List(cmd.Context(), pool)
			if err != nil {
				return err
			}
			lines := json.NewEncoder(cmd.OutOrStdout())
			for _, d := range found {
				if err := lines.Encode(d); err != nil {
					return err
				}
			}
			return nil
		}),
	}, sendCommand(environ), answerCommand(environ))
	return command
}

func sendCommand(environ []string) *cobra.Command {
	var by string
	command := &cobra.Command{
		Use: "send ID", Short: "Write what is to be sent to whoever the value is from, as JSON", Args: cobra.ExactArgs(1),
		Long: "Write what is to be sent to whoever the value is from, as JSON: whose the value is, what it is, and what the citizen says. The citizen\n" +
			"sees in the journal that it was read, each time.",
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseDispute(args[0])
			if err != nil {
				return err
			}
			return withKeys(environ, func(ctx context.Context, pool *pgxpool.Pool, ring keys.Ring, out io.Writer) error {
				letter, err := dispute.Book{Pool: pool, Box: ring.Box}.Send(ctx, id, by, time.Now())
				if err != nil {
					return err
				}
				return json.NewEncoder(out).Encode(letter)
			})(cmd, args)
		},
	}
	command.Flags().StringVar(&by, "by", "", "who sends it")
	settings.Require(command, "by")
	return command
}

func answerCommand(environ []string) *cobra.Command {
	var by, outcome string
	command := &cobra.Command{
		Use: "answer ID", Short: "End a dispute with the source's answer, which is read from standard input", Args: cobra.ExactArgs(1),
		Long: "End a dispute with the source's answer, which is read from standard input and shown to the citizen. Where the value was corrected,\n" +
			"its source is asked anew; the population register sends it by itself.",
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseDispute(args[0])
			if err != nil {
				return err
			}
			if outcome != string(dispute.Corrected) && outcome != string(dispute.Upheld) {
				return errors.New("--outcome is corrected or upheld")
			}
			words, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 64<<10))
			if err != nil {
				return err
			}
			return withKeys(environ, func(ctx context.Context, pool *pgxpool.Pool, ring keys.Ring, out io.Writer) error {
				err := dispute.Book{Pool: pool, Box: ring.Box}.Answer(ctx, id, dispute.Answer{
					Outcome: dispute.State(outcome), Words: string(words), By: by, At: time.Now(),
				})
				if errors.Is(err, dispute.ErrStays) {
					_, err = fmt.Fprintf(out, "The dispute has ended, but %v.\n", err)
				}
				return err
			})(cmd, args)
		},
	}
	command.Flags().StringVar(&by, "by", "", "who answers")
	command.Flags().StringVar(&outcome, "outcome", "", "corrected, or upheld where the source says that the value is right")
	settings.Require(command, "by", "outcome")
	return command
}

func parseDispute(s string) (uuid.UUID, error) {
	id, err := uuid.Parse(s)
	if err != nil {
		return id, errors.New("not the id of a dispute, as cabinet dispute list tells it")
	}
	return id, nil
}
