package main

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// corpus is the texts that are searched.
type corpus struct {
	root  string
	paths []string // absolute, sorted
	texts []string
	bytes int64
}

func readCorpus(root string) (*corpus, error) {
	c := &corpus{root: root}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		c.paths, c.texts, c.bytes = append(c.paths, path), append(c.texts, string(text)), c.bytes+int64(len(text))
		return err
	})
	if err == nil && len(c.paths) == 0 {
		err = fmt.Errorf("%s has no Go files", root)
	}
	return c, err
}

// question is what is asked. It is read by the program of each index.
type question struct {
	Text   string `json:"text"`
	Regexp bool   `json:"regexp"`
	Case   bool   `json:"case"`
}

type questions struct {
	name string
	list []question
}

// The questions of a class, and the lines after which a search may stop.
const (
	perClass  = 50
	stopAfter = 500
)

var identifier = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_]{3,}`)

// draw draws questions from the corpus, always the same from the same one.
func draw(c *corpus) []questions {
	random := rand.New(rand.NewPCG(4, 2026))
	seen := map[string]bool{}
	for _, text := range c.texts {
		for _, id := range identifier.FindAllString(text, -1) {
			seen[id] = true
		}
	}
	vocabulary := make([]string, 0, len(seen))
	for id := range seen {
		vocabulary = append(vocabulary, id)
	}
	slices.Sort(vocabulary)
	line := func() string {
		for {
			text := c.texts[random.IntN(len(c.texts))]
			if text == "" {
				continue
			}
			at := random.IntN(len(text))
			from := strings.LastIndexByte(text[:at], '\n') + 1
			l, _, _ := strings.Cut(text[from:], "\n")
			if l = strings.TrimSpace(l); len(l) > 3 && isASCII(l) {
				return l
			}
		}
	}
	used := func() string { // the more often an identifier is used, the likelier
		for {
			if ids := identifier.FindAllString(line(), -1); len(ids) > 0 {
				return ids[random.IntN(len(ids))]
			}
		}
	}
	fill := func(name string, make func() question) questions {
		set := questions{name: name}
		for i := range perClass {
			q := make()
			q.Case = i%2 == 0
			set.list = append(set.list, q)
		}
		return set
	}
	regexes := []func() string{
		func() string { return `func \(\w+ \*?` + used() + `\) \w+` },
		func() string { return used() + `\s*\(` },
		func() string { return `\b` + used() + `\w*\.\w+` },
		func() string { return `type ` + used() + ` (struct|interface)` },
		func() string { return `(` + used() + `|` + used() + `)\(` },
		func() string { return used() + `.*` + used() },
		func() string {
			for {
				if ids := identifier.FindAllString(line(), -1); len(ids) > 1 {
					return ids[0] + `.*` + ids[len(ids)-1]
				}
			}
		},
		func() string { return `^\s*(return|if) .*` + used() },
		func() string { id := used(); return id[:3] + `[a-z]+` + id[3:] + `?` },
		func() string { return `\b` + vocabulary[random.IntN(len(vocabulary))] + `\d*\b` },
	}
	return []questions{
		fill("identifiers in use", func() question { return question{Text: used()} }),
		fill("identifiers of the vocabulary", func() question { return question{Text: vocabulary[random.IntN(len(vocabulary))]} }),
		fill("pieces of lines, 3 to 20 bytes", func() question {
			l := line()
			n := min(len(l), 3+random.IntN(18))
			from := random.IntN(len(l) - n + 1)
			return question{Text: l[from : from+n]}
		}),
		fill("regexes with a literal", func() question { return question{Text: regexes[random.IntN(len(regexes))](), Regexp: true} }),
	}
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > 126 || r < 32 && r != '\t' })
}
