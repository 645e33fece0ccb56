package trigram

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"unicode/utf8"
)

// Line is a line of a file, or the part of a long one around its first match.
type Line struct {
	Number uint32  // 0-based
	Match  bool    // it has a match; else it is context
	Column uint32  // of the first match, in bytes from the beginning of the line
	Offset int64   // of Text in the file, in bytes
	Text   string  // without the line end
	Cut    bool    // Text is not the whole line
	Ranges []Range // of Text that match, ascending and apart from each other; a match of nothing has none
}

// Range is a piece of a Line's Text in bytes, the last not in it. It begins and ends between characters.
type Range struct{ Start, End int }

// doc is a document that is read block by block.
type doc struct {
	seg      *segment
	no       int
	from, to int
	starts   []int // of each block in the document, and the end
	blocks   []*piece
	all      *piece
	spare    []*piece
	read     int64
}

// open begins with a document, unless it is the one that is open.
func (d *doc) open(seg *segment, no int) {
	if d.seg == seg && d.no == no {
		return
	}
	for _, p := range d.blocks {
		if p != nil && cap(p.text) <= 1<<20 {
			d.spare = append(d.spare, p)
		}
	}
	d.seg, d.no, d.all = seg, no, nil
	d.from, d.to = seg.span(no)
	d.blocks = append(d.blocks[:0], make([]*piece, d.to-d.from)...)
	d.starts = append(d.starts[:0], 0)
	for b := d.from; b < d.to; b++ {
		d.starts = append(d.starts, d.starts[b-d.from]+int(u32(seg.blockLen, b)))
	}
}

func (d *doc) start(block int) int { return d.starts[block-d.from] }

// block is a block of the document.
func (d *doc) block(no int) (*piece, error) {
	if p := d.blocks[no-d.from]; p != nil {
		return p, nil
	}
	p := &piece{}
	if n := len(d.spare); n > 0 {
		p, d.spare = d.spare[n-1], d.spare[:n-1]
	}
	text, err := d.seg.block(no, p.text[:0])
	if err != nil {
		return nil, err
	}
	*p = piece{text: text, buf: p.buf, ascii: d.seg.marks[no]&markASCII != 0, cr: d.seg.marks[no]&markCR != 0}
	d.blocks[no-d.from] = p
	d.read += int64(len(text))
	return p, nil
}

// whole is the whole document.
func (d *doc) whole() (*piece, error) {
	if d.all == nil {
		text, err := d.seg.document(d.no)
		if err != nil {
			return nil, err
		}
		d.read += int64(len(text))
		d.all = &piece{text: text, ascii: ascii(text)}
	}
	return d.all, nil
}

// lines makes the lines of s.spans.
func (s *search) lines(d *doc, found *File) error {
	spans := s.spans
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	w := writer{d: d, limits: s.limits, found: found}
	for i := 0; i < len(spans); i++ {
		// Places that touch or lie over each other are one to the eye.
		sp := spans[i]
		for i+1 < len(spans) && spans[i+1].from <= sp.to {
			i++
			sp.to = max(sp.to, spans[i].to)
		}
		if more, err := w.add(sp); err != nil || !more {
			return err
		}
	}
	return w.flush()
}

// writer collects the places of one line after the other.
type writer struct {
	d       *doc
	limits  Limits
	found   *File
	matches int

	// The line that is collected.
	have       bool
	number     uint32
	block      int
	start, end int // in the document, without the line end
	next       int // where the next line begins
	ranges     []span
}

// add adds a place with all the lines that it covers. more is false when enough lines are there.
func (w *writer) add(sp span) (more bool, err error) {
	for at := sp.from; ; {
		if !w.have || at >= w.next && w.next != w.end { // a line without a line end is the last and has the end of the text
			if err := w.flush(); err != nil {
				return false, err
			}
			if w.limits.LinesPerFile > 0 && w.matches == w.limits.LinesPerFile {
				w.found.More = true
				return false, nil
			}
			ok, err := w.seek(at)
			if err != nil {
				return false, err
			}
			if !ok {
				return true, nil // behind the last line end is no line
			}
		}
		w.ranges = append(w.ranges, span{min(at, w.end), min(sp.to, w.end)})
		if at = w.next; at >= sp.to {
			return true, nil
		}
	}
}

// seek begins the line that has a byte of the document.
func (w *writer) seek(at int) (bool, error) {
	d := w.d
	if at >= d.starts[len(d.starts)-1] && at > 0 {
		// The end of a text whose last line has no line end is in that line.
		p, err := d.block(d.to - 1)
		if err != nil {
			return false, err
		}
		if p.text[len(p.text)-1] == '\n' {
			return false, nil
		}
		at = d.starts[len(d.starts)-1] - 1
	}
	if d.from == d.to {
		return false, nil
	}
	block := d.from + sort.Search(d.to-d.from-1, func(i int) bool { return d.starts[i+1] > at })
	p, err := d.block(block)
	if err != nil {
		return false, err
	}
	base := d.start(block)
	off := at - base
	from := bytes.LastIndexByte(p.text[:off], '\n') + 1
	end, next := lineEnd(p.text, from)
	if w.have = true; w.block == block && w.next > base && w.next <= base+from {
		w.number += 1 + uint32(bytes.Count(p.text[w.next-base:from], []byte{'\n'}))
	} else {
		w.number = u32(d.seg.line, block) + uint32(bytes.Count(p.text[:from], []byte{'\n'}))
	}
	w.block, w.start, w.end, w.next = block, base+from, base+end, base+next
	return true, nil
}

// flush puts the collected line out.
func (w *writer) flush() error {
	if !w.have {
		return nil
	}
	w.have = false
	w.matches++
	p, err := w.d.block(w.block)
	if err != nil {
		return err
	}
	base := w.d.start(w.block)
	line := p.text[w.start-base : w.end-base]
	out := Line{Number: w.number, Match: true, Column: uint32(w.ranges[0].from - w.start)}
	from, to := window(line, w.ranges[0].from-w.start, w.limits.LineBytes)
	out.Text, out.Cut, out.Offset = string(line[from:to]), to-from < len(line), int64(w.start+from)
	for _, r := range w.ranges {
		a, b := outward(line, r.from-w.start, r.to-w.start)
		a, b = max(a, from)-from, min(b, to)-from
		if n := len(out.Ranges); a >= b {
			continue
		} else if n > 0 && a <= out.Ranges[n-1].End {
			out.Ranges[n-1].End = max(out.Ranges[n-1].End, b)
		} else {
			out.Ranges = append(out.Ranges, Range{a, b})
		}
	}
	w.ranges = w.ranges[:0]
	if w.limits.Context > 0 {
		return w.context(out)
	}
	w.found.Lines = append(w.found.Lines, out)
	return nil
}

// window is the part of a long line that is shown: a place a quarter from its left.
func window(line []byte, at, size int) (from, to int) {
	if len(line) <= size {
		return 0, len(line)
	}
	from = min(max(0, at-size/4), len(line)-size)
	to = from + size
	for i := 0; i < utf8.UTFMax-1 && from < at && !utf8.RuneStart(line[from]); i++ {
		from++
	}
	for i := 0; i < utf8.UTFMax-1 && to < len(line) && to > from+1 && !utf8.RuneStart(line[to]); i++ {
		to--
	}
	return from, to
}

// outward widens a range so that it does not cut through a character.
func outward(line []byte, from, to int) (int, int) {
	if from < len(line) && !utf8.RuneStart(line[from]) {
		for i := from - 1; i >= 0 && i > from-utf8.UTFMax; i-- {
			if utf8.RuneStart(line[i]) {
				if _, n := utf8.DecodeRune(line[i:]); i+n > from {
					from = i
				}
				break
			}
		}
	}
	if to > from && to < len(line) && !utf8.RuneStart(line[to]) {
		for i := to - 1; i >= from && i > to-utf8.UTFMax; i-- {
			if utf8.RuneStart(line[i]) {
				if _, n := utf8.DecodeRune(line[i:]); i+n > to {
					to = i + n
				}
				break
			}
		}
	}
	return from, to
}

// context puts a line out with those around it, and takes away again what a line before it had as context.
func (w *writer) context(match Line) error {
	lines := w.found.Lines
	from := uint32(max(0, int64(match.Number)-int64(w.limits.Context)))
	for n := len(lines); n > 0 && !lines[n-1].Match && lines[n-1].Number >= match.Number; n = len(lines) {
		lines = lines[:n-1]
	}
	if n := len(lines); n > 0 {
		from = max(from, lines[n-1].Number+1)
	}
	before, err := w.around(match.Number, w.start, int(match.Number-from), -1)
	if err != nil {
		return err
	}
	after, err := w.around(match.Number, w.next, w.limits.Context, 1)
	if err != nil {
		return err
	}
	slices.Reverse(before)
	w.found.Lines = append(append(append(lines, before...), match), after...)
	return nil
}

// around reads lines before or after a place.
func (w *writer) around(number uint32, at, count, step int) ([]Line, error) {
	d := w.d
	size := d.starts[len(d.starts)-1]
	var out []Line
	for range count {
		if step < 0 && at == 0 || step > 0 && at >= size {
			break
		}
		look := at
		if step < 0 {
			look = at - 1
		}
		block := d.from + sort.Search(d.to-d.from-1, func(i int) bool { return d.starts[i+1] > look })
		p, err := d.block(block)
		if err != nil {
			return nil, err
		}
		base := d.start(block)
		from := bytes.LastIndexByte(p.text[:look-base], '\n') + 1
		end, next := lineEnd(p.text, from)
		number = uint32(int64(number) + int64(step))
		a, b := window(p.text[from:end], 0, w.limits.LineBytes)
		out = append(out, Line{Number: number, Offset: int64(base + from + a), Text: string(p.text[from:end][a:b]), Cut: b-a < end-from})
		if at = base + from; step > 0 {
			at = base + next
		}
	}
	return out, nil
}
