package journal

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
)

// A Watch tells in metrics how many entries citizens did not recognise within the last day: some must look at them.
type Watch struct {
	Pool *pgxpool.Pool
	Now  func() time.Time
}

var reported = prometheus.NewDesc("cabinet_reports_last_day", "Entries of journals that citizens have reported within the last 24 hours as not their own.", nil, nil)

const countReports = `SELECT count(*) FROM report WHERE at >= $1`

// Describe names the metric.
func (Watch) Describe(to chan<- *prometheus.Desc) { to <- reported }

// Collect reads it; where that fails there is none.
func (w Watch) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var n float64
	if err := w.Pool.QueryRow(ctx, countReports, w.Now().Add(-24*time.Hour)).Scan(&n); err != nil {
		return
	}
	to <- prometheus.MustNewConstMetric(reported, prometheus.GaugeValue, n)
}
