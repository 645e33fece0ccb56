package graph_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"manito/internal/graph"
	"manito/internal/graph/graphtest"
)

// made is the graph of the benchmarks, a hundredth of a million symbols; bench/graph measures the whole.
func made(b *testing.B) *graph.Graph {
	b.Helper()
	g, err := graphtest.Small().Build(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return g
}

func BenchmarkBuild(b *testing.B) {
	for b.Loop() {
		made(b)
	}
}

func BenchmarkWriteFile(b *testing.B) {
	g := made(b)
	path := filepath.Join(b.TempDir(), "x.graph")
	b.SetBytes(g.Bytes())
	for b.Loop() {
		if err := g.WriteFile(path); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	g := made(b)
	path := filepath.Join(b.TempDir(), "x.graph")
	if err := g.WriteFile(path); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		o, err := graph.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if err := o.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkImpact(b *testing.B) {
	g := made(b)
	rng := rand.New(rand.NewPCG(3, 4))
	for b.Loop() {
		n := graph.Node(rng.IntN(g.NumNodes()))
		if _, err := g.Impact(context.Background(), []graph.Node{n}, graph.ReachOptions{Depth: 5, Limit: 5000}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSymbol(b *testing.B) {
	g := made(b)
	rng := rand.New(rand.NewPCG(5, 6))
	for b.Loop() {
		_ = g.Symbol(graph.Node(rng.IntN(g.NumNodes())))
	}
}

func BenchmarkNamed(b *testing.B) {
	g := made(b)
	rng := rand.New(rand.NewPCG(7, 8))
	for b.Loop() {
		_ = g.Named(g.Name(graph.Node(rng.IntN(g.NumNodes()))))
	}
}

func BenchmarkRanks(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		g := made(b)
		b.StartTimer()
		if _, err := g.Ranks(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFileCycles(b *testing.B) {
	g := made(b)
	for b.Loop() {
		if _, err := g.FileImports(graph.Imports{}).Cycles(context.Background(), false); err != nil {
			b.Fatal(err)
		}
	}
}
