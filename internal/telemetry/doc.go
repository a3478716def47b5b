// Package telemetry measures what a process does and says so to those who
// operate it: metrics pushed by OTLP or scraped by Prometheus, and one trace per
// run. Package worker does not know of it: what is counted comes from the
// vendor's client ([vlens.Trace]) and from the calls to ledger and bucket.
//
// No metric carries anything of one user, nor the id of a run: labels are sorts
// of things, and there are few of each. docs/telemetry.md lists them all.
//
// A collector that is away changes nothing but that it is told nothing: it is
// logged once, and leaving waits for it a few seconds at most.
package telemetry
