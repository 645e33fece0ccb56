// Package scip reads what the benchmarks need of a SCIP index: documents with
// their occurrences and symbols. Only the programs under bench may import it.
package scip

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// The field numbers below are those of scip.proto.
type (
	// Document is one file.
	Document struct {
		Path        string
		Occurrences []Occurrence
		Symbols     []Symbol
	}
	// Occurrence is a place that names a symbol.
	Occurrence struct {
		Line, Column int // from 0, in UTF-16 units
		Symbol       string
		Definition   bool
	}
	// Symbol is what is said of a symbol where it is defined.
	Symbol struct {
		Symbol     string
		Implements []string // the symbols that it stands in for
	}
)

// definitionRole is SymbolRole.Definition.
const definitionRole = 1

// fields calls visit for every field of a message: with its bytes when it has a length, else with its number.
func fields(b []byte, visit func(n protowire.Number, bytes []byte, number uint64) error) error {
	for len(b) > 0 {
		n, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return protowire.ParseError(size)
		}
		b = b[size:]
		var bytes []byte
		var number uint64
		switch kind {
		case protowire.BytesType:
			bytes, size = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			number, size = protowire.ConsumeVarint(b)
		default:
			size = protowire.ConsumeFieldValue(n, kind, b)
		}
		if size < 0 {
			return protowire.ParseError(size)
		}
		b = b[size:]
		if err := visit(n, bytes, number); err != nil {
			return err
		}
	}
	return nil
}

// Read reads an index's documents.
func Read(raw []byte) ([]Document, error) {
	var out []Document
	err := fields(raw, func(n protowire.Number, b []byte, _ uint64) error {
		if n != 2 {
			return nil
		}
		d, err := readDocument(b)
		out = append(out, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("SCIP index: %w", err)
	}
	return out, nil
}

func readDocument(raw []byte) (d Document, err error) {
	err = fields(raw, func(n protowire.Number, b []byte, _ uint64) error {
		switch n {
		case 1:
			d.Path = string(b)
		case 2:
			o, err := readOccurrence(b)
			d.Occurrences = append(d.Occurrences, o)
			return err
		case 3:
			s, err := readSymbol(b)
			d.Symbols = append(d.Symbols, s)
			return err
		}
		return nil
	})
	return d, err
}

func readOccurrence(raw []byte) (o Occurrence, err error) {
	var at []uint64
	err = fields(raw, func(n protowire.Number, b []byte, v uint64) error {
		switch n {
		case 1:
			if b == nil {
				at = append(at, v)
			}
			for len(b) > 0 {
				v, size := protowire.ConsumeVarint(b)
				if size < 0 {
					return protowire.ParseError(size)
				}
				at, b = append(at, v), b[size:]
			}
		case 2:
			o.Symbol = string(b)
		case 3:
			o.Definition = v&definitionRole != 0
		}
		return nil
	})
	if err == nil && len(at) < 3 {
		return o, fmt.Errorf("an occurrence of %q has a range of %d numbers", o.Symbol, len(at))
	}
	if err == nil {
		o.Line, o.Column = int(at[0]), int(at[1])
	}
	return o, err
}

func readSymbol(raw []byte) (s Symbol, err error) {
	err = fields(raw, func(n protowire.Number, b []byte, _ uint64) error {
		switch n {
		case 1:
			s.Symbol = string(b)
		case 4:
			target, implements := "", false
			err := fields(b, func(n protowire.Number, b []byte, v uint64) error {
				switch n {
				case 1:
					target = string(b)
				case 3:
					implements = v != 0
				}
				return nil
			})
			if implements {
				s.Implements = append(s.Implements, target)
			}
			return err
		}
		return nil
	})
	return s, err
}
