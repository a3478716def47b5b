package telemetry

import (
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// instruments makes the instruments of a meter and remembers what went wrong, so
// that one look at the end does.
type instruments struct {
	metric.Meter
	err error
}

func (m *instruments) counter(name, unit, what string) metric.Int64Counter {
	counter, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(what))
	m.err = errors.Join(m.err, err)
	return counter
}

// latency is a histogram of seconds. Its bounds, in seconds, suit answers of a
// service over a network, from one near by to one that gives up.
func (m *instruments) latency(name, what string) metric.Float64Histogram {
	histogram, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(what),
		metric.WithExplicitBucketBoundaries(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60))
	m.err = errors.Join(m.err, err)
	return histogram
}

// gauge and seconds are read when the metrics are collected.
func (m *instruments) gauge(name, unit, what string) metric.Int64ObservableGauge {
	gauge, err := m.Int64ObservableGauge(name, metric.WithUnit(unit), metric.WithDescription(what))
	m.err = errors.Join(m.err, err)
	return gauge
}

func (m *instruments) seconds(name, what string) metric.Float64ObservableGauge {
	gauge, err := m.Float64ObservableGauge(name, metric.WithUnit("s"), metric.WithDescription(what))
	m.err = errors.Join(m.err, err)
	return gauge
}

func (m *instruments) read(callback metric.Callback, from ...metric.Observable) {
	_, err := m.RegisterCallback(callback, from...)
	m.err = errors.Join(m.err, err)
}

// label is the one label of a measurement.
func label(name, value string) metric.MeasurementOption {
	return metric.WithAttributes(attribute.String(name, value))
}
