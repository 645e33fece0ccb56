package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// depth is how many results of a method are looked at, for the reciprocal rank
// that is not cut at ten.
const depth = 100

// cut is the rank up to which the measures of the table look.
const cut = 10

// marks are the measures of one query, or their means over a set.
type marks struct {
	MRR    float64 `json:"mrr@10"`    // 1 / rank of the first answer, 0 when it is not among the first ten
	Recall float64 `json:"recall@10"` // share of the labelled symbols among the first ten
	NDCG   float64 `json:"ndcg@10"`   // discounted gain (2^grade - 1) against the best order of the labels
	Deep   float64 `json:"mrr@100"`   // as MRR, looking at a hundred
}

// judge marks a ranking of places against the grades of a query. A place that comes
// again (an overload, a second declaration) counts at its first rank alone.
func judge(ranking []string, relevant map[string]int) marks {
	var m marks
	seen := map[string]bool{}
	found, rank := 0, 0
	gain := 0.0
	for _, place := range ranking {
		if seen[place] {
			continue
		}
		seen[place] = true
		rank++
		grade := relevant[place]
		if grade > 0 && rank <= cut {
			found++
			gain += discounted(grade, rank)
		}
		if grade == Answer && m.Deep == 0 {
			m.Deep = 1 / float64(rank)
			if rank <= cut {
				m.MRR = m.Deep
			}
		}
		if rank == depth {
			break
		}
	}
	m.Recall = float64(found) / float64(min(len(relevant), cut))
	m.NDCG = gain / ideal(relevant)
	return m
}

func discounted(grade, rank int) float64 {
	return (math.Exp2(float64(grade)) - 1) / math.Log2(float64(rank)+1)
}

// ideal is the gain of the best order.
func ideal(relevant map[string]int) float64 {
	var grades []int
	for _, g := range relevant {
		grades = append(grades, g)
	}
	slices.Sort(grades)
	slices.Reverse(grades)
	sum := 0.0
	for i, g := range grades[:min(len(grades), cut)] {
		sum += discounted(g, i+1)
	}
	return sum
}

// mean is the mean of every measure.
func mean(all []marks) marks {
	var s marks
	for _, m := range all {
		s.MRR += m.MRR
		s.Recall += m.Recall
		s.NDCG += m.NDCG
		s.Deep += m.Deep
	}
	n := float64(len(all))
	return marks{s.MRR / n, s.Recall / n, s.NDCG / n, s.Deep / n}
}

// bootstrapSeeds are the seeds of the significance test: a gain counts when all
// three agree.
var bootstrapSeeds = [...]uint64{1, 2, 3}

const resamples = 10000

// gain is how much one method is better than another on the same queries.
type gain struct {
	Difference float64 `json:"difference"` // of the means of MRR@10
	// Low and High bound the difference with 95 %; P is the share of resamples in which
	// there was no gain. All three are the worst over the seeds.
	Low  float64 `json:"low"`
	High float64 `json:"high"`
	P    float64 `json:"p"`
}

// significant says whether every seed puts the whole interval above zero.
func (g gain) significant() bool { return g.Low > 0 }

// compare is the paired bootstrap (Efron and Tibshirani 1993; for retrieval:
// Sakai 2006): queries are drawn with replacement, each with the marks of both methods.
func compare(better, worse []marks) gain {
	n := len(better)
	diffs := make([]float64, n)
	g := gain{Low: math.Inf(1), High: math.Inf(-1)}
	for i := range diffs {
		diffs[i] = better[i].MRR - worse[i].MRR
		g.Difference += diffs[i] / float64(n)
	}
	for _, seed := range bootstrapSeeds {
		r := rand.New(rand.NewPCG(seed, 0))
		means := make([]float64, resamples)
		none := 0
		for k := range means {
			sum := 0.0
			for range n {
				sum += diffs[r.IntN(n)]
			}
			means[k] = sum / float64(n)
			if means[k] <= 0 {
				none++
			}
		}
		slices.Sort(means)
		g.Low = min(g.Low, means[resamples*25/1000])
		g.High = max(g.High, means[resamples*975/1000-1])
		g.P = max(g.P, float64(none)/resamples)
	}
	return g
}
