package window

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Instant is a point in time on the clock that all processes share, in
// milliseconds since 1970; differences of instants are milliseconds too.
type Instant int64

// At is the instant of a time, rounded down.
func At(t time.Time) Instant { return Instant(t.UnixMilli()) }

// Millis is a duration in milliseconds, rounded down.
func Millis(d time.Duration) Instant { return Instant(d.Milliseconds()) }

// Time is the instant as a UTC time.
func (i Instant) Time() time.Time { return time.UnixMilli(int64(i)).UTC() }

// Duration is a difference of instants as a duration.
func (i Instant) Duration() time.Duration { return time.Duration(i) * time.Millisecond }

// Instants is a list of instants in ascending order. In JSON each but the first
// is the distance from the one before, because the list is most of a State and
// every grant writes it.
type Instants []Instant

// MarshalJSON writes the distances.
func (list Instants) MarshalJSON() ([]byte, error) {
	distances := make([]int64, len(list))
	var last Instant
	for i, instant := range list {
		distances[i] = int64(instant - last)
		last = instant
	}
	return json.Marshal(distances)
}

// UnmarshalJSON adds the distances up.
func (list *Instants) UnmarshalJSON(data []byte) error {
	var distances []int64
	if err := json.Unmarshal(data, &distances); err != nil {
		return fmt.Errorf("instants: %w", err)
	}
	*list = make(Instants, len(distances))
	var last Instant
	for i, distance := range distances {
		last += Instant(distance)
		(*list)[i] = last
	}
	return nil
}

// insert keeps the order: a response may be told after a later one of another
// process.
func (list *Instants) insert(instant Instant) {
	i, _ := slices.BinarySearch(*list, instant)
	*list = slices.Insert(*list, i, instant)
}

// after is the part of the list later than the instant.
func (list Instants) after(instant Instant) Instants {
	i, _ := slices.BinarySearch(list, instant+1)
	return list[i:]
}

// clamp moves what lies after the instant to it.
func (list Instants) clamp(instant Instant) {
	for i := len(list) - 1; i >= 0 && list[i] > instant; i-- {
		list[i] = instant
	}
}
