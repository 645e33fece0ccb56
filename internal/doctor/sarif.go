package doctor

import (
	"encoding/json"
	"io"
	"strings"
	"time"
)

// The parts of SARIF 2.1.0 that a report needs.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string      `json:"id"`
		ShortDescription sarifText   `json:"shortDescription"`
		FullDescription  sarifText   `json:"fullDescription"`
		Help             sarifText   `json:"help"`
		Configuration    sarifConfig `json:"defaultConfiguration"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
		// A finding keeps its identity over runs, so that a viewer knows what is new.
		Fingerprints map[string]string `json:"partialFingerprints"`
		Properties   sarifProperties   `json:"properties"`
	}
	// A fix in SARIF's own sense changes files; SQL for a database goes among the properties.
	sarifProperties struct {
		Severity Severity `json:"severity"`
		Fix      Fix      `json:"fix"`
	}
	sarifLocation struct {
		Logical []sarifLogical `json:"logicalLocations"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
		Kind               string `json:"kind"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Ended         string              `json:"endTimeUtc"`
		Notifications []sarifNotification `json:"toolExecutionNotifications"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
)

// level is a severity in SARIF's words.
func (s Severity) level() string {
	switch {
	case s.AtLeast(High):
		return "error"
	case s == Medium:
		return "warning"
	}
	return "note"
}

// SARIF writes the report in the format that code scanners exchange, version 2.1.0.
// What could not be looked at stands among the notifications of the invocation: as a
// warning when something is missing, as a note when it is left alone by design.
func (r *Report) SARIF(w io.Writer) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "manito db doctor", Rules: []sarifRule{}}}, Results: []sarifResult{}}
	index := map[string]int{}
	for i, c := range Checks() {
		d := c.Describe()
		index[d.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{d.ID, sarifText{d.Title}, sarifText{d.Cause + ". " + d.Breaks}, sarifText{d.Advice}, sarifConfig{d.Severity.level()}})
	}
	for _, f := range r.Findings {
		run.Results = append(run.Results, sarifResult{RuleID: f.ID, RuleIndex: index[f.ID], Level: f.Severity.level(),
			Message:      sarifText{f.Title + ": " + f.Object + ": " + f.Evidence},
			Locations:    []sarifLocation{{[]sarifLogical{{r.Database + "." + f.Object, "object"}}}},
			Fingerprints: map[string]string{"manito/v1": f.ID + " " + f.Object},
			Properties:   sarifProperties{f.Severity, f.Fix}})
	}
	notes := []sarifNotification{}
	for _, k := range r.Skipped {
		level := "warning"
		if k.ByDesign {
			level = "note"
		}
		notes = append(notes, sarifNotification{level, sarifText{strings.TrimSpace(k.ID+" "+k.Object) + ": " + k.Reason}})
	}
	run.Invocations = []sarifInvocation{{true, r.At.UTC().Format(time.RFC3339), notes}}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}})
}
