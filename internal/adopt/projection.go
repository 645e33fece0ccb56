package adopt

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"

	"manito/internal/code"
	"manito/internal/postgres"
)

// figures are what a snapshot says of itself, in the form of a scan's.
type figures struct {
	Schema      string             `json:"schema"`
	Files       int                `json:"files"`
	Bytes       int64              `json:"bytes"`
	Lines       int64              `json:"lines"`
	Extracted   int                `json:"extracted"`
	Reused      int                `json:"reused"`
	Definitions int                `json:"definitions"`
	Edges       int                `json:"edges"`
	Unresolved  int                `json:"unresolved"`
	Diagnostics int                `json:"diagnostics"`
	Languages   []languageFigures  `json:"languages"`
	Seconds     map[string]float64 `json:"seconds"`
	CPUSeconds  map[string]float64 `json:"cpu_seconds"`
}

type languageFigures struct {
	Name  string `json:"name"`
	Files int    `json:"files"`
	Lines int64  `json:"lines"`
	Bytes int64  `json:"bytes"`
	Graph bool   `json:"graph"`
}

// digestOf is the canonical digest of a snapshot: a function of the old rows alone.
func digestOf(files []*made) (d [32]byte) {
	h := sha256.New()
	h.Write([]byte("manito/adopted/v1"))
	text := func(s string) {
		h.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))
		h.Write([]byte(s))
	}
	for _, m := range files {
		text(m.path)
		h.Write(m.hash[:])
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(m.bytes())))
		text(languageOf(m.path, m.language))
		text(string(m.fact))
		if m.doc != nil {
			sum := m.block.Digest(nil)
			h.Write(sum[:])
		}
		for _, i := range m.imports {
			text(i.name)
			text(i.version)
			h.Write([]byte{byte(i.kind)})
		}
	}
	h.Sum(d[:0])
	return d
}

// bytes is the size of a file: of its content, else as a row says.
func (m *made) bytes() int64 {
	if m.content >= 0 {
		return m.content
	}
	return m.size
}

func (x *project) figures(files []*made, r *Project) *figures {
	f := &figures{Schema: "manito/scan/v1", Files: r.Files, Definitions: r.Definitions, Edges: r.Edges, Diagnostics: r.Diagnostics,
		Languages: []languageFigures{}, Seconds: map[string]float64{}, CPUSeconds: map[string]float64{}}
	at := map[string]int{}
	for _, m := range files {
		if m.doc != nil {
			f.Extracted++
		}
		lines := int64(m.lines)
		if m.content < 0 {
			lines = int64(m.file.lines)
		}
		f.Bytes += m.bytes()
		f.Lines += lines
		name := languageOf(m.path, m.language)
		if name == "" {
			continue
		}
		i, ok := at[name]
		if !ok {
			i = len(f.Languages)
			at[name] = i
			f.Languages = append(f.Languages, languageFigures{Name: name})
		}
		l := &f.Languages[i]
		l.Files++
		l.Lines += lines
		l.Bytes += m.bytes()
		l.Graph = l.Graph || m.doc != nil
	}
	slices.SortFunc(f.Languages, func(a, b languageFigures) int {
		return cmp.Or(cmp.Compare(b.Lines, a.Lines), cmp.Compare(a.Name, b.Name))
	})
	return f
}

// tableRows are the rows that SQL users see, and the packages that they name.
func tableRows(files []*made, entries []postgres.Entry) (iter.Seq[postgres.File], []postgres.External) {
	ids := make(map[string]int32, len(files))
	for i, m := range files {
		ids[m.path] = entries[i].PathID
	}
	externals := map[code.Key]postgres.External{}
	rows := make([]postgres.File, len(files))
	for i, m := range files {
		r := postgres.File{PathID: entries[i].PathID, Language: languageOf(m.path, m.language), Size: m.bytes(), Encoding: "utf-8"}
		if m.content < 0 {
			r.Flags |= postgres.FileUnread
			r.Encoding = ""
		}
		if m.doc != nil {
			r.Flags |= postgres.FileFlags(m.doc.Flags)
			for _, g := range m.doc.Diagnostics {
				line, column := m.doc.Line(g.Start)
				r.Diagnostics = append(r.Diagnostics, postgres.Diagnostic{Severity: g.Severity, Code: g.Code, Message: g.Message, Line: int32(line), Column: int32(column)})
			}
		}
		for _, d := range m.imports {
			row := postgres.Dependency{Specifier: d.name, Kind: d.kind, Reason: "taken over from another database"}
			inside := d.name
			if strings.HasPrefix(inside, ".") {
				inside = path.Join(path.Dir(m.path), inside)
			}
			switch target := ids[inside]; {
			case target != 0:
				row.State, row.Target, row.Scope = postgres.DependencyResolved, target, inside
			case strings.HasPrefix(d.name, ".") || strings.HasPrefix(d.name, "/"):
				row.State = postgres.DependencyUnresolved
			default:
				x := external(d)
				externals[x.Key] = x
				row.State, row.External = postgres.DependencyExternal, x.Key
			}
			r.Dependencies = append(r.Dependencies, row)
		}
		rows[i] = r
	}
	list := make([]postgres.External, 0, len(externals))
	for _, k := range slices.Sorted(maps.Keys(externals)) {
		list = append(list, externals[k])
	}
	return slices.Values(rows), list
}

// external is the package that a dependency names. Which package manager it belongs to
// was not kept.
func external(d dependency) postgres.External {
	field := func(s string) string {
		if s == "" {
			return "."
		}
		return strings.ReplaceAll(s, " ", "  ")
	}
	symbol := language + " . " + field(d.name) + " " + field(d.version) + " "
	return postgres.External{Key: code.ScopeKey(symbol), Symbol: symbol, Name: d.name, Version: d.version}
}
