// Relevance measures how well search finds what people ask for, on pinned real
// packages: questions in natural words that were labelled by hand, functions looked
// for by the first sentence of their own documentation, and names with typing
// mistakes. The questions were committed before anything was tuned on them.
//
// Usage:
//
//	go run ./bench/relevance symbols CORPUS   list what a label can name
package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"

	"manito/bench/corpus"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "relevance:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 2 && args[0] == "symbols" {
		return listSymbols(ctx, args[1], out)
	}
	return fmt.Errorf("usage: relevance symbols CORPUS")
}

// listSymbols prints the names that labels of a corpus may use, with their lines.
func listSymbols(ctx context.Context, name string, out io.Writer) error {
	c, err := corpusNamed(name)
	if err != nil {
		return err
	}
	dir, err := corpus.DefaultDir()
	if err != nil {
		return err
	}
	files, err := load(ctx, dir, c)
	if err != nil {
		return err
	}
	at := places(files)
	for _, place := range slices.Sorted(maps.Keys(at)) {
		if _, err := fmt.Fprintln(out, place, at[place]); err != nil {
			return err
		}
	}
	return nil
}
