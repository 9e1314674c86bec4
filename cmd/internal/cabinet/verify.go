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

// Verify compares all cabinets with the provider's register, and names whose differ.
func Verify(ctx context.Context, cfg Config, out io.Writer) error {
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
	compared := 0
	feed := follow.Feed{URL: cfg.ManagementURL, HTTP: &http.Client{}, Token: provider.FeedToken}
	differ, err := follow.Verify(ctx, pool, feed, func(people int) { compared = people })
	if err != nil {
		return err
	}
	for _, d := range differ {
		fmt.Fprintf(out, "%s: %s\n", d.Person, strings.Join(d.What, ", "))
	}
	if len(differ) > 0 {
		return fmt.Errorf("the cabinets of %d people are not as the provider says", len(differ))
	}
	_, err = fmt.Fprintf(out, "%d people: every cabinet is as the provider says.\n", compared)
	return err
}
