package code

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/zeebo/xxh3"
)

// A symbol string has SCIP's grammar:
//
//	<scheme> ' ' <manager> ' ' <package> ' ' <version> ' ' <descriptors>
//
// Its first four fields and the namespace descriptors are the scope, which only
// the module system of the language knows (it depends on the path); the rest is
// the path-free descriptor, which the Document knows. Two symbols are the same
// if and only if their strings are.

// ScopeKey hashes a scope.
func ScopeKey(scope string) Key { return Key(xxh3.HashString(scope)) }

// DescriptorKey hashes a descriptor. The empty descriptor, that of a file or package itself, has key 0.
func DescriptorKey(descriptor string) Key {
	if descriptor == "" {
		return 0
	}
	return Key(xxh3.HashStringSeed(descriptor, 0x6d616e69746f))
}

// AppendName appends a name as a SCIP identifier: as it is when it consists of
// letters, digits, '_', '+', '-' and '$', else between backticks with backticks doubled.
func AppendName(dst []byte, name string) []byte {
	simple := name != ""
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c >= utf8.RuneSelf || !(c == '_' || c == '+' || c == '-' || c == '$' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			simple = false
			break
		}
	}
	if simple {
		return append(dst, name...)
	}
	dst = append(dst, '`')
	dst = append(dst, strings.ReplaceAll(name, "`", "``")...)
	return append(dst, '`')
}

// AppendDescriptor appends the descriptor of definition d: its parents', its own name and SCIP's suffix for its kind.
func (doc *Document) AppendDescriptor(dst []byte, d DefID) []byte {
	def := &doc.Defs[d]
	switch {
	case def.Owner != 0:
		dst = append(AppendName(dst, doc.Names[def.Owner]), '#')
	case def.Parent != NoDef:
		dst = doc.AppendDescriptor(dst, def.Parent)
	}
	dst = AppendName(dst, doc.Names[def.Name])
	dis := def.Disambiguator
	switch k := def.Kind; {
	case k.Callable() && k != KindMacro:
		dst = append(dst, '(')
		switch {
		case k == KindGetter:
			dst = append(dst, "get"...)
		case k == KindSetter:
			dst = append(dst, "set"...)
		}
		if dis > 0 {
			dst = append(dst, '+')
			dst = strconv.AppendUint(dst, uint64(dis), 10)
		}
		return append(dst, ")."...)
	case dis > 0:
		dst = append(dst, '+')
		dst = strconv.AppendUint(dst, uint64(dis), 10)
	}
	switch k := def.Kind; {
	case k == KindMacro:
		return append(dst, '!')
	case k == KindNamespace || k == KindPackage || k == KindFile:
		return append(dst, '/')
	case k == KindTypeParameter:
		return append(dst, ']')
	case k.IsType():
		return append(dst, '#')
	}
	return append(dst, '.')
}

// Descriptor is the descriptor of definition d as a string.
func (doc *Document) Descriptor(d DefID) string {
	return string(doc.AppendDescriptor(make([]byte, 0, 64), d))
}

// QualifiedName is the name of definition d with those of its parents, joined by dots: "Client.Do".
func (doc *Document) QualifiedName(d DefID) string {
	def := &doc.Defs[d]
	name := doc.Names[def.Name]
	switch {
	case def.Owner != 0:
		return doc.Names[def.Owner] + "." + name
	case def.Parent != NoDef:
		return doc.QualifiedName(def.Parent) + "." + name
	}
	return name
}

// Line is the 0-based line and column (in bytes) of an offset.
func (doc *Document) Line(offset uint32) (line, column uint32) {
	lo, hi := 0, len(doc.Lines)
	for lo+1 < hi {
		mid := int(uint(lo+hi) >> 1)
		if doc.Lines[mid] <= offset {
			lo = mid
		} else {
			hi = mid
		}
	}
	if len(doc.Lines) == 0 {
		return 0, offset
	}
	return uint32(lo), offset - doc.Lines[lo]
}
