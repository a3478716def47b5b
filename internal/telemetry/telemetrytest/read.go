package telemetrytest

import (
	"fmt"
	"slices"
	"strings"

	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// Values are the last values of all series, added up over those who pushed
// them: "vlens_archiver.users{outcome=archived}". Of a histogram they are its
// count and sum, under name.count and name.sum.
func (c *Collector) Values() map[string]float64 {
	last := make(map[string]map[string]float64) // by series and instance
	note := func(instance, series string, value float64) {
		if last[series] == nil {
			last[series] = make(map[string]float64)
		}
		last[series][instance] = value
	}
	c.EachMetric(func(instance string, m *metricspb.Metric) {
		for _, point := range append(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()...) {
			value := point.GetAsDouble()
			if _, whole := point.GetValue().(*metricspb.NumberDataPoint_AsInt); whole {
				value = float64(point.GetAsInt())
			}
			note(instance, series(m.GetName(), point.GetAttributes()), value)
		}
		for _, point := range m.GetHistogram().GetDataPoints() {
			note(instance, series(m.GetName()+".count", point.GetAttributes()), float64(point.GetCount()))
			note(instance, series(m.GetName()+".sum", point.GetAttributes()), point.GetSum())
		}
	})
	values := make(map[string]float64, len(last))
	for name, byInstance := range last {
		for _, value := range byInstance {
			values[name] += value
		}
	}
	return values
}

// EachMetric shows every metric of every push, in order, with the name of the
// instance that pushed it.
func (c *Collector) EachMetric(show func(instance string, m *metricspb.Metric)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, from := range c.metrics {
		for _, scope := range from.GetScopeMetrics() {
			for _, m := range scope.GetMetrics() {
				show(Attribute(from.GetResource().GetAttributes(), "service.instance.id"), m)
			}
		}
	}
}

// Pushes is how many times metrics were pushed by an instance whose name begins
// so.
func (c *Collector) Pushes(instance string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, from := range c.metrics {
		if strings.HasPrefix(Attribute(from.GetResource().GetAttributes(), "service.instance.id"), instance) {
			n++
		}
	}
	return n
}

// Spans are all spans that were pushed.
func (c *Collector) Spans() []*tracepb.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var spans []*tracepb.Span
	for _, from := range c.spans {
		for _, scope := range from.GetScopeSpans() {
			spans = append(spans, scope.GetSpans()...)
		}
	}
	return spans
}

// Attribute is the text of an attribute; "" when it is not there.
func Attribute(attributes []*commonpb.KeyValue, name string) string {
	for _, attribute := range attributes {
		if attribute.GetKey() == name {
			return text(attribute.GetValue())
		}
	}
	return ""
}

func text(value *commonpb.AnyValue) string {
	switch v := value.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return v.StringValue
	case *commonpb.AnyValue_IntValue:
		return fmt.Sprint(v.IntValue)
	}
	return value.String()
}

func series(name string, attributes []*commonpb.KeyValue) string {
	if len(attributes) == 0 {
		return name
	}
	labels := make([]string, len(attributes))
	for n, attribute := range attributes {
		labels[n] = attribute.GetKey() + "=" + text(attribute.GetValue())
	}
	slices.Sort(labels)
	return name + "{" + strings.Join(labels, ",") + "}"
}
