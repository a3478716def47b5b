// Package telemetry measures what a process does, for those who operate it: metrics
// pushed by OTLP or scraped by Prometheus, and one trace per run. Package worker
// does not know of it: what is counted comes from the vendor's client
// ([vlens.WithTrace]) and from the calls to ledger and bucket.
//
// No label of a metric is about one user or one run; each has few values.
// docs/telemetry.md lists all metrics.
//
// A collector that is away is logged once and changes nothing else; the program's
// end waits for it a few seconds at most.
package telemetry
