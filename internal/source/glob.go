package source

import "math/bits"

// globOp is what one state of a glob accepts.
type globOp uint8

const (
	globByte  globOp = iota // exactly one byte
	globAny                 // any byte but a slash
	globClass               // a byte of a set, never a slash in a path
	globStar                // any run of bytes without a slash, the empty one included
	globDeep                // any run of bytes
	globSkip                // nothing: the deep run behind it and its slash may be left out
	globNever               // nothing: the pattern is malformed from here on
)

// globState is one state of a glob.
type globState struct {
	op  globOp
	c   byte
	set *[4]uint64 // globClass: bit c of the set tells whether byte c matches
}

// glob is a compiled wildcard pattern. It is run as a nondeterministic automaton
// over a set of states, so that its time is bounded by text times pattern: the
// patterns come from strangers' repositories, and backtracking is exponential.
type glob struct {
	states []globState
	fold   bool // ASCII letters match without regard to case
}

// globWords is how many words of states fit without an allocation.
const globWords = 2

// compileGlob compiles git's wildcard language (gitignore(5), wildmatch): in path
// mode wildcards stop at slashes and "**" between slashes crosses them; otherwise
// every run of stars crosses them. Matching is by bytes, as git does it.
func compileGlob(pattern string, path, fold bool) glob {
	g := glob{fold: fold}
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch c {
		case '?':
			if path {
				g.add(globState{op: globAny})
			} else {
				g.add(globState{op: globClass, set: &[4]uint64{^uint64(0), ^uint64(0), ^uint64(0), ^uint64(0)}})
			}
			i++
		case '*':
			start := i
			for i < len(pattern) && pattern[i] == '*' {
				i++
			}
			op := starOp(pattern, start, i, path)
			if op == globSkip {
				g.add(globState{op: globSkip})
				op = globDeep
			}
			g.add(globState{op: op})
		case '[':
			set, next, ok := compileClass(pattern, i, fold)
			if !ok {
				g.add(globState{op: globNever})
				return g
			}
			if path {
				set['/'/64] &^= 1 << ('/' % 64)
			}
			g.add(globState{op: globClass, set: set})
			i = next
		case '\\':
			if i+1 == len(pattern) {
				g.add(globState{op: globNever})
				return g
			}
			g.add(globState{op: globByte, c: pattern[i+1]}) // even with folding: git takes an escape as it stands
			i += 2
		default:
			g.add(globState{op: globByte, c: g.folded(c)})
			i++
		}
	}
	return g
}

// starOp tells what the run of stars pattern[start:end] means.
func starOp(pattern string, start, end int, path bool) globOp {
	switch {
	case !path:
		return globDeep
	case end-start < 2, start > 0 && pattern[start-1] != '/':
		return globStar
	case end == len(pattern):
		return globDeep
	case pattern[end] == '/':
		return globSkip
	case pattern[end] == '\\' && end+1 < len(pattern) && pattern[end+1] == '/':
		return globDeep // an escaped slash must be there: git does not drop it with the stars
	}
	return globStar
}

func (g *glob) add(s globState) { g.states = append(g.states, s) }

func (g *glob) folded(c byte) byte {
	if g.fold {
		return lower(c)
	}
	return c
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// match tells whether the whole text matches.
func (g *glob) match(text string) bool {
	words := len(g.states)/64 + 1
	var fixed [2][globWords]uint64
	now, next := fixed[0][:], fixed[1][:]
	if words > globWords {
		now, next = make([]uint64, words), make([]uint64, words)
	} else {
		now, next = now[:words], next[:words]
	}
	g.enter(now, 0)
	for i := 0; i < len(text); i++ {
		c := g.folded(text[i])
		clear(next)
		alive := false
		for w, set := range now {
			for ; set != 0; set &= set - 1 {
				s := w*64 + bits.TrailingZeros64(set)
				if s < len(g.states) && g.step(next, s, c) {
					alive = true
				}
			}
		}
		if !alive {
			return false
		}
		now, next = next, now
	}
	end := len(g.states)
	return now[end/64]&(1<<(end%64)) != 0
}

// step adds to next where state s leads by byte c and tells whether it leads anywhere.
func (g *glob) step(next []uint64, s int, c byte) bool {
	switch st := &g.states[s]; st.op {
	case globByte:
		if c != st.c {
			return false
		}
	case globAny:
		if c == '/' {
			return false
		}
	case globClass:
		if st.set[c/64]&(1<<(c%64)) == 0 {
			return false
		}
	case globStar:
		if c == '/' {
			return false
		}
		g.enter(next, s)
		return true
	case globDeep:
		g.enter(next, s)
		return true
	default:
		return false
	}
	g.enter(next, s+1)
	return true
}

// enter adds state s and those that are reached from it without a byte. A state
// that is there already has brought its followers with it.
func (g *glob) enter(set []uint64, s int) {
	for set[s/64]&(1<<(s%64)) == 0 {
		set[s/64] |= 1 << (s % 64)
		if s == len(g.states) {
			return
		}
		switch g.states[s].op {
		case globStar, globDeep:
		case globSkip:
			g.enter(set, s+3) // the stars and their slash match nothing
		default:
			return
		}
		s++
	}
}

// compileClass compiles the bracket expression that starts at pattern[i]. It
// returns the index after it; ok is false when it is malformed, and then nothing
// can match the pattern.
func compileClass(pattern string, i int, fold bool) (set *[4]uint64, next int, ok bool) {
	set = new([4]uint64)
	add := func(lo, hi int) {
		for c := lo; c <= hi; c++ {
			set[c/64] |= 1 << (c % 64)
		}
	}
	i++
	negated := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negated {
		i++
	}
	previous := -1 // the byte a range could start from
	for first := true; ; first = false {
		if i >= len(pattern) {
			return nil, 0, false
		}
		c := pattern[i]
		switch {
		case c == ']' && !first:
			if negated {
				for w := range set {
					set[w] = ^set[w]
				}
			}
			return set, i + 1, true
		case c == '\\':
			if i+1 >= len(pattern) {
				return nil, 0, false
			}
			add(int(pattern[i+1]), int(pattern[i+1]))
			previous = int(pattern[i+1])
			i += 2
		case c == '-' && previous > 0 && i+1 < len(pattern) && pattern[i+1] != ']':
			i++
			hi := pattern[i]
			if hi == '\\' {
				i++
				if i >= len(pattern) {
					return nil, 0, false
				}
				hi = pattern[i]
			}
			add(previous, int(hi))
			if fold {
				foldRange(set, previous, int(hi))
			}
			previous = -1
			i++
		case c == '[' && i+1 < len(pattern) && pattern[i+1] == ':':
			end := i + 2
			for end < len(pattern) && pattern[end] != ']' {
				end++
			}
			if end >= len(pattern) {
				return nil, 0, false
			}
			if end-1 < i+2 || pattern[end-1] != ':' {
				add('[', '[') // no named class after all: the bracket stands for itself
				previous = '['
				i++
				continue
			}
			if !addNamedClass(set, pattern[i+2:end-1], fold) {
				return nil, 0, false
			}
			previous = -1
			i = end + 1
		default:
			add(int(c), int(c))
			previous = int(c)
			i++
		}
	}
}

// foldRange lets a range of capitals match small letters too. With folding the
// text is in small letters, and git folds ranges and named classes but not the
// single letters of a class.
func foldRange(set *[4]uint64, lo, hi int) {
	for c := max(lo, 'A'); c <= min(hi, 'Z'); c++ {
		l := c + 'a' - 'A'
		set[l/64] |= 1 << (l % 64)
	}
}

// addNamedClass adds the ASCII members of a POSIX class and tells whether there is one of that name.
func addNamedClass(set *[4]uint64, name string, fold bool) bool {
	in := func(ranges ...int) bool {
		for i := 0; i < len(ranges); i += 2 {
			for c := ranges[i]; c <= ranges[i+1]; c++ {
				set[c/64] |= 1 << (c % 64)
			}
		}
		return true
	}
	switch name {
	case "alnum":
		return in('0', '9', 'A', 'Z', 'a', 'z')
	case "alpha":
		return in('A', 'Z', 'a', 'z')
	case "blank":
		return in(' ', ' ', '\t', '\t')
	case "cntrl":
		return in(0, 31, 127, 127)
	case "digit":
		return in('0', '9')
	case "graph":
		return in('!', '~')
	case "lower":
		return in('a', 'z')
	case "print":
		return in(' ', '~')
	case "punct":
		return in('!', '/', ':', '@', '[', '`', '{', '~')
	case "space":
		return in('\t', '\r', ' ', ' ')
	case "upper":
		if fold {
			in('a', 'z')
		}
		return in('A', 'Z')
	case "xdigit":
		return in('0', '9', 'A', 'F', 'a', 'f')
	}
	return false
}
