// Relevance measures how well search finds what people ask for, on pinned real
// packages: questions in natural words that were labelled by hand, functions looked
// for by the first sentence of their own documentation, and names with typing
// mistakes. The questions were committed before anything was tuned on them.
//
// Usage:
//
//	go run ./bench/relevance symbols CORPUS              list what a label can name
//	go run ./bench/relevance score [-quick] [CORPUS...]  ask and print the figures
//	go run ./bench/relevance report -final               ask everything, keep the figures and write docs/relevance.md
//	go run ./bench/relevance render                      write docs/relevance.md from the kept figures
//
// It must be run from the root of the repository. Without -final the second half of
// the questions is not read.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

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
	flags := flag.NewFlagSet("relevance", flag.ContinueOnError)
	final := flags.Bool("final", false, "ask the questions of the second half too: for the final run, not for tuning")
	quick := flags.Bool("quick", false, "only the corpora that the test scores")
	losses := flags.String("losses", "", "print the queries that `METHOD` answers worse than another, the final ones left out")
	if len(args) == 0 {
		return fmt.Errorf("say symbols, score or report")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	dir, err := corpus.DefaultDir()
	if err != nil {
		return err
	}
	switch args[0] {
	case "symbols":
		if flags.NArg() != 1 {
			return fmt.Errorf("say of which corpus")
		}
		return listSymbols(ctx, dir, flags.Arg(0), out)
	case "score", "report":
		if args[0] == "report" && (*quick || flags.NArg() > 0 || !*final) {
			return fmt.Errorf("a report is made of all corpora and both halves: report -final")
		}
		chosen, err := choose(*quick, flags.Args())
		if err != nil {
			return err
		}
		r, lost, err := scoreAll(ctx, dir, chosen, halves(*final))
		if err != nil {
			return err
		}
		if err := printTable(out, r); err != nil {
			return err
		}
		if *losses != "" {
			if err := lost.print(out, *losses); err != nil {
				return err
			}
		}
		if args[0] == "score" {
			return nil
		}
		if err := writeReport(resultsFile, r); err != nil {
			return err
		}
		return os.WriteFile(docFile, render(r), 0o644)
	case "render":
		r, err := readReport(resultsFile)
		if err != nil {
			return err
		}
		return os.WriteFile(docFile, render(r), 0o644)
	}
	return fmt.Errorf("unknown command %q: say symbols, score, report or render", args[0])
}

// choose picks corpora by name; none named are all.
func choose(quick bool, names []string) ([]corpusSpec, error) {
	var out []corpusSpec
	for _, name := range names {
		c, err := corpusNamed(name)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	if len(names) == 0 {
		out = corpora()
	}
	if quick {
		out = slices.DeleteFunc(out, func(c corpusSpec) bool { return !c.quick })
	}
	return out, nil
}

// scoreAll asks everything of every method.
func scoreAll(ctx context.Context, dir string, chosen []corpusSpec, asks []Half) (*report, *losses, error) {
	lost := &losses{}
	r := &report{Toolchain: runtime.Version()}
	each := make([][]*result, len(chosen))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for n, c := range slices.Backward(chosen) { // the largest stands last
		group.Go(func() error {
			all, err := prepare(ctx, dir, c, asks)
			if err != nil {
				return err
			}
			s := scorer{methods: methods(), each: lost.add}
			for i := range all {
				results, err := s.score(ctx, &all[i])
				if err != nil {
					return err
				}
				each[n] = append(each[n], results...)
				all[i] = asked{} // the next collection needs the room
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	r.Results = slices.Concat(each...)
	slices.SortStableFunc(r.Results, func(a, b *result) int { return order(a) - order(b) })
	var names []string
	for _, m := range methods() {
		names = append(names, m.Name())
	}
	r.Comparisons = compareMethods(r.Results, names)
	return r, lost, nil
}

// order puts natural questions first.
func order(r *result) int {
	i := slices.Index([]string{naturalSet, docstringSet, typoSet}, r.Kind) * 2
	if r.Half == Final {
		i++
	}
	return i
}

// listSymbols prints the names that labels of a corpus may use, with their lines.
func listSymbols(ctx context.Context, dir, name string, out io.Writer) error {
	c, err := corpusNamed(name)
	if err != nil {
		return err
	}
	l, err := load(ctx, dir, c)
	if err != nil {
		return err
	}
	at := places(l.files)
	for _, place := range slices.Sorted(maps.Keys(at)) {
		if _, err := fmt.Fprintln(out, place, at[place]); err != nil {
			return err
		}
	}
	return nil
}
