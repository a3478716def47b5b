package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"vlens-archiver/bench/figures"
)

var allClients = []string{figures.Ours, figures.Floor, figures.Bento, figures.Python}

// turn is one client's part in one round.
type turn struct {
	round  int
	client string
}

// choose checks what the flags say.
func (b *bench) choose(sizes string, inFlight int) error {
	for _, client := range b.clients {
		if !slices.Contains(allClients, client) && client != figures.Before {
			return fmt.Errorf("client %q: there are %s", client, strings.Join(allClients, ", "))
		}
	}
	b.inFlight = inFlight
	if sizes == "" {
		return nil
	}
	b.sizes = map[int]bool{}
	for size := range strings.SplitSeq(sizes, ",") {
		kilobytes, err := strconv.Atoi(size)
		if err != nil {
			return fmt.Errorf("size %q is no number of KiB", size)
		}
		b.sizes[kilobytes<<10] = true
	}
	return nil
}

// before is what was measured with this build of the program before.
// Measurements of other builds do not belong beside it and are dropped.
func (b *bench) before() ([]figures.Comparison, error) {
	name := figures.ComparisonsFile(b.out)
	done, err := figures.Load[figures.Comparison](name)
	if err != nil {
		return nil, err
	}
	kept := slices.DeleteFunc(slices.Clone(done), func(m figures.Comparison) bool {
		return m.Build != b.programs.build || b.again && b.chosen(m.Case)
	})
	if len(kept) == len(done) {
		return done, nil
	}
	return kept, figures.Replace(name, kept)
}

func (b *bench) chosen(c figures.Case) bool {
	return (b.inFlight == 0 || c.InFlight == b.inFlight) && (b.sizes == nil || b.sizes[c.ImageBytes])
}

// missing are the turns of a case that are still to be taken. Who begins moves
// on with each round, so that none always follows the same other.
func (b *bench) missing(done []figures.Comparison, c figures.Case) []turn {
	var turns []turn
	for round := 1; round <= b.rounds; round++ {
		for n := range b.clients {
			client := b.clients[(n+round-1)%len(b.clients)]
			if !slices.ContainsFunc(done, func(m figures.Comparison) bool {
				return m.Case == c && m.Round == round && m.Client == client
			}) {
				turns = append(turns, turn{round, client})
			}
		}
	}
	return turns
}
