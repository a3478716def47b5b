package figures

import (
	"time"

	"vlens-archiver/bench/site"
)

// The clients that are compared.
const (
	Ours   = "vlens-archiver"
	Before = "before" // another build of vlens-archiver
	Floor  = "floor"
	Bento  = "Bento"
	Python = "Python"
)

// Case is one comparison.
type Case struct {
	ImageBytes int           `json:"image_bytes"`
	InFlight   int           `json:"in_flight"` // images
	Latency    time.Duration `json:"latency"`   // of every answer of the tenant, in nanoseconds
}

// Comparison is one client's run over the users of a case.
type Comparison struct {
	Case
	Round    int    `json:"round"`
	Client   string `json:"client"`
	Images   int    `json:"images"`
	Requests int    `json:"requests"` // that the tenant saw
	site.Usage
	site.Setting
}

// ImagesPerSecond is the rate over the whole life of the process.
func (c Comparison) ImagesPerSecond() float64 { return float64(c.Images) / c.Seconds }

// CPUPerThousand is in seconds per 1,000 images.
func (c Comparison) CPUPerThousand() float64 { return c.CPUSeconds / float64(c.Images) * 1_000 }

// Standing is how a client did in a case over all rounds.
type Standing struct {
	Client          string
	Rounds          int
	ImagesPerSecond Spread
	CPUPerThousand  Spread
	PeakBytes       Spread
	RequestsPerUser float64
	// CPURatio and RateRatio are the client's figure divided by ours of the same
	// round; zero without a round that has both.
	CPURatio, RateRatio Spread
}

// Standings are the clients of a case in the order in which they are given,
// without those that were not measured.
func Standings(of []Comparison, c Case, clients ...string) []Standing {
	ours := map[int]Comparison{}
	for _, m := range of {
		if m.Case == c && m.Client == Ours {
			ours[m.Round] = m
		}
	}
	var standings []Standing
	for _, client := range clients {
		s := Standing{Client: client}
		var rates, cpus, peaks, rateRatios, cpuRatios []float64
		for _, m := range of {
			if m.Case != c || m.Client != client {
				continue
			}
			s.Rounds++
			rates = append(rates, m.ImagesPerSecond())
			cpus = append(cpus, m.CPUPerThousand())
			peaks = append(peaks, float64(m.PeakBytes))
			s.RequestsPerUser = float64(m.Requests) / float64(m.Images) * imagesPerUser
			if our, found := ours[m.Round]; found {
				rateRatios = append(rateRatios, m.ImagesPerSecond()/our.ImagesPerSecond())
				cpuRatios = append(cpuRatios, m.CPUPerThousand()/our.CPUPerThousand())
			}
		}
		if s.Rounds == 0 {
			continue
		}
		s.ImagesPerSecond, s.CPUPerThousand, s.PeakBytes = SpreadOf(rates), SpreadOf(cpus), SpreadOf(peaks)
		s.RateRatio, s.CPURatio = SpreadOf(rateRatios), SpreadOf(cpuRatios)
		standings = append(standings, s)
	}
	return standings
}

// imagesPerUser is how many images each user of the tenant has.
const imagesPerUser = 6
