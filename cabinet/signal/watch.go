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

const countWaiting = `
	SELECT (SELECT count(*) FROM subscriber JOIN signal USING (client_id) WHERE url IS NOT NULL AND place > told),
	       (SELECT count(*) FROM subscriber WHERE url IS NOT NULL AND tries > 0)`

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
