package vector_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"manito/internal/vector"
)

// BenchmarkSearch reports how long a search takes and how many of the ten nearest
// the fast mode finds of what the exact mode finds. Sizes above 100,000 take
// minutes to make and are asked for by -bench 'Search/.*1000000'.
func BenchmarkSearch(b *testing.B) {
	for _, c := range []struct{ n, dim int }{{100_000, 128}, {100_000, 256}, {1_000_000, 128}} {
		b.Run(fmt.Sprintf("%dx%d", c.n, c.dim), func(b *testing.B) {
			s := clustered(c.n, c.dim, 3)
			for _, mode := range []vector.Mode{vector.Fast, vector.Exact} {
				b.Run(mode.String(), func(b *testing.B) {
					next := source(c.dim, 9)
					queries := make([][]float32, 100)
					truth := make([][]vector.Hit, len(queries))
					for i := range queries {
						queries[i] = next()
						if i < 50 {
							var err error
							if truth[i], _, err = s.Search(b.Context(), queries[i], vector.Options{K: 10, Mode: vector.Exact}); err != nil {
								b.Fatal(err)
							}
						}
					}
					var took []time.Duration
					found, i := 0, 0
					for b.Loop() {
						at := time.Now()
						hits, _, err := s.Search(b.Context(), queries[i%len(queries)], vector.Options{K: 10, Mode: mode})
						if err != nil {
							b.Fatal(err)
						}
						took = append(took, time.Since(at))
						if i < 50 {
							found += common(hits, truth[i])
						}
						i++
					}
					slices.Sort(took)
					b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "ms/p95")
					b.ReportMetric(float64(found)/float64(10*min(i, 50)), "recall@10")
				})
			}
		})
	}
}
