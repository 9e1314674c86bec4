package signal

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// A Watch tells in metrics how far e-services are behind with what they are told at their addresses.
type Watch struct{ Pool *pgxpool.Pool }

var (
	waiting = prometheus.NewDesc("cabinet_signals_waiting", "Signals that e-services with an address have not taken yet.", nil, nil)
	failing = prometheus.NewDesc("cabinet_subscribers_failing", "E-services that did not take what they were told last.", nil, nil)
)

// countWaiting leaves out e-services that are disabled: nobody tries to tell them.
const countWaiting = `
	WITH called AS (
		SELECT client_id, told, tries FROM subscriber
		WHERE url IS NOT NULL
		AND NOT EXISTS (SELECT FROM disabled_client WHERE disabled_client.client_id = subscriber.client_id AND disabled)
	)
	SELECT (SELECT count(*) FROM called JOIN signal USING (client_id) WHERE place > told),
	       (SELECT count(*) FROM called WHERE tries > 0)`

// Describe names the metrics.
func (Watch) Describe(to chan<- *prometheus.Desc) {
	to <- waiting
	to <- failing
}

// Collect reads them; where that fails there are none.
func (w Watch) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var signals, subscribers float64
	if err := w.Pool.QueryRow(ctx, countWaiting).Scan(&signals, &subscribers); err != nil {
		return
	}
	to <- prometheus.MustNewConstMetric(waiting, prometheus.GaugeValue, signals)
	to <- prometheus.MustNewConstMetric(failing, prometheus.GaugeValue, subscribers)
}
