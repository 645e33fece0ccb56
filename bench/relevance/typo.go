package main

import (
	"math/rand/v2"
	"strings"
	"unicode"
)

// typist makes the mistakes that people make when they type the name of a symbol.
type typist struct{ r *rand.Rand }

// mistake is one way to write a name that is not its own.
type mistake struct {
	name string
	make func(*typist, []rune) []rune
}

// mistakes lists what a typist does. Each has the same share of the queries.
func mistakes() []mistake {
	return []mistake{
		{"drop", (*typist).drop},
		{"swap", (*typist).swap},
		{"neighbour", (*typist).neighbour},
		{"case", (*typist).loseCase},
		{"humps", (*typist).humps},
		{"two", (*typist).two},
	}
}

// inner is a position that is not the first: people get the first letter right.
func (t *typist) inner(name []rune) int { return 1 + t.r.IntN(len(name)-1) }

func (t *typist) drop(name []rune) []rune {
	i := t.inner(name)
	return append(append([]rune{}, name[:i]...), name[i+1:]...)
}

func (t *typist) swap(name []rune) []rune {
	out := append([]rune{}, name...)
	for range 8 { // two equal letters beside each other are no mistake
		i := 1 + t.r.IntN(len(out)-2)
		if out[i] != out[i+1] {
			out[i], out[i+1] = out[i+1], out[i]
			return out
		}
	}
	return out
}

// keyRows are the letters of the keyboard that most people have.
var keyRows = [...]string{"qwertyuiop", "asdfghjkl", "zxcvbnm"}

func (t *typist) neighbour(name []rune) []rune {
	out := append([]rune{}, name...)
	for range 8 {
		i := t.inner(out)
		if near := neighbours(unicode.ToLower(out[i])); len(near) > 0 {
			c := rune(near[t.r.IntN(len(near))])
			if unicode.IsUpper(out[i]) {
				c = unicode.ToUpper(c)
			}
			out[i] = c
			return out
		}
	}
	return out
}

// neighbours are the keys to the left and right of a letter and those that touch it above and below.
func neighbours(c rune) string {
	var near []byte
	for row, keys := range keyRows {
		i := strings.IndexRune(keys, c)
		if i < 0 {
			continue
		}
		for _, at := range [][2]int{{row, i - 1}, {row, i + 1}, {row - 1, i}, {row - 1, i + 1}, {row + 1, i - 1}, {row + 1, i}} {
			if r, k := at[0], at[1]; r >= 0 && r < len(keyRows) && k >= 0 && k < len(keyRows[r]) {
				near = append(near, keyRows[r][k])
			}
		}
	}
	return string(near)
}

// two are two mistakes in one name.
func (t *typist) two(name []rune) []rune { return t.neighbour(t.drop(name)) }

func (t *typist) loseCase(name []rune) []rune {
	return []rune(strings.ToLower(strings.ReplaceAll(string(name), "_", "")))
}

// humps keeps the beginning of every part of the name: "getConfigurationIndex" becomes "getConfInd" or "gCI".
func (t *typist) humps(name []rune) []rune {
	most := 1 + t.r.IntN(4)
	var out []rune
	for _, part := range nameParts(name) {
		out = append(out, part[:min(most, len(part))]...)
	}
	return out
}

// nameParts cuts a name where a capital follows a small letter and at underscores.
func nameParts(name []rune) [][]rune {
	var parts [][]rune
	start := 0
	cut := func(end int) {
		if end > start {
			parts = append(parts, name[start:end])
		}
	}
	for i, c := range name {
		switch {
		case c == '_':
			cut(i)
			start = i + 1
		case i > start && unicode.IsUpper(c) && !unicode.IsUpper(name[i-1]):
			cut(i)
			start = i
		}
	}
	cut(len(name))
	return parts
}
