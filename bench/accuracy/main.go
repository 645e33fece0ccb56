// Command accuracy measures how right and how complete the graph is against the
// answers of compilers: go/types, scip-typescript and scip-python.
//
//	go run ./bench/accuracy judge [NAME...]   make the answer keys; needs npm, node and python3
//	go run ./bench/accuracy score [NAME...]   score against the committed keys
//	go run ./bench/accuracy report            score everything, keep the results and write docs/accuracy.md
//
// A name is a part of a package's name or a language. It must be run from the root of the repository.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"manito/bench/corpus"
)

// keysDir holds the answer keys.
const keysDir = "bench/accuracy/keys"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		stop()
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("accuracy", flag.ContinueOnError)
	examples := flags.Int("examples", maxExamples, "examples to print of each package")
	if len(args) == 0 {
		return fmt.Errorf("say judge, score or report")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	dir, err := corpus.DefaultDir()
	if err != nil {
		return err
	}
	chosen, err := choose(flags.Args())
	if err != nil {
		return err
	}
	switch args[0] {
	case "judge":
		for _, s := range chosen {
			if err := judge(ctx, dir, s); err != nil {
				return fmt.Errorf("%s: %w", s.name(), err)
			}
		}
		return nil
	case "score", "report":
		var all []*scores
		for _, s := range chosen {
			r, err := scoreSubject(ctx, dir, keysDir, s, *examples)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name(), err)
			}
			show(r)
			all = append(all, r)
		}
		for _, sum := range totals(all) {
			fmt.Printf("\n%s: imports right %s, found %s; calls right %s, found %s; complete %s, refuted %s\n", sum.language, sum.importsRight, sum.importsFound, sum.callsRight, sum.callsFound, sum.complete, sum.refuted)
			for _, b := range sum.breaches() {
				fmt.Println("  BROKEN", b)
			}
		}
		if args[0] == "score" {
			return nil
		}
		if err := writeResults(resultsFile, all); err != nil {
			return err
		}
		return os.WriteFile(docFile, render(all), 0o644)
	}
	return fmt.Errorf("unknown command %q: say judge, score or report", args[0])
}

// choose finds the packages by a part of their names; none means all.
func choose(names []string) ([]subject, error) {
	all := subjects()
	if len(names) == 0 {
		return all, nil
	}
	var out []subject
	for _, n := range names {
		before := len(out)
		for _, s := range all {
			if strings.Contains(s.name(), n) || s.language == n {
				out = append(out, s)
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("no package is called %q", n)
		}
	}
	return out, nil
}

// judge makes and stores a package's answer key.
func judge(ctx context.Context, dir string, s subject) (err error) {
	root, err := corpus.Fetch(ctx, dir, s.pin)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "manito-judge-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	// A judge may write into the folder it judges.
	folder := filepath.Join(work, filepath.Base(s.pin.Name))
	if err := os.CopyFS(folder, os.DirFS(root)); err != nil {
		return err
	}
	var key *answerKey
	switch s.language {
	case "go":
		key, err = judgeGo(ctx, folder)
	case "typescript":
		key, err = judgeTypeScript(ctx, dir, folder, s)
	case "python":
		key, err = judgePython(ctx, dir, folder, s)
	default:
		err = fmt.Errorf("no judge of %s", s.language)
	}
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := key.write(&out); err != nil {
		return err
	}
	fmt.Printf("%s: %d files judged by %s, key of %d bytes\n", s.pin, len(key.files), key.judge, out.Len())
	return os.WriteFile(s.keyFile(keysDir), out.Bytes(), 0o644)
}

// scoreSubject fetches a package, reads it and compares; it keeps a number of examples.
func scoreSubject(ctx context.Context, dir, keys string, s subject, examples int) (*scores, error) {
	root, err := corpus.Fetch(ctx, dir, s.pin)
	if err != nil {
		return nil, err
	}
	f, err := os.ReadFile(s.keyFile(keys))
	if err != nil {
		return nil, fmt.Errorf("the answer key: %w", err)
	}
	key, err := readKey(bytes.NewReader(f))
	if err != nil {
		return nil, err
	}
	language, err := languageOf(s.language)
	if err != nil {
		return nil, err
	}
	l, err := read(ctx, root, language)
	if err != nil {
		return nil, err
	}
	return score(ctx, s, l, key, examples)
}

func show(r *scores) {
	fmt.Printf("\n%s (%s, %s): %d files, %d lines\n", r.Package, r.Language, r.Judge, r.Files, r.Lines)
	fmt.Printf("  imports       right %s, found %s\n", r.Imports.Right, r.Imports.Found)
	fmt.Printf("  names         right %s, found %s\n", r.Names.Right, r.Names.Found)
	fmt.Printf("  calls         right %s, found %s, judged %s, listed as unresolved %s, beyond %d\n", r.Calls.Right, r.Calls.Found, r.Calls.Judged, r.Calls.Unresolved, r.Calls.Beyond)
	fmt.Printf("  dispatch      found %s, right %v; overrides found %s, right %v\n", r.Dispatch.Found, r.Dispatch.Right, r.Dispatch.OverridesFound, r.Dispatch.OverridesRight)
	fmt.Printf("  definitions   found %s, kind %s\n", r.Definitions.Found, r.Definitions.Kind)
	c := r.Completeness
	fmt.Printf("  completeness  asked %d, complete %d, lower bound %d, unknown %d, refuted %d %v\n", c.Asked, c.Complete, c.LowerBound, c.Unknown, c.Refuted, c.Reasons)
	for _, m := range []map[string]int{r.Misses, r.Wrong} {
		for _, cause := range slices.Sorted(keysOf(m)) {
			fmt.Printf("    %6d  %s\n", m[cause], cause)
		}
	}
	for _, e := range r.Examples {
		fmt.Println("     ", e)
	}
	for _, e := range c.Examples {
		fmt.Println("     refuted:", e)
	}
}
