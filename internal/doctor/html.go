package doctor

import (
	"html/template"
	"io"

	_ "embed"
)

//go:embed report.html
var pageText string

// HTML writes the report as a page that needs nothing else: no script, no picture, no
// font from elsewhere. It is light or dark as the reader's system is, and fits a phone.
func (r *Report) HTML(w io.Writer) error {
	page, err := template.New("report").Funcs(template.FuncMap{
		"inc":  func(i int) int { return i + 1 },
		"tone": tone,
	}).Parse(pageText)
	if err != nil {
		return err
	}
	return page.Execute(w, r)
}

// tone is the class of an outcome: good, bad, or neither.
func tone(outcome string) string {
	switch {
	case outcome == "ok", outcome == "ok on a scratch copy", outcome == "applied", outcome == "already clear":
		return "good"
	case len(outcome) >= 6 && outcome[:6] == "failed", outcome == "rolled back":
		return "bad"
	}
	return "plain"
}
