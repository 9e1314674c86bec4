package follow

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// A Lag tells in metrics how far the cabinet is behind the provider, whoever follows.
type Lag struct {
	Pool *pgxpool.Pool
	Now  func() time.Time
}

var (
	feedLag = prometheus.NewDesc("cabinet_feed_lag_seconds", "How long ago everything was heard that the provider's feed had to say.", nil, nil)
	behind  = prometheus.NewDesc("cabinet_register_lag_seconds", "How long ago that of the register was applied whose people were not read to the end, the oldest of it; 0 where all was read.", nil, nil)
	unread  = prometheus.NewDesc("cabinet_unread_editions", "Editions and single events of the register whose people were not read to the end.", nil, nil)
)

// Describe names the metrics.
func (Lag) Describe(to chan<- *prometheus.Desc) {
	to <- feedLag
	to <- behind
	to <- unread
}

// Collect reads them; where that fails there are none.
func (l Lag) Collect(to chan<- prometheus.Metric) {
	const read = `SELECT heard_at, count(edition.id), min(edition.at) FROM follow LEFT JOIN edition ON read_at IS NULL GROUP BY heard_at`
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var (
		heard    time.Time
		editions float64
		oldest   *time.Time
		lag      time.Duration
	)
	if err := l.Pool.QueryRow(ctx, read).Scan(&heard, &editions, &oldest); err != nil {
		return
	}
	to <- prometheus.MustNewConstMetric(feedLag, prometheus.GaugeValue, l.Now().Sub(heard).Seconds())
	if oldest != nil {
		lag = l.Now().Sub(*oldest)
	}
	to <- prometheus.MustNewConstMetric(behind, prometheus.GaugeValue, lag.Seconds())
	to <- prometheus.MustNewConstMetric(unread, prometheus.GaugeValue, editions)
}
