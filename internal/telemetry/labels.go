package telemetry

import (
	"sync"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// sets remembers the label sets of an instrument, so that counting makes none.
// There are few: every label is a word from a short list.
type sets[K comparable] struct {
	labels func(K) []attribute.KeyValue
	mu     *sync.RWMutex
	known  map[K]set
}

// set is a label set as the two kinds of instruments take it.
type set struct {
	add    []metric.AddOption
	record []metric.RecordOption
}

func newSets[K comparable](labels func(K) []attribute.KeyValue) sets[K] {
	return sets[K]{labels: labels, mu: &sync.RWMutex{}, known: make(map[K]set)}
}

// oneLabel are sets of a single label of that name.
func oneLabel[K ~string](name string) sets[K] {
	return newSets(func(value K) []attribute.KeyValue { return []attribute.KeyValue{attribute.String(name, string(value))} })
}

func (s *sets[K]) of(key K) set {
	s.mu.RLock()
	known, ok := s.known[key]
	s.mu.RUnlock()
	if ok {
		return known
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	option := metric.WithAttributeSet(attribute.NewSet(s.labels(key)...))
	s.known[key] = set{add: []metric.AddOption{option}, record: []metric.RecordOption{option}}
	return s.known[key]
}
