//go:build cgo

package treesitter

/*
#cgo CFLAGS: -O2 -std=c11 -Wall -Wextra
#cgo darwin LDFLAGS: -Wl,-undefined,dynamic_lookup
#include "walker.h"
*/
import "C"

import (
	"context"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"unsafe"

	// The runtime's C sources.
	_ "github.com/tree-sitter/go-tree-sitter"

	"manito/internal/problem"
)

// Available says whether this build can parse: whether it was made with cgo.
const Available = true

// Record is read where C wrote it: the two layouts must be one.
var (
	_ = [1]struct{}{}[unsafe.Sizeof(Record{})-C.sizeof_struct_record]
	_ = [1]struct{}{}[unsafe.Offsetof(Record{}.End)-unsafe.Offsetof(C.struct_record{}.end)]
	_ = [1]struct{}{}[unsafe.Offsetof(Record{}.Next)-unsafe.Offsetof(C.struct_record{}.next)]
	_ = [1]struct{}{}[unsafe.Offsetof(Record{}.Kind)-unsafe.Offsetof(C.struct_record{}.kind)]
	_ = [1]struct{}{}[unsafe.Offsetof(Record{}.Field)-unsafe.Offsetof(C.struct_record{}.field)]
	_ = [1]struct{}{}[unsafe.Offsetof(Record{}.Flags)-unsafe.Offsetof(C.struct_record{}.flags)]
)

// keep is how much of a record buffer a Parser holds on to between files.
const keep = 64 << 20

// Parser parses files of one language, one after the other. It must not be used
// by two goroutines at once. Its memory is outside of Go's heap and is freed
// when the Parser is collected.
type Parser struct {
	walker *C.struct_walker
	tokens []string // names of the symbols, for faults
	faults []Fault
}

// New makes a Parser for a grammar, which is a TSLanguage of the C runtime. It
// fails when the selection names something that the grammar does not have, or
// when the grammar was made for another runtime.
func New(grammar unsafe.Pointer, s Selection) (*Parser, error) {
	if grammar == nil {
		return nil, problem.New(problem.Internal, "treesitter: no grammar")
	}
	language := (*C.TSLanguage)(grammar)
	w := C.walker_new(language)
	if w == nil {
		return nil, problem.New(problem.Internal, "treesitter: the runtime cannot read a grammar of version %d", C.ts_language_abi_version(language))
	}
	p := &Parser{walker: w}
	runtime.AddCleanup(p, func(w *C.struct_walker) { C.walker_delete(w) }, w)

	types := make([]C.TSSymbolType, w.symbols)
	p.tokens = make([]string, w.symbols)
	for i := range p.tokens {
		p.tokens[i] = C.GoString(C.ts_language_symbol_name(language, C.TSSymbol(i)))
		types[i] = C.ts_language_symbol_type(language, C.TSSymbol(i))
	}
	mark := func(table *C.uint8_t, name string, value int) error {
		marks := unsafe.Slice((*uint8)(unsafe.Pointer(table)), len(p.tokens))
		want, bare := C.TSSymbolType(C.TSSymbolTypeRegular), name
		if strings.HasPrefix(name, `"`) {
			want, bare = C.TSSymbolTypeAnonymous, strings.Trim(name, `"`)
		}
		found := false
		for i, token := range p.tokens { // several symbols may share a name
			if token == bare && types[i] == want {
				marks[i], found = uint8(value), true
			}
		}
		if !found {
			return problem.New(problem.Internal, "treesitter: the grammar has no node %s", name)
		}
		return nil
	}
	if len(s.Kinds) > int(KindError) {
		return nil, problem.New(problem.Internal, "treesitter: %d kinds, at most %d are possible", len(s.Kinds), KindError)
	}
	for kind, name := range s.Kinds {
		if kind > 0 && name != "" {
			if err := mark(w.kinds, name, kind); err != nil {
				return nil, err
			}
		}
	}
	for _, name := range s.Leaves {
		if err := mark(w.leaves, name, 1); err != nil {
			return nil, err
		}
	}
	fields := unsafe.Slice((*uint8)(unsafe.Pointer(w.fields)), w.names)
	for field, name := range s.Fields {
		if field == 0 || name == "" {
			continue
		}
		found := false
		for i := 1; i < len(fields); i++ {
			if C.GoString(C.ts_language_field_name_for_id(language, C.TSFieldId(i))) == name {
				fields[i], found = uint8(field), true
			}
		}
		if !found {
			return nil, problem.New(problem.Internal, "treesitter: the grammar has no field %s", name)
		}
	}
	return p, nil
}

// Parse parses a text, which it does not keep. It gives false when ctx ended
// first; then the Tree is empty.
func (p *Parser) Parse(ctx context.Context, text []byte) (Tree, bool) {
	if ctx.Err() != nil || len(text) >= math.MaxInt32 {
		return Tree{}, false
	}
	w := p.walker
	C.walker_trim(w, keep)
	atomic.StoreInt32((*int32)(&w.stop), 0)
	if ctx.Done() != nil {
		watched := make(chan struct{})
		release := context.AfterFunc(ctx, func() {
			atomic.StoreInt32((*int32)(&w.stop), 1)
			close(watched)
		})
		defer func() {
			if !release() {
				<-watched // so that it cannot stop the next file
			}
		}()
	}
	done := bool(C.walker_run(w, (*C.char)(unsafe.Pointer(unsafe.SliceData(text))), C.uint32_t(len(text))))
	runtime.KeepAlive(p)
	if !done {
		return Tree{}, false
	}
	p.faults = p.faults[:0]
	for i := range int(w.fault_count) {
		f := w.faults[i]
		fault := Fault{Start: uint32(f.start), End: uint32(f.end)}
		if f.symbol != 0 {
			fault.Missing = p.tokens[f.symbol]
		}
		p.faults = append(p.faults, fault)
	}
	return Tree{
		Records: unsafe.Slice((*Record)(unsafe.Pointer(w.records)), int(w.count)),
		Faults:  p.faults,
		Broken:  bool(w.broken),
		Deep:    bool(w.deep),
	}, true
}
