package migrate

import (
	"strings"
)

// part is where in a file the parser stands.
type part uint8

const (
	partHead part = iota // before "-- +goose Up"
	partUp
	partDown
)

// fileParser walks through the tokens of one file.
type fileParser struct {
	file     *File
	text     string
	findings []Finding

	part     part
	line     int
	explicit bool // between StatementBegin and StatementEnd

	start     int // offset of the statement being read; -1 when none is
	startLine int
	recent    [2]string // the last two words of it, upper case
	first     []string  // its first words, enough to see CREATE FUNCTION
	atomic    int       // depth of BEGIN ATOMIC … CASE … END
	seenUp    bool
	seenDown  bool
}

func (p *fileParser) bad(code string, line int, format string, args ...any) *Finding {
	p.findings = append(p.findings, finding(*p.file, code, line, format, args...))
	return &p.findings[len(p.findings)-1]
}

func (p *fileParser) run() {
	p.line, p.start = 1, -1
	lineStart := true
	for _, t := range lex(p.text) {
		line := p.line
		p.line += strings.Count(t.text, "\n")
		switch t.kind {
		case tokenSpace:
			if strings.Contains(t.text, "\n") {
				lineStart = strings.HasSuffix(t.text, "\n")
			} else {
				lineStart = false
			}
			continue
		case tokenLine:
			p.comment(t, line, lineStart)
		case tokenBlock:
		case tokenBroken:
			p.bad("parse", line, "a quote or comment that begins here never ends").Fix = "close it"
			p.start = -1
			return
		default:
			p.word(t, line)
		}
		lineStart = false
	}
	if p.start >= 0 {
		p.bad("parse", p.startLine, "the statement that begins here has no semicolon").Fix = "end it with a semicolon"
	}
	if p.explicit {
		p.bad("parse", p.line, "StatementBegin has no StatementEnd").Fix = "add -- +goose StatementEnd"
	}
}

// comment handles annotations; other comments belong to the statement around them.
func (p *fileParser) comment(t token, line int, lineStart bool) {
	body := strings.TrimSpace(strings.TrimPrefix(t.text, "--"))
	if reason, ok := strings.CutPrefix(body, "irreversible:"); ok && p.start < 0 {
		p.file.Irreversible = strings.TrimSpace(reason)
		if p.file.Irreversible == "" {
			p.bad("irreversible", line, "irreversible gives no reason").Fix = "write -- irreversible: why it cannot be undone"
		}
		return
	}
	word, ok := strings.CutPrefix(body, "+goose")
	if !ok {
		return
	}
	if !lineStart {
		p.bad("parse", line, "the annotation does not start its line").Fix = "move it to the first column"
		return
	}
	annotation := strings.Join(strings.Fields(strings.ToUpper(word)), " ")
	if p.start >= 0 && annotation != "STATEMENTEND" {
		p.bad("parse", p.startLine, "the statement that begins here has no semicolon before -- +goose%s", word).Fix = "end it with a semicolon"
		p.end(t.start)
	}
	switch {
	case annotation == "UP" && p.part == partHead:
		p.part, p.seenUp = partUp, true
	case annotation == "DOWN" && p.part == partUp:
		p.part, p.seenDown = partDown, true
	case annotation == "NO TRANSACTION" && p.part == partHead:
		p.file.Transaction = false
	case annotation == "STATEMENTBEGIN" && p.part != partHead && !p.explicit:
		p.explicit = true
	case annotation == "STATEMENTEND" && p.explicit:
		p.explicit = false
		if p.start >= 0 {
			p.end(t.start)
		}
	default:
		p.bad("parse", line, "the annotation -- +goose%s is unknown or out of place", word).Fix =
			"the order is: NO TRANSACTION (if at all), Up, statements, Down, statements"
	}
}

// word takes one significant token into the current statement.
func (p *fileParser) word(t token, line int) {
	if t.text == ";" && !p.explicit && p.atomic == 0 {
		if p.start >= 0 {
			p.end(t.start)
		}
		return
	}
	if p.part == partHead {
		if p.start < 0 {
			p.bad("parse", line, "a statement stands before -- +goose Up").Fix = "move it below the annotation"
			p.start, p.startLine = t.start, line
		}
		return
	}
	if p.start < 0 {
		p.start, p.startLine = t.start, line
		p.first, p.recent, p.atomic = nil, [2]string{}, 0
	}
	if t.kind != tokenWord {
		p.recent = [2]string{p.recent[1], ""}
		return
	}
	w := strings.ToUpper(t.text)
	if len(p.first) < 4 {
		p.first = append(p.first, w)
	}
	switch {
	case w == "ATOMIC" && p.recent[1] == "BEGIN" && p.createsRoutine():
		p.atomic = 1
	case w == "CASE" && p.atomic > 0:
		p.atomic++
	case w == "END" && p.atomic > 0:
		p.atomic--
	}
	p.recent = [2]string{p.recent[1], w}
}

// createsRoutine says whether the statement is CREATE [OR REPLACE] FUNCTION or PROCEDURE.
func (p *fileParser) createsRoutine() bool {
	for _, w := range p.first {
		if w == "FUNCTION" || w == "PROCEDURE" {
			return p.first[0] == "CREATE"
		}
	}
	return false
}

// end closes the statement before an offset.
func (p *fileParser) end(at int) {
	sql := strings.TrimSpace(p.text[p.start:at])
	if p.explicit || strings.HasSuffix(sql, ";") {
		sql = strings.TrimSpace(strings.TrimSuffix(sql, ";"))
	}
	s := Statement{SQL: sql, Line: p.startLine}
	switch p.part {
	case partUp:
		p.file.Up = append(p.file.Up, s)
	case partDown:
		p.file.Down = append(p.file.Down, s)
	}
	p.start = -1
}
