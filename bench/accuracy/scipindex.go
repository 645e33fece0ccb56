package main

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// What the judge takes of a SCIP index; the field numbers are those of scip.proto.
type (
	scipDocument struct {
		path        string
		occurrences []scipOccurrence
		symbols     []scipSymbol
	}
	scipOccurrence struct {
		line, column int // from 0, in UTF-16 units
		symbol       string
		definition   bool
	}
	scipSymbol struct {
		symbol     string
		implements []string
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

// readIndex reads an index's documents.
func readIndex(raw []byte) ([]scipDocument, error) {
	var out []scipDocument
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

func readDocument(raw []byte) (d scipDocument, err error) {
	err = fields(raw, func(n protowire.Number, b []byte, _ uint64) error {
		switch n {
		case 1:
			d.path = string(b)
		case 2:
			o, err := readOccurrence(b)
			d.occurrences = append(d.occurrences, o)
			return err
		case 3:
			s, err := readSymbol(b)
			d.symbols = append(d.symbols, s)
			return err
		}
		return nil
	})
	return d, err
}

func readOccurrence(raw []byte) (o scipOccurrence, err error) {
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
			o.symbol = string(b)
		case 3:
			o.definition = v&definitionRole != 0
		}
		return nil
	})
	if err == nil && len(at) < 3 {
		return o, fmt.Errorf("an occurrence of %q has a range of %d numbers", o.symbol, len(at))
	}
	if err == nil {
		o.line, o.column = int(at[0]), int(at[1])
	}
	return o, err
}

func readSymbol(raw []byte) (s scipSymbol, err error) {
	err = fields(raw, func(n protowire.Number, b []byte, _ uint64) error {
		switch n {
		case 1:
			s.symbol = string(b)
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
				s.implements = append(s.implements, target)
			}
			return err
		}
		return nil
	})
	return s, err
}
