package postgres

import (
	"sync"
	"sync/atomic"
	"testing"

	"vlens-archiver/store/window"
)

func BenchmarkQuota(b *testing.B) {
	rules := window.Standard
	rules.Long = 1_000 // so that the row does not grow with b.N
	for _, processes := range []int{1, 3} {
		b.Run(map[int]string{1: "one process", 3: "three processes"}[processes], func(b *testing.B) {
			url := quotaDatabase(b)
			var workers sync.WaitGroup
			var left atomic.Int64
			left.Store(int64(b.N))
			shares := make([]*Quota, processes)
			for i := range shares {
				shares[i] = joinQuota(b, url, QuotaConfig{PerSecond: 1_000_000}, rules)
			}
			b.ResetTimer()
			for _, q := range shares {
				for range 16 {
					workers.Go(func() {
						for left.Add(-1) >= 0 {
							release, err := q.Acquire(b.Context())
							if err != nil {
								b.Error(err)
								return
							}
							release()
						}
					})
				}
			}
			workers.Wait()
		})
	}
}
