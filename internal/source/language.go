package source

import (
	"bytes"
	"maps"
	"path"
	"strings"

	"github.com/go-enry/go-enry/v2/data"
)

// Type is what kind of language a file is written in.
type Type uint8

// The types of languages, as Linguist divides them.
const (
	TypeUnknown Type = iota
	TypeProgramming
	TypeMarkup
	TypeData
	TypeProse
)

// String is the type in lower case.
func (t Type) String() string {
	switch t {
	case TypeProgramming:
		return "programming"
	case TypeMarkup:
		return "markup"
	case TypeData:
		return "data"
	case TypeProse:
		return "prose"
	}
	return "unknown"
}

// named is what a file's name tells of its language.
type named struct {
	language string // "" when the name tells nothing
	kind     Type
	open     bool // the name leaves a choice that only the content can make
	ext      string
}

// languages tells a file's language: by name from tables, and by content where
// the name leaves a choice. The tables and the content rules are Linguist's, in
// go-enry's form. Its statistical classifier is left out: it guesses, and it
// would add 8 MB and 14 ms to the start of every command.
type languages struct {
	byExtension map[string]named
	byFilename  map[string]named
	preferred   map[string]string
}

// newLanguages builds the tables.
func newLanguages() *languages {
	l := &languages{
		byExtension: make(map[string]named, len(data.LanguagesByExtension)),
		byFilename:  make(map[string]named, len(data.LanguagesByFilename)),
		preferred:   preferredLanguages(),
	}
	settled := settledExtensions()
	maps.Copy(l.preferred, settled)
	ids := make(map[string]string, 1024)
	for name, candidates := range data.LanguagesByFilename {
		l.byFilename[name] = l.named(ids, "", candidates)
	}
	for ext, candidates := range data.LanguagesByExtension {
		n := l.named(ids, ext, candidates)
		if settled[ext] != "" {
			n.open = false
		}
		l.byExtension[ext] = n
	}
	for ext, id := range ownExtensions() {
		l.byExtension[ext] = named{language: id, kind: TypeProgramming, ext: ext}
	}
	return l
}

// named turns go-enry's candidates into an entry; the type is that of the language taken.
func (l *languages) named(ids map[string]string, ext string, candidates []string) named {
	n := named{ext: ext, open: len(candidates) > 1}
	take := candidates[0]
	for _, c := range candidates {
		if ids[c] == "" {
			ids[c] = languageID(c)
		}
		if ids[c] == l.preferred[ext] {
			take = c
		}
	}
	n.language, n.kind = ids[take], languageType(take)
	return n
}

// ownExtensions are the extensions of the languages that Manito reads in depth,
// under its own ids.
func ownExtensions() map[string]string {
	return map[string]string{
		".go": "go",
		".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx",
		".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".es6": "javascript", ".jsx": "jsx",
		".py": "python", ".pyi": "python", ".pyw": "python", ".py3": "python",
	}
}

// settledExtensions are extensions with several languages of which all but one
// are so rare that looking into every such file is not worth it.
func settledExtensions() map[string]string {
	return map[string]string{
		".md": "markdown", ".txt": "text", ".json": "json", ".yaml": "yaml", ".yml": "yaml", ".html": "html",
		".sql": "sql", ".rs": "rust", ".cs": "c#", ".s": "assembly",
	}
}

// preferredLanguages are the languages to take where the content decides nothing.
func preferredLanguages() map[string]string {
	return map[string]string{
		".h": "c", ".hh": "c++", ".m": "objective-c", ".pl": "perl", ".pm": "perl", ".t": "perl", ".php": "php",
		".fs": "f#", ".ml": "ocaml", ".r": "r", ".v": "verilog", ".d": "d", ".f": "fortran", ".for": "fortran",
		".asm": "assembly", ".as": "actionscript", ".cls": "tex", ".cl": "common lisp", ".lisp": "common lisp",
		".cfg": "ini", ".1": "roff", ".l": "lex", ".mod": "modula-2", ".sc": "scala", ".toc": "tex",
		".inc": "php", ".bas": "basic", ".frag": "glsl", ".gs": "javascript", ".es": "javascript", ".gd": "gdscript",
		".sch": "scheme", ".st": "smalltalk", ".yy": "yacc", ".pro": "prolog", ".workflow": "xml", ".re": "reason",
	}
}

// languageID is the id of a language by its Linguist name.
func languageID(name string) string { return strings.ToLower(name) }

// languageType is the type of a language by its Linguist name.
func languageType(name string) Type {
	switch data.LanguagesType[name] {
	case int(data.TypeProgramming):
		return TypeProgramming
	case int(data.TypeMarkup):
		return TypeMarkup
	case int(data.TypeData):
		return TypeData
	case int(data.TypeProse):
		return TypeProse
	}
	return TypeUnknown
}

// byName tells the language by the base name of a file: its whole name first,
// then the longest extension that is known.
func (l *languages) byName(base string) named {
	if n, ok := l.byFilename[base]; ok {
		return n
	}
	first := strings.IndexByte(base, '.')
	if first < 0 {
		return named{}
	}
	if n, ok := l.byExtension[base[strings.LastIndexByte(base, '.'):]]; ok && strings.Count(base, ".") == 1 {
		return n // the usual case, without a copy in lower case
	}
	folded := strings.ToLower(base)
	for i := first; i >= 0 && i < len(folded); {
		if n, ok := l.byExtension[folded[i:]]; ok {
			return n
		}
		next := strings.IndexByte(folded[i+1:], '.')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return named{}
}

// byContent settles what the name left open.
func (l *languages) byContent(base string, n named, text []byte) (language string, kind Type) {
	head := text[:min(len(text), sniffLength)]
	switch {
	case n.language == "typescript" || n.language == "tsx":
		if t := bytes.TrimLeft(head[:min(len(head), 200)], " \t\r\n"); bytes.HasPrefix(t, []byte("<?xml")) || bytes.HasPrefix(t, []byte("<!DOCTYPE TS>")) {
			return "xml", TypeData // a translation of Qt Linguist's
		}
		return n.language, n.kind
	case n.language != "" && !n.open:
		return n.language, n.kind
	}
	if name, ok := modeline(head); ok {
		return languageID(name), languageType(name)
	}
	if n.language == "" {
		if name := interpreted(head); name != "" {
			return languageID(name), languageType(name)
		}
		if bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("<?xml")) {
			return "xml", TypeData
		}
		return "", TypeUnknown
	}
	ext := n.ext
	if ext == "" {
		ext = strings.ToLower(path.Ext(base))
	}
	if rules, ok := data.ContentHeuristics[ext]; ok {
		// More than one match is no decision: the preferred of them, or the first.
		matched := rules.Match(head)
		for _, name := range matched {
			if languageID(name) == n.language {
				return n.language, n.kind
			}
		}
		if len(matched) > 0 {
			return languageID(matched[0]), languageType(matched[0])
		}
	}
	return n.language, n.kind
}

// sniffLength is how much of a file is looked at to tell its language; Linguist's figure.
const sniffLength = 50 << 10

// interpreted is the language of a script by its "#!" line.
func interpreted(head []byte) string {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	rest, ok := bytes.CutPrefix(line, []byte("#!"))
	if !ok {
		return ""
	}
	fields := strings.Fields(string(rest))
	if len(fields) == 0 {
		return ""
	}
	name := path.Base(fields[0])
	if name == "env" {
		name = ""
		for _, f := range fields[1:] {
			if !strings.HasPrefix(f, "-") && !strings.Contains(f, "=") {
				name = path.Base(f)
				break
			}
		}
	}
	for name != "" {
		if found := data.LanguagesByInterpreter[name]; len(found) > 0 {
			return found[0]
		}
		shorter := strings.TrimRight(name, "0123456789.") // python3.12, lua5.4
		if shorter == name {
			return ""
		}
		name = shorter
	}
	return ""
}

// modeline is the language that the file itself names to Emacs or Vim, in its
// first five lines.
func modeline(head []byte) (language string, ok bool) {
	for range 5 {
		line, rest, more := bytes.Cut(head, []byte("\n"))
		if name := emacsMode(string(line)); name != "" {
			return name, true
		}
		if name := vimFiletype(string(line)); name != "" {
			return name, true
		}
		if !more {
			break
		}
		head = rest
	}
	return "", false
}

// emacsMode reads "-*- C++ -*-" and "-*- mode: c++; tab-width: 4 -*-".
func emacsMode(line string) string {
	_, after, ok := strings.Cut(line, "-*-")
	if !ok {
		return ""
	}
	inside, _, ok := strings.Cut(after, "-*-")
	if !ok {
		return ""
	}
	for part := range strings.SplitSeq(inside, ";") {
		key, value, keyed := strings.Cut(part, ":")
		if !keyed {
			value = inside
		} else if !strings.EqualFold(strings.TrimSpace(key), "mode") {
			continue
		}
		if name, ok := data.LanguageByAlias(strings.TrimSpace(value)); ok {
			return name
		}
		if !keyed {
			return ""
		}
	}
	return ""
}

// vimFiletype reads "vim: set ft=cpp:" and "vim: filetype=cpp".
func vimFiletype(line string) string {
	_, after, ok := strings.Cut(line, "vim:")
	if !ok {
		return ""
	}
	for _, word := range strings.FieldsFunc(after, func(r rune) bool { return r == ' ' || r == ':' || r == '\t' }) {
		for _, key := range [...]string{"ft=", "filetype=", "syntax="} {
			if value, ok := strings.CutPrefix(word, key); ok {
				if name, ok := data.LanguageByAlias(value); ok {
					return name
				}
			}
		}
	}
	return ""
}
