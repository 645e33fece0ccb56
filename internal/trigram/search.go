package trigram

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"
)

// Expr says what must hold of a file: And, Or, Not, Has or Where.
type Expr interface{ expr() }

// And holds when all parts do; without parts always.
type And []Expr

// Or holds when one of the parts does; without parts never. The places of all parts that hold are found.
type Or []Expr

// Not holds when its part does not.
type Not struct{ Expr Expr }

// Has holds of files whose text matches.
type Has struct{ *Matcher }

// Where holds of the files that the function says; it may be called several times and must say the same.
type Where func(file uint32) bool

func (And) expr()   {}
func (Or) expr()    {}
func (Not) expr()   {}
func (Has) expr()   {}
func (Where) expr() {}

// Limits bound a search. A zero is no bound, but for LineBytes.
type Limits struct {
	Files        int           // files found
	Lines        int           // lines found in all files together
	LinesPerFile int           // lines of each file that are yielded
	Context      int           // lines before and after each that are yielded with it
	LineBytes    int           // of a line's text around its first match; 0 means 400
	Time         time.Duration // for the whole search
}

// Report says how a search went.
type Report struct {
	Files   int     // yielded
	Lines   int     // yielded and matching
	Partial Partial // why not everything was found
	Read    int64   // bytes of text that were unpacked to look for matches
}

// Partial is the reason for a search that ended before it had looked at everything.
type Partial uint8

// The reasons.
const (
	Complete   Partial = iota
	LimitFiles         // Limits.Files or the yield function ended it
	LimitLines         // Limits.Lines ended it
	LimitTime          // Limits.Time or the context's deadline ended it
)

// String is the reason in lower case.
func (p Partial) String() string {
	return [...]string{Complete: "complete", LimitFiles: "files", LimitLines: "lines", LimitTime: "time"}[p]
}

// File is a file of which the expression holds.
type File struct {
	File  uint32
	Lines []Line // the lines of the matches of every Has that is not under a Not, by number, with context
	More  bool   // there may be lines beyond LinesPerFile
}

// Search yields the files of which an expression holds, by file number, each as
// soon as it is found, until yield returns false. The same index and expression
// give the same files and lines, unless time ran out. A context that is cancelled
// is an error, one past its deadline ends the search as Limits.Time does. An error
// that wraps ErrCorrupt means that the index must be made again; what was yielded
// until then was seen in sound text.
func (ix *Index) Search(ctx context.Context, x Expr, limits Limits, yield func(File) bool) (report Report, err error) {
	defer guard(&err)()
	if limits.LineBytes <= 0 {
		limits.LineBytes = 400
	}
	s := &search{ix: ix, limits: limits, sets: map[*Matcher][]set{}, docs: make([]doc, len(ix.segments))}
	if limits.Time > 0 {
		s.end = time.Now().Add(limits.Time)
	}
	files, err := s.candidates(x)
	if err != nil {
		return s.report, err
	}
	for _, f := range files {
		switch {
		case limits.Files > 0 && s.report.Files == limits.Files:
			s.report.Partial = LimitFiles
			return s.report, nil
		case limits.Lines > 0 && s.report.Lines >= limits.Lines:
			s.report.Partial = LimitLines
			return s.report, nil
		}
		if stop, err := s.late(ctx); stop {
			return s.report, err
		}
		found, err := s.file(ctx, x, f)
		if errors.Is(err, errLate) {
			_, err = s.late(ctx)
			return s.report, err
		}
		if err != nil {
			return s.report, err
		}
		if found == nil {
			continue
		}
		s.report.Files++
		for _, l := range found.Lines {
			if l.Match {
				s.report.Lines++
			}
		}
		if !yield(*found) {
			s.report.Partial = LimitFiles
			return s.report, nil
		}
	}
	return s.report, nil
}

// errLate ends the work on a file when time is up.
var errLate = errors.New("time is up")

type search struct {
	ix     *Index
	limits Limits
	end    time.Time
	sets   map[*Matcher][]set // per segment
	docs   []doc              // per segment: the document that was looked at last
	report Report
	spans  []span
	more   bool // most left places of the file out
}

// late says whether the search must end, and notes why.
func (s *search) late(ctx context.Context) (bool, error) {
	err := ctx.Err()
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return true, err
	}
	if err != nil || !s.end.IsZero() && time.Now().After(s.end) {
		s.report.Partial = LimitTime
		return true, nil
	}
	return false, nil
}

// candidates are the files of which the expression may hold, ascending.
func (s *search) candidates(x Expr) ([]uint32, error) {
	var files []uint32
	for n, seg := range s.ix.segments {
		docs, err := s.documents(x, n)
		if err != nil {
			return nil, fmt.Errorf("text index %s: %w", seg.name, err)
		}
		if docs.all {
			files = append(files, s.ix.files[n]...)
			continue
		}
		for _, d := range docs.ids {
			files = append(files, s.ix.files[n][s.ix.filesAt[n][d]:s.ix.filesAt[n][d+1]]...)
		}
	}
	slices.Sort(files)
	return files, nil
}

// documents are the documents of a segment of which the expression may hold.
func (s *search) documents(x Expr, n int) (set, error) {
	switch x := x.(type) {
	case And:
		out := set{all: true}
		for _, part := range x {
			docs, err := s.documents(part, n)
			if err != nil {
				return set{}, err
			}
			out = intersect(out, docs)
		}
		return out, nil
	case Or:
		sets := make([]set, len(x))
		for i, part := range x {
			docs, err := s.documents(part, n)
			if err != nil {
				return set{}, err
			}
			sets[i] = docs
		}
		return union(sets), nil
	case Not:
		// Where its Has may be is still needed when it is looked at.
		_, err := s.documents(x.Expr, n)
		return set{all: true}, err
	case Has:
		if s.sets[x.Matcher] == nil {
			s.sets[x.Matcher] = make([]set, len(s.ix.segments))
		}
		where, err := x.need.blocks(s.ix.segments[n], x.whole)
		if err != nil {
			return set{}, err
		}
		s.sets[x.Matcher][n] = where
		if where.all || x.whole {
			return where, nil
		}
		return set{ids: s.ix.segments[n].documents(slices.Clone(where.ids))}, nil
	case Where, nil:
		return set{all: true}, nil
	}
	return set{}, fmt.Errorf("trigram: an expression of type %T", x)
}

// file looks at one file. It returns nil when the expression does not hold.
func (s *search) file(ctx context.Context, x Expr, f uint32) (*File, error) {
	n := s.ix.manifest.segment[f]
	d := &s.docs[n]
	d.open(s.ix.segments[n], int(s.ix.manifest.doc[f]))
	s.spans, s.more = s.spans[:0], false
	ok, err := s.holds(ctx, x, f, true)
	s.report.Read += d.read
	d.read = 0
	if err == nil && ok {
		found := &File{File: f}
		if err = s.lines(d, found); err == nil {
			found.More = found.More || s.more
			return found, nil
		}
	}
	if err != nil && !errors.Is(err, errLate) && !errors.Is(err, context.Canceled) {
		err = fmt.Errorf("text index %s: %w", s.ix.segments[n].name, err)
	}
	return nil, err
}

// holds evaluates the expression; places are added to s.spans when collect is set and it holds.
func (s *search) holds(ctx context.Context, x Expr, f uint32, collect bool) (bool, error) {
	switch x := x.(type) {
	case Where:
		return x(f), nil
	case Not:
		ok, err := s.holds(ctx, x.Expr, f, false)
		return !ok, err
	case Has:
		return s.has(ctx, x.Matcher, f, collect)
	case And:
		mark := len(s.spans)
		// What needs no text is asked first.
		for _, texts := range []bool{false, true} {
			for _, part := range x {
				if _, cheap := part.(Where); cheap == texts {
					continue
				}
				if ok, err := s.holds(ctx, part, f, collect); !ok || err != nil {
					s.spans = s.spans[:mark]
					return false, err
				}
			}
		}
		return true, nil
	case Or:
		any := false
		for _, part := range x {
			ok, err := s.holds(ctx, part, f, collect)
			if err != nil {
				return false, err
			}
			if any = any || ok; any && !collect {
				break
			}
		}
		return any, nil
	}
	return true, nil // nil
}

// has looks for a pattern in the document that is open.
func (s *search) has(ctx context.Context, m *Matcher, f uint32, collect bool) (bool, error) {
	n := s.ix.manifest.segment[f]
	d, where := &s.docs[n], s.sets[m][n]
	most := 1
	if collect {
		most = s.most()
	}
	if m.whole {
		if _, in := slices.BinarySearch(where.ids, uint32(d.no)); !where.all && !in {
			return false, nil
		}
		p, err := d.whole()
		if err != nil {
			return false, err
		}
		mark := len(s.spans)
		return s.keep(m.find(p, s.spans, most), mark, most, collect), nil
	}
	mark, spans := len(s.spans), s.spans
	look := func(block int) error {
		p, err := d.block(block)
		if err != nil {
			return err
		}
		before := len(spans)
		spans = m.find(p, spans, most-(before-mark))
		for i := range spans[before:] {
			spans[before+i].from += d.start(block)
			spans[before+i].to += d.start(block)
		}
		return nil
	}
	if where.all {
		for b := d.from; b < d.to && len(spans)-mark < most; b++ {
			if b%64 == 63 {
				if stop, err := s.late(ctx); stop {
					return false, errors.Join(errLate, err)
				}
			}
			if err := look(b); err != nil {
				return false, err
			}
		}
	} else {
		at := sort.Search(len(where.ids), func(i int) bool { return int(where.ids[i]) >= d.from })
		for ; at < len(where.ids) && int(where.ids[at]) < d.to && len(spans)-mark < most; at++ {
			if err := look(int(where.ids[at])); err != nil {
				return false, err
			}
		}
	}
	return s.keep(spans, mark, most, collect), nil
}

// keep keeps what was found, or only that something was.
func (s *search) keep(spans []span, mark, most int, collect bool) bool {
	found := len(spans) > mark
	s.spans = spans
	if !collect {
		s.spans = spans[:mark]
	} else if len(spans)-mark >= most {
		s.more = true
	}
	return found
}

// most is how many places of a file are worth finding. A line may have many, so that
// it is more than LinesPerFile, and the lines are counted afterwards.
func (s *search) most() int {
	if s.limits.LinesPerFile > 0 {
		return max(64*s.limits.LinesPerFile, 1024)
	}
	return int(^uint(0) >> 1)
}
