package code

// Severity of a diagnostic, in LSP's order. The numbers are stored.
type Severity uint8

// The severities.
const (
	SeverityError Severity = 1 + iota
	SeverityWarning
	SeverityInfo
	SeverityHint
)

// String is the severity in lower case.
func (s Severity) String() string {
	switch s {
	case SeverityError:
		return "error"
	case SeverityWarning:
		return "warning"
	case SeverityInfo:
		return "info"
	}
	return "hint"
}

// Diagnostic is something a reader of the file should know: it could not be
// parsed here, its encoding is odd, it was too large to read whole.
type Diagnostic struct {
	Severity Severity
	Code     string // short, lower-case, dashed: "syntax", "encoding", "too-large", "deadline", "unreadable"
	Message  string
	Start    uint32 // 0,0 when it is about the whole file
	End      uint32
}
