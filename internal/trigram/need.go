package trigram

import (
	"regexp/syntax"
	"slices"
	"unicode/utf8"
)

// need is what a text must contain to match a pattern: literals under and and or.
// It follows Russ Cox, "Regular Expression Matching with a Trigram Index"
// (https://swtch.com/~rsc/regexp/regexp4.html), but keeps whole literals instead of
// trigrams, so that it also says where in a block a match can be.
type need struct {
	op   needOp
	lit  literal
	kids []need
}

type needOp uint8

const (
	needNothing needOp = iota // every text may match
	needLiteral
	needAll // all kids
	needOne // one of the kids; without kids nothing matches
)

// literal is a text to look for; when fold is set it is folded and case does not matter.
type literal struct {
	text string
	fold bool
}

func (l literal) append(b literal) literal {
	if l.fold != b.fold {
		l, b = l.folded(), b.folded()
	}
	return literal{text: l.text + b.text, fold: l.fold}
}

func (l literal) folded() literal {
	if l.fold {
		return l
	}
	return literal{text: foldString(l.text), fold: true}
}

// Bounds of a set of literals that a piece of a regex stands for exactly.
const (
	maxExact      = 64
	maxExactBytes = 4 << 10
	maxClass      = 16
)

// facts are what is known of the texts that match a piece of a regex.
type facts struct {
	exact []literal // all of them; nil when there are too many
	need  need      // when exact is nil
}

var (
	anything  = facts{}
	emptyText = facts{exact: []literal{{}}}
)

// needs finds what a regex needs.
func needs(re *syntax.Regexp) need {
	f := analyse(re.Simplify())
	if f.exact != nil {
		return oneOf(f.exact)
	}
	return f.need
}

func analyse(re *syntax.Regexp) facts {
	switch re.Op {
	case syntax.OpNoMatch:
		return facts{need: need{op: needOne}}
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return emptyText
	case syntax.OpLiteral:
		return analyseLiteral(re)
	case syntax.OpCharClass:
		return analyseClass(re)
	case syntax.OpCapture:
		return analyse(re.Sub[0])
	case syntax.OpQuest:
		f := analyse(re.Sub[0])
		if f.exact == nil {
			return anything
		}
		return choice([]facts{f, emptyText})
	case syntax.OpPlus:
		return sequence([]facts{analyse(re.Sub[0]), anything})
	case syntax.OpConcat:
		parts := make([]facts, len(re.Sub))
		for i, sub := range re.Sub {
			parts[i] = analyse(sub)
		}
		return sequence(parts)
	case syntax.OpAlternate:
		parts := make([]facts, len(re.Sub))
		for i, sub := range re.Sub {
			parts[i] = analyse(sub)
		}
		return choice(parts)
	}
	return anything // a star, a dot; Simplify leaves no repetitions
}

func analyseLiteral(re *syntax.Regexp) facts {
	fold := re.Flags&syntax.FoldCase != 0
	var parts []facts
	var text []rune
	flush := func() {
		if len(text) > 0 {
			lit := literal{text: string(text)}
			if fold {
				lit = lit.folded()
			}
			parts = append(parts, facts{exact: []literal{lit}})
			text = text[:0]
		}
	}
	for _, r := range re.Rune {
		if r == utf8.RuneError { // also matches any byte that is not UTF-8
			flush()
			parts = append(parts, anything)
			continue
		}
		text = append(text, r)
	}
	flush()
	return sequence(parts)
}

func analyseClass(re *syntax.Regexp) facts {
	n := 0
	for i := 0; i < len(re.Rune); i += 2 {
		if n += int(re.Rune[i+1]-re.Rune[i]) + 1; n > maxClass || re.Rune[i] <= utf8.RuneError && utf8.RuneError <= re.Rune[i+1] {
			return anything
		}
	}
	f := facts{exact: []literal{}}
	var lows []literal
	for i := 0; i < len(re.Rune); i += 2 {
		for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
			f.exact = append(f.exact, literal{text: string(r)})
			if low := (literal{text: string(foldRune(r)), fold: true}); !slices.Contains(lows, low) {
				lows = append(lows, low)
			}
		}
	}
	if len(lows) < len(f.exact) {
		f.exact = lows
	}
	if len(f.exact) == 0 {
		return facts{need: need{op: needOne}}
	}
	return f
}

// sequence joins pieces that follow each other.
func sequence(parts []facts) facts {
	run := []literal{{}}
	var all []need
	broken := false
	flush := func() {
		if n := oneOf(run); n.op != needNothing {
			all = append(all, n)
		}
		run = []literal{{}}
	}
	for _, p := range parts {
		if p.exact == nil {
			flush()
			broken = true
			if p.need.op != needNothing {
				all = append(all, p.need)
			}
			continue
		}
		if joined, ok := product(run, p.exact); ok {
			run = joined
			continue
		}
		flush()
		broken = true
		run = p.exact
	}
	if !broken {
		return facts{exact: run}
	}
	flush()
	switch len(all) {
	case 0:
		return anything
	case 1:
		return facts{need: all[0]}
	}
	return facts{need: need{op: needAll, kids: all}}
}

func product(a, b []literal) ([]literal, bool) {
	if len(a)*len(b) > maxExact {
		return nil, false
	}
	out, size := make([]literal, 0, len(a)*len(b)), 0
	for _, x := range a {
		for _, y := range b {
			z := x.append(y)
			if size += len(z.text); size > maxExactBytes && len(a)+len(b) > 2 {
				return nil, false
			}
			out = append(out, z)
		}
	}
	return out, true
}

// choice joins pieces one of which is there.
func choice(parts []facts) facts {
	var exact []literal
	for _, p := range parts {
		if p.exact == nil || len(exact)+len(p.exact) > maxExact {
			exact = nil
			break
		}
		for _, l := range p.exact {
			if !slices.Contains(exact, l) {
				exact = append(exact, l)
			}
		}
	}
	if exact != nil {
		return facts{exact: exact}
	}
	one := need{op: needOne}
	for _, p := range parts {
		n := p.need
		if p.exact != nil {
			n = oneOf(p.exact)
		}
		if n.op == needNothing {
			return anything
		}
		one.kids = append(one.kids, n)
	}
	return facts{need: one}
}

// oneOf is the need for one of some literals. One of several single letters is
// nearly everywhere, and takes longer to look up than it saves.
func oneOf(lits []literal) need {
	one := need{op: needOne}
	for _, l := range lits {
		if l.text == "" || len(l.text) == 1 && len(lits) > 1 {
			return need{}
		}
		one.kids = append(one.kids, need{op: needLiteral, lit: l})
	}
	if len(one.kids) == 1 {
		return one.kids[0]
	}
	return one
}

// maxAnchors bounds the literals whose places are looked at one by one.
const maxAnchors = 12

// anchors are literals of which each match contains one: the longest there are. ok
// is false when there are none, or so many that looking for each takes longer than the regex.
func (n need) anchors() (lits []literal, ok bool) {
	switch n.op {
	case needLiteral:
		return []literal{n.lit}, true
	case needAll:
		best := 0
		for _, k := range n.kids {
			if a, have := k.anchors(); have && shortest(a) > best {
				lits, ok, best = a, true, shortest(a)
			}
		}
	case needOne:
		for _, k := range n.kids {
			a, have := k.anchors()
			if lits = append(lits, a...); !have || len(lits) > maxAnchors {
				return nil, false
			}
		}
		ok = len(n.kids) > 0
	}
	return lits, ok
}

func shortest(lits []literal) int {
	n := len(lits[0].text)
	for _, l := range lits {
		n = min(n, len(l.text))
	}
	return n
}

// blocks are the blocks of a segment that may have what is needed; documents when byDoc is set.
func (n need) blocks(s *segment, byDoc bool) (set, error) {
	switch n.op {
	case needLiteral:
		return s.having(n.lit.text, byDoc)
	case needAll:
		out := set{all: true}
		for _, k := range n.kids {
			next, err := k.blocks(s, byDoc)
			if err != nil {
				return set{}, err
			}
			out = intersect(out, next)
		}
		return out, nil
	case needOne:
		sets := make([]set, len(n.kids))
		for i, k := range n.kids {
			next, err := k.blocks(s, byDoc)
			if err != nil {
				return set{}, err
			}
			sets[i] = next
		}
		return union(sets), nil
	}
	return set{all: true}, nil
}
