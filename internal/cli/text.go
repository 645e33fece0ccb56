package cli

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"manito/internal/scan"
)

// thousands groups a number's digits.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// bytesText is a size for people.
func bytesText(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}

// terminal says whether a stream is one.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	if err != nil || st.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(st, null)
}

// progressBar shows a scan's progress on one line of a terminal; elsewhere it is silent.
type progressBar struct {
	w     io.Writer
	on    bool
	shown bool
}

func (a *app) progress() *progressBar {
	return &progressBar{w: a.stderr, on: !a.quiet && !a.json && terminal(a.stderr)}
}

const barWidth = 28

func (b *progressBar) show(p scan.Progress) {
	if !b.on {
		return
	}
	b.shown = true
	line := fmt.Sprintf("%-8s", p.Phase)
	if p.Total > 0 {
		full := int(p.Done * barWidth / p.Total)
		line += fmt.Sprintf(" %s%s %s of %s files", strings.Repeat("█", full), strings.Repeat("░", barWidth-full), thousands(p.Done), thousands(p.Total))
	}
	if p.Phase == scan.PhaseExtract && p.Elapsed > 200*time.Millisecond {
		line += fmt.Sprintf("  %s/s", bytesText(int64(float64(p.Bytes)/p.Elapsed.Seconds())))
	}
	fmt.Fprintf(b.w, "\r\x1b[2K%s", line)
}

func (b *progressBar) clear() {
	if b.shown {
		fmt.Fprint(b.w, "\r\x1b[2K")
	}
}
