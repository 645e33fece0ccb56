package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"manito/internal/code"
)

// binarySniff is how far a NUL byte makes a file binary; git's figure.
const binarySniff = 8000

// Figures by which a file is minified: a person's lines are shorter.
const (
	minifiedLine    = 1000 // bytes per line on average
	minifiedWebLine = 200  // likewise for scripts and style sheets, if one line also holds half of the file
)

// examine fills a Content from a file's bytes.
func (t *Tree) examine(c *Content, f *File, raw []byte) {
	c.Hash = sha256.Sum256(raw)
	c.Bytes = raw
	base := lastElement(f.Path)
	if bytes.HasPrefix(raw, []byte("version https://git-lfs.github.com/spec/v1\n")) && len(raw) < 1024 {
		c.note(code.SeverityWarning, "lfs", 0, "the file's content is kept by Git LFS and is not here; this is only its pointer (git lfs pull)")
	}
	if !c.decode() {
		c.Binary = true
		c.Language, c.Type = "", TypeUnknown
		return
	}
	c.Lines = bytes.Count(c.Bytes, []byte("\n"))
	if n := len(c.Bytes); n > 0 && c.Bytes[n-1] != '\n' {
		c.Lines++
	}
	c.Language, c.Type = t.languages.byContent(base, t.languages.byName(base), c.Bytes)
	c.Minified = minified(base, c)
	c.Outline = c.Minified || int64(len(c.Bytes)) > t.limits.OutlineSize
	c.Generated = c.Generated || generatedText(c.Language, c.Bytes)
}

// note adds a diagnostic at an offset.
func (c *Content) note(severity code.Severity, word string, at int, message string) {
	c.Diagnostics = append(c.Diagnostics, code.Diagnostic{Severity: severity, Code: word, Message: message, Start: uint32(at), End: uint32(at)})
}

// decode finds out the encoding and tells whether it is text. UTF-16 with a byte
// order mark becomes UTF-8; anything else is kept byte for byte.
func (c *Content) decode() bool {
	text := c.Bytes
	if order := utf16Order(text); order != nil {
		decoded, replaced := decodeUTF16(text[2:], order)
		if bytes.IndexByte(decoded[:min(len(decoded), binarySniff)], 0) >= 0 {
			return false
		}
		c.Bytes = decoded
		name := "utf-16le"
		if order == binary.BigEndian {
			name = "utf-16be"
		}
		c.note(code.SeverityInfo, "encoding", 0, "encoding "+name+": positions are those of its UTF-8 form")
		if replaced >= 0 {
			c.note(code.SeverityWarning, "encoding", replaced, fmt.Sprintf("invalid UTF-16 at line %d", lineOf(decoded, replaced)))
		}
		return true
	}
	if bytes.IndexByte(text[:min(len(text), binarySniff)], 0) >= 0 {
		return false
	}
	if !utf8.Valid(text) {
		at := invalidAt(text)
		c.note(code.SeverityWarning, "encoding", at, fmt.Sprintf("invalid UTF-8 at line %d", lineOf(text, at)))
	}
	if at := bytes.IndexByte(text, 0); at >= 0 {
		c.note(code.SeverityWarning, "encoding", at, fmt.Sprintf("NUL byte at line %d", lineOf(text, at)))
	}
	return true
}

// utf16Order is the byte order that a UTF-16 byte order mark tells, nil without
// one. A mark followed by two NUL bytes would be UTF-32, which nobody writes source in.
func utf16Order(text []byte) binary.ByteOrder {
	switch {
	case len(text) < 2 || len(text) >= 4 && text[2] == 0 && text[3] == 0:
		return nil
	case text[0] == 0xff && text[1] == 0xfe:
		return binary.LittleEndian
	case text[0] == 0xfe && text[1] == 0xff:
		return binary.BigEndian
	}
	return nil
}

// decodeUTF16 turns UTF-16 into UTF-8. replaced is the offset in the result of
// the first thing that was no UTF-16, -1 when there is none.
func decodeUTF16(text []byte, order binary.ByteOrder) (decoded []byte, replaced int) {
	replaced = -1
	decoded = make([]byte, 0, len(text))
	for len(text) >= 2 {
		r := rune(order.Uint16(text))
		text = text[2:]
		if utf16.IsSurrogate(r) {
			pair := rune(utf8.RuneError)
			if len(text) >= 2 {
				pair = utf16.DecodeRune(r, rune(order.Uint16(text)))
			}
			if r = pair; r == utf8.RuneError {
				if replaced < 0 {
					replaced = len(decoded)
				}
			} else {
				text = text[2:]
			}
		}
		decoded = utf8.AppendRune(decoded, r)
	}
	if len(text) > 0 && replaced < 0 {
		replaced = len(decoded)
	}
	return decoded, replaced
}

// invalidAt is the offset of the first byte that is not UTF-8.
func invalidAt(text []byte) int {
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(text)
}

// lineOf is the number of the line, from 1, that an offset is on.
func lineOf(text []byte, at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }

// minified tells whether a text's lines are longer than people write them.
func minified(base string, c *Content) bool {
	n := len(c.Bytes)
	if strings.Contains(base, ".min.") || strings.Contains(base, "-min.") {
		if strings.HasSuffix(base, ".js") || strings.HasSuffix(base, ".mjs") || strings.HasSuffix(base, ".cjs") || strings.HasSuffix(base, ".css") {
			return true
		}
	}
	if c.Lines == 0 {
		return false
	}
	average := n / c.Lines
	if average > minifiedLine {
		return true
	}
	if average <= minifiedWebLine {
		return false
	}
	switch c.Language {
	case "javascript", "jsx", "css":
		for line := range bytes.Lines(c.Bytes) {
			if len(line) > n/2 && len(line) > minifiedLine {
				return true
			}
		}
	}
	return false
}
