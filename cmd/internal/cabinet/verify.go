package cabinet

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"asoba.example/cabinet/follow"
	"asoba.example/cabinet/issuer"
	"asoba.example/cmd/internal/stores"
)

// tellEvery is after how many people Verify says how far it is, and waitingEvery how often, while it waits for the cabinet.
const (
	tellEvery    = 100_000
	waitingEvery = 5 * time.Second
)

// Verify compares all cabinets with the provider's register, and names whose differ as it finds them; the screen is told how far it is.
func Verify(ctx context.Context, cfg Config, out, screen io.Writer) error {
	key, err := clientKey(cfg)
	if err != nil {
		return err
	}
	pool, err := stores.Database(ctx, "CABINET_DATABASE_URL", cfg.DatabaseURL, backConnections)
	if err != nil {
		return err
	}
	defer pool.Close()
	provider, err := issuer.New(issuer.Config{
		URL: cfg.Issuer, ClientID: cfg.ClientID, Key: key, RedirectURI: cfg.URL + "/callback",
		HTTP: &http.Client{Timeout: patience}, Now: time.Now,
	})
	if err != nil {
		return err
	}
	compared, differ := 0, 0
	feed := follow.Feed{URL: cfg.ManagementURL, HTTP: &http.Client{}, Token: provider.FeedToken}
	tell := func(d follow.Difference) {
		differ++
		fmt.Fprintf(out, "%s: %s\n", d.Person, strings.Join(d.What, ", "))
	}
	progress := func(people int) {
		if people/tellEvery > compared/tellEvery {
			fmt.Fprintf(screen, "%d people compared\n", people)
		}
		compared = people
	}
	var said time.Time
	waiting := func(editions int, pages int64) {
		if now := time.Now(); now.Sub(said) >= waitingEvery {
			said = now
			fmt.Fprintf(screen, "waiting for the cabinet, which has %d editions and events to read; %d pages of people read meanwhile\n", editions, pages)
		}
	}
	if err := follow.Verify(ctx, pool, feed, tell, progress, waiting); err != nil {
		return err
	}
	if differ > 0 {
		return fmt.Errorf("the cabinets of %d people are not as the provider says", differ)
	}
	_, err = fmt.Fprintf(out, "%d people: every cabinet is as the provider says.\n", compared)
	return err
}
