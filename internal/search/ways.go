package search

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"manito/internal/graph"
	"manito/internal/query"
	"manito/internal/term"
	"manito/internal/trigram"
)

// symbolList finds symbols by name.
func (x *Index) symbolList(ctx context.Context, p *plan, keep func(graph.FileNo, graph.Def) bool) (list, error) {
	l := list{name: "symbol", weight: 1}
	names := make([]string, 0, 1+len(p.names))
	for _, n := range p.names {
		if n.Form != query.Regexp {
			names = append(names, n.Text)
		}
	}
	if len(names) == 0 && p.words != "" {
		names = append(names, p.words)
	}
	s := x.Symbols()
	l.how = fmt.Sprintf("symbol: %d names", s.Len())
	single := len(p.names) > 0 || !strings.ContainsAny(strings.TrimSpace(p.words), " \t\n")
	for _, name := range names {
		hits, _, err := s.Find(ctx, SymbolQuery{Name: name, Limit: listLength, Keep: func(d graph.Def) bool { return keep(x.g.FileOf(d), d) }})
		if err != nil {
			return l, err
		}
		for _, h := range hits {
			// Several words that are not a name are a question, and what they look like is chance.
			if !single && h.Match < MatchSubstring {
				continue
			}
			note := h.Match.String()
			if h.Typos > 0 {
				note = fmt.Sprintf("%d typing errors", h.Typos)
			}
			l.entries = append(l.entries, listed{at: x.placeOfDef(h.Def), match: h.Match, raw: h.Score, note: note})
		}
	}
	if len(names) == 0 { // fields alone: everything they hold for, the most used first
		l.entries = x.everything(keep)
	}
	if single {
		l.weight = 5 // who types one name means it
	}
	return l, nil
}

// quality is how much a way of fitting says, beside being the best that there is.
func (m Match) quality() float64 {
	switch m {
	case MatchPrefix, MatchFuzzy: // errors are only looked for when nothing fits as it is
		return 0.7
	case MatchHumps:
		return 0.6
	case MatchWord:
		return 0.4
	case MatchSubstring:
		return 0.3
	}
	return 1
}

// everything lists the definitions that a query without words asks for.
func (x *Index) everything(keep func(graph.FileNo, graph.Def) bool) []listed {
	s, g := x.Symbols(), x.g
	var out []listed
	for f := range graph.FileNo(g.NumFiles()) {
		first, end := g.FileDefs(f)
		any := false
		for d := first; d < end; d++ {
			if keep(f, d) {
				any = true
				out = append(out, listed{at: Place{File: f, Def: d}, match: MatchNone, raw: float64(s.weights[d])})
			}
		}
		if !any && keep(f, graph.None) {
			out = append(out, listed{at: x.placeOfDef(g.FileDef(f)), raw: float64(s.weights[g.FileDef(f)])})
		}
	}
	slices.SortStableFunc(out, func(a, b listed) int { return cmp.Compare(b.raw, a.raw) })
	out = out[:min(len(out), listLength)]
	for i := range out {
		out[i].at = x.placeOfDef(out[i].at.Def)
	}
	return out
}

// placeOfDef is where a definition is.
func (x *Index) placeOfDef(d graph.Def) Place {
	def := x.g.Definition(d)
	return Place{File: x.g.FileOf(d), Def: d, Kind: def.Kind, Line: def.Line, EndLine: def.EndLine, Start: def.Start, End: def.End}
}

// wordList ranks chunks by their words.
func (x *Index) wordList(ctx context.Context, p *plan, keep func(graph.FileNo, graph.Def) bool, explain bool) (list, error) {
	l := list{name: "words", weight: 1, scored: true, how: fmt.Sprintf("words: BM25F over %d chunks", x.chunks)}
	if strings.TrimSpace(p.words) == "" {
		return l, nil
	}
	var splitter term.Splitter
	terms := splitter.Query(p.words)
	segments := x.termSegments()
	// What the fields exclude is left out afterwards; when much is, only the rest is asked.
	for try := 0; ; try++ {
		if try > 0 {
			for i, bits := range p.allowed(keep) {
				segments[i].Live = bits
			}
		}
		k := 2 * listLength
		hits, err := term.Search(ctx, segments, terms, k)
		if err != nil {
			return l, err
		}
		l.entries = l.entries[:0]
		for _, h := range hits {
			at := x.placeOf(chunkID{h.Segment, h.Doc})
			if !keep(at.File, at.Def) {
				continue
			}
			l.entries = append(l.entries, listed{at: at, raw: float64(h.Score), note: x.wordsNote(ctx, segments, terms, h, explain && len(l.entries) < 50)})
			if len(l.entries) == listLength {
				break
			}
		}
		if len(l.entries) == listLength || len(hits) < k || try > 0 {
			return l, nil
		}
	}
}

// wordsNote says what each word gave to a chunk's score.
func (x *Index) wordsNote(ctx context.Context, segments []term.Segment, terms []term.Weighted, h term.Hit, explain bool) string {
	if !explain {
		return ""
	}
	only := make([]term.Segment, len(segments))
	for i, s := range segments {
		only[i] = term.Segment{Index: s.Index, Live: make([]uint64, (s.Index.Len()+63)/64)}
	}
	only[h.Segment].Live[h.Doc/64] = 1 << (h.Doc % 64)
	var parts []string
	for _, t := range terms {
		if found, err := term.Search(ctx, only, []term.Weighted{t}, 1); err == nil && len(found) == 1 {
			parts = append(parts, fmt.Sprintf("%s %.2f", t.Term, found[0].Score))
		}
	}
	return strings.Join(parts, ", ")
}

const (
	textFiles = 64 // of the text list; when more have the words, the words say little
	textLines = 400
)

// textList finds the words as they stand, one after the other, and each place's chunk.
func (x *Index) textList(ctx context.Context, p *plan, keep func(graph.FileNo, graph.Def) bool) (list, error) {
	l := list{name: "text", weight: 0.5, how: "text: the words as they stand"}
	phrase := strings.TrimSpace(p.words)
	if len(phrase) < 3 {
		return l, nil
	}
	m, err := trigram.Compile(trigram.Pattern{Text: phrase, Case: p.q.Case == query.CaseYes})
	if err != nil {
		return l, err
	}
	counts := map[place]int{}
	report, err := x.texts.Search(ctx, trigram.Has{Matcher: m}, trigram.Limits{Files: textFiles, Lines: textLines, LinesPerFile: 8}, func(f trigram.File) bool {
		for _, line := range f.Lines {
			at := x.placeAt(graph.FileNo(f.File), line.Number)
			if !keep(at.File, at.Def) {
				continue
			}
			id := at.id()
			if counts[id]++; counts[id] == 1 {
				l.entries = append(l.entries, listed{at: at})
			}
		}
		return true
	})
	if err != nil {
		return l, err
	}
	if report.Partial != trigram.Complete {
		l.weight /= 5 // those that come first by path are no better than others
	}
	s := x.Symbols()
	for i := range l.entries {
		e := &l.entries[i]
		n := counts[e.at.id()]
		e.raw, e.note = math.Log2(1+float64(n)), fmt.Sprintf("%d lines", n)
		if e.at.Def != graph.None {
			e.raw += float64(s.weights[e.at.Def]) / 20
		}
	}
	slices.SortStableFunc(l.entries, func(a, b listed) int { return cmp.Compare(b.raw, a.raw) })
	return l, nil
}

// placeAt is the innermost chunk around a line, the file's own when there is none.
// A line of the comment before a symbol belongs to no chunk and so to the file.
func (x *Index) placeAt(f graph.FileNo, line uint32) Place {
	at := x.where[f]
	if at.segment < 0 {
		return x.placeOfDef(x.g.FileDef(f))
	}
	s := x.segments[at.segment]
	best := -1
	for c := s.fileAt[at.position]; c < s.fileAt[at.position+1]; c++ {
		if s.line[c] > line || line > s.endLine[c] {
			continue
		}
		if best < 0 || s.endLine[c]-s.line[c] <= s.endLine[best]-s.line[best] {
			best = int(c)
		}
	}
	if best < 0 {
		return x.placeOfDef(x.g.FileDef(f))
	}
	return x.placeOf(chunkID{at.segment, best})
}
